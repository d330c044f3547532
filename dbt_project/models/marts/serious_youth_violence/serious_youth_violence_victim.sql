{{ config(materialized='view') }}

select
    people.offence_id_police,
    people.victim_number,
    people.victim_token,
    people.recorded_date,
    people.month,
    {{ financial_year('people.month') }} as financial_year,
    offences.major_name as major_class_as_recorded,
    offences.minor_name as minor_class_as_recorded,
    offences.is_serious_violence,
    offences.is_robbery,
    coalesce(people.is_knife_used, false) as is_knife_used,
    coalesce(people.is_knife_threatened, false) as is_knife_threatened,
    coalesce(people.is_firearm, false) as is_firearm,
    coalesce(people.is_on_carnival_day, false) as is_on_carnival_day,
    age_bands.is_25_and_under,
    boroughs.borough_name,
    wards.ward_name,
    lsoas.lsoa_code,
    people.age,
    age_bands.age_band_name,
    {{ sex_name('people.sex_code') }} as sex,
    people.ethnic_appearance,
    people.residence_name,
    people.relationship_to_accused,
    people.injury_degree,
    people.is_vulnerable,
    people.is_simulated,
    people.build_id
from {{ ref('fct_offence_victim') }} as people
inner join {{ ref('dim_offence') }} as offences on people.offence_key = offences.offence_key
inner join {{ ref('dim_borough') }} as boroughs on people.borough_key = boroughs.borough_key
inner join {{ ref('dim_ward') }} as wards on people.ward_key = wards.ward_key
inner join {{ ref('dim_lsoa') }} as lsoas on people.lsoa_key = lsoas.lsoa_key
inner join {{ ref('dim_age_band') }} as age_bands on people.age_band_key = age_bands.age_band_key
where
    people.is_domestic_abuse is not true
    and (
        offences.is_serious_violence
        or people.is_knife_used
        or people.is_knife_threatened
        or people.is_firearm
    )
