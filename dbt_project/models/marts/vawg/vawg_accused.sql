{{ config(materialized='view') }}

-- flags that only the offence has; few offences have one
with flagged as (
    select recorded_offence_key
    from {{ ref('fct_offence') }}
    where
        is_honour_based
        or is_female_genital_mutilation
        or is_forced_marriage
)

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
    offences.is_sexual_offence,
    offences.is_rape,
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
where
    people.is_domestic_abuse
    or offences.is_sexual_offence
    or offences.is_stalking
    or offences.is_harassment
    or offences.is_trafficking
    or people.recorded_offence_key in (select flagged.recorded_offence_key from flagged)
