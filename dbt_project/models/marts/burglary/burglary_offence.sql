{{ config(materialized='view') }}

select
    crime.recorded_offence_key,
    crime.offence_id_police,
    crime.recorded_date,
    crime.month,
    {{ financial_year('crime.month') }} as financial_year,
    crime.reported_date,
    crime.committed_from_local_at,
    crime.committed_to_local_at,
    offences.burglary_class as burglary_class_as_recorded,
    {{ burglary_class_old_definition('offences.burglary_class', 'crime.recorded_date', 'places.location_group_name') }}
        as burglary_class_old_definition,
    {{ burglary_class_new_definition('offences.burglary_class', 'crime.recorded_date', 'places.location_group_name') }}
        as burglary_class_new_definition,
    offences.minor_name as label_as_recorded,
    boroughs.borough_code,
    boroughs.borough_name,
    wards.ward_code,
    wards.ward_name,
    lsoas.lsoa_code,
    places.location_type_name,
    places.location_group_name,
    crime.street_name,
    crime.premises_token,
    crime.address_token,
    crime.is_walk_in_entry,
    crime.is_domestic_abuse,
    crime.is_hate_crime,
    crime.is_knife_used,
    crime.is_knife_threatened,
    crime.delivery_id,
    crime.is_simulated,
    crime.build_id
from {{ ref('fct_offence') }} as crime
inner join {{ ref('dim_offence') }} as offences on crime.offence_key = offences.offence_key
left join {{ ref('dim_borough') }} as boroughs on crime.borough_key = boroughs.borough_key
left join {{ ref('dim_ward') }} as wards on crime.ward_key = wards.ward_key
left join {{ ref('dim_lsoa') }} as lsoas on crime.lsoa_key = lsoas.lsoa_key
left join {{ ref('dim_location_type') }} as places on crime.location_type_key = places.location_type_key
where offences.is_burglary
