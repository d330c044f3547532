{{ config(materialized='view') }}

with young_victim as (
    select distinct people.recorded_offence_key
    from {{ ref('fct_offence_victim') }} as people
    inner join {{ ref('dim_offence') }} as offences on people.offence_key = offences.offence_key
    where
        people.age <= 25
        and people.is_domestic_abuse is not true
        and (
            offences.is_serious_violence
            or people.is_knife_used
            or people.is_knife_threatened
            or people.is_firearm
        )
),

young_accused as (
    select distinct people.recorded_offence_key
    from {{ ref('fct_offence_accused') }} as people
    inner join {{ ref('dim_offence') }} as offences on people.offence_key = offences.offence_key
    where
        people.age <= 25
        and people.is_domestic_abuse is not true
        and (
            offences.is_serious_violence
            or people.is_knife_used
            or people.is_knife_threatened
            or people.is_firearm
        )
)

select
    crime.offence_id_police,
    crime.recorded_date,
    crime.month,
    {{ financial_year('crime.month') }} as financial_year,
    crime.reported_date,
    crime.committed_from_local_at,
    offences.home_office_code,
    offences.major_name as major_class_as_recorded,
    offences.minor_name as minor_class_as_recorded,
    young_victim.recorded_offence_key is not null as has_victim_25_and_under,
    young_accused.recorded_offence_key is not null as has_accused_25_and_under,
    young_victim.recorded_offence_key is not null
    or young_accused.recorded_offence_key is not null as is_serious_youth_violence,
    offences.is_serious_violence,
    offences.is_robbery,
    coalesce(crime.is_knife_used, false) as is_knife_used,
    coalesce(crime.is_knife_threatened, false) as is_knife_threatened,
    coalesce(crime.is_firearm, false) as is_firearm,
    coalesce(crime.is_shots_fired, false) as is_shots_fired,
    coalesce(crime.is_mobile_phone_taken, false) as is_mobile_phone_taken,
    coalesce(crime.is_on_carnival_day, false) as is_on_carnival_day,
    boroughs.borough_name,
    wards.ward_name,
    lsoas.lsoa_code,
    places.location_type_name,
    places.location_group_name,
    crime.is_simulated,
    crime.build_id
from {{ ref('fct_offence') }} as crime
inner join {{ ref('dim_offence') }} as offences on crime.offence_key = offences.offence_key
inner join {{ ref('dim_borough') }} as boroughs on crime.borough_key = boroughs.borough_key
inner join {{ ref('dim_ward') }} as wards on crime.ward_key = wards.ward_key
inner join {{ ref('dim_lsoa') }} as lsoas on crime.lsoa_key = lsoas.lsoa_key
inner join {{ ref('dim_location_type') }} as places on crime.location_type_key = places.location_type_key
left join young_victim on crime.recorded_offence_key = young_victim.recorded_offence_key
left join young_accused on crime.recorded_offence_key = young_accused.recorded_offence_key
where
    crime.is_domestic_abuse is not true
    and (
        offences.is_serious_violence
        or crime.is_knife_used
        or crime.is_knife_threatened
        or crime.is_firearm
        or (offences.is_robbery and crime.is_mobile_phone_taken)
    )
