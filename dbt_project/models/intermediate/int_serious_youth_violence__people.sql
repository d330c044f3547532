-- Violence of the kinds that the borough's definition names: serious injury, knives used or threatened, firearms;
-- domestic abuse is another priority. Whether a young person was part of it is for those who read this to ask.
with victims as (
    {{ people_of_offences('victim') }}
),

accused as (
    {{ people_of_offences('accused') }}
),

both_sides as (
    select * from victims
    union all
    select * from accused
)

select
    both_sides.role,
    both_sides.recorded_offence_key,
    both_sides.person_token,
    both_sides.month,
    both_sides.financial_year,
    both_sides.borough_key,
    both_sides.ward_key,
    offences.is_serious_violence,
    offences.is_robbery,
    coalesce(both_sides.is_knife_used, false) as is_knife_used,
    coalesce(both_sides.is_knife_threatened, false) as is_knife_threatened,
    coalesce(both_sides.is_firearm, false) as is_firearm,
    coalesce(both_sides.is_on_carnival_day, false) as is_on_carnival_day,
    both_sides.age,
    both_sides.age <= 25 as is_25_and_under,
    both_sides.age_band,
    both_sides.sex,
    both_sides.ethnic_appearance,
    both_sides.residence,
    both_sides.relationship,
    both_sides.injury_degree,
    both_sides.is_simulated
from both_sides
inner join {{ ref('dim_offence') }} as offences on both_sides.offence_key = offences.offence_key
where
    both_sides.is_domestic_abuse is not true
    and (
        offences.is_serious_violence
        or both_sides.is_knife_used
        or both_sides.is_knife_threatened
        or both_sides.is_firearm
    )
