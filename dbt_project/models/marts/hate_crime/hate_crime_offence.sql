{{ config(materialized='view') }}

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
    coalesce(crime.is_hate_race, false) as is_hate_race,
    coalesce(crime.is_hate_faith, false) as is_hate_faith,
    coalesce(crime.is_hate_sexual_orientation, false) as is_hate_sexual_orientation,
    coalesce(crime.is_hate_transgender, false) as is_hate_transgender,
    coalesce(crime.is_hate_disability, false) as is_hate_disability,
    offences.is_violence_against_the_person,
    offences.is_harassment,
    offences.is_violence_with_injury,
    offences.is_criminal_damage,
    coalesce(crime.is_domestic_abuse, false) as is_domestic_abuse,
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
where crime.is_hate_crime
