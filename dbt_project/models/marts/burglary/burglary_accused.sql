{{ config(materialized='view') }}

select
    people.offence_accused_key,
    people.recorded_offence_key,
    people.offence_id_police,
    people.accused_number,
    people.accused_token,
    people.recorded_date,
    people.month,
    {{ financial_year('people.month') }} as financial_year,
    offences.burglary_class as burglary_class_as_recorded,
    offences.minor_name as label_as_recorded,
    boroughs.borough_code,
    boroughs.borough_name,
    wards.ward_code,
    wards.ward_name,
    people.age,
    age_bands.age_band_name,
    people.sex_code,
    people.ethnic_appearance,
    people.residence_name,
    residences.borough_name as residence_borough_name,
    people.relationship_to_victim,
    people.is_offence_held,
    people.delivery_id,
    people.is_simulated,
    people.build_id
from {{ ref('fct_offence_accused') }} as people
inner join {{ ref('dim_offence') }} as offences on people.offence_key = offences.offence_key
left join {{ ref('dim_borough') }} as boroughs on people.borough_key = boroughs.borough_key
left join {{ ref('dim_ward') }} as wards on people.ward_key = wards.ward_key
left join {{ ref('dim_age_band') }} as age_bands on people.age_band_key = age_bands.age_band_key
left join {{ ref('dim_borough') }} as residences on people.residence_borough_key = residences.borough_key
where offences.is_burglary
