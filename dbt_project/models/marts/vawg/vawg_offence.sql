{{ config(materialized='view') }}

select
    crime.offence_id_police,
    crime.recorded_date,
    crime.month,
    {{ financial_year('crime.month') }} as financial_year,
    crime.reported_date,
    crime.committed_from_local_at,
    crime.committed_to_local_at,
    offences.home_office_code,
    offences.major_name as major_class_as_recorded,
    offences.minor_name as minor_class_as_recorded,
    coalesce(crime.is_domestic_abuse, false) as is_domestic_abuse,
    offences.is_sexual_offence,
    offences.is_rape,
    offences.is_stalking or offences.is_harassment as is_stalking_or_harassment,
    offences.is_trafficking,
    coalesce(crime.is_honour_based, false) as is_honour_based,
    coalesce(crime.is_female_genital_mutilation, false) as is_female_genital_mutilation,
    coalesce(crime.is_forced_marriage, false) as is_forced_marriage,
    offences.is_violence_against_the_person,
    offences.is_violence_with_injury,
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
where
    crime.is_domestic_abuse
    or offences.is_sexual_offence
    or offences.is_stalking
    or offences.is_harassment
    or offences.is_trafficking
    or crime.is_honour_based
    or crime.is_female_genital_mutilation
    or crime.is_forced_marriage
