{{ config(materialized='view') }}

select
    people.offence_id_police,
    people.accused_number,
    people.accused_token,
    people.recorded_date,
    people.month,
    {{ financial_year('people.month') }} as financial_year,
    offences.major_name as major_class_as_recorded,
    offences.minor_name as minor_class_as_recorded,
    coalesce(people.is_domestic_abuse, false) as is_domestic_abuse,
    coalesce(people.is_on_carnival_day, false) as is_on_carnival_day,
    boroughs.borough_name,
    wards.ward_name,
    lsoas.lsoa_code,
    people.age,
    age_bands.age_band_name,
    {{ sex_name('people.sex_code') }} as sex,
    people.ethnic_appearance,
    people.residence_name,
    people.relationship_to_victim,
    people.is_simulated,
    people.build_id
from {{ ref('fct_offence_accused') }} as people
inner join {{ ref('dim_offence') }} as offences on people.offence_key = offences.offence_key
inner join {{ ref('dim_borough') }} as boroughs on people.borough_key = boroughs.borough_key
inner join {{ ref('dim_ward') }} as wards on people.ward_key = wards.ward_key
inner join {{ ref('dim_lsoa') }} as lsoas on people.lsoa_key = lsoas.lsoa_key
inner join {{ ref('dim_age_band') }} as age_bands on people.age_band_key = age_bands.age_band_key
where people.is_hate_crime
