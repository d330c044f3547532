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
    days.weekday_number,
    days.weekday_name,
    bands.hour_of_day,
    bands.time_band_name,
    offences.home_office_code,
    offences.major_name as major_class_as_recorded,
    offences.minor_name as minor_class_as_recorded,
    boroughs.borough_code,
    boroughs.borough_name,
    wards.ward_code,
    wards.ward_name,
    lsoas.lsoa_code,
    places.location_type_name,
    places.location_group_name,
    crime.venue_name,
    crime.street_name,
    crime.vehicle_body_type,
    crime.is_on_carnival_day,
    crime.delivery_id,
    crime.is_simulated,
    crime.build_id
from {{ ref('fct_offence') }} as crime
inner join {{ ref('dim_offence') }} as offences on crime.offence_key = offences.offence_key
left join {{ ref('dim_date') }} as days on crime.committed_date_key = days.date_key
left join {{ ref('dim_time_band') }} as bands on crime.committed_time_band_key = bands.time_band_key
left join {{ ref('dim_borough') }} as boroughs on crime.borough_key = boroughs.borough_key
left join {{ ref('dim_ward') }} as wards on crime.ward_key = wards.ward_key
left join {{ ref('dim_lsoa') }} as lsoas on crime.lsoa_key = lsoas.lsoa_key
left join {{ ref('dim_location_type') }} as places on crime.location_type_key = places.location_type_key
where offences.is_theft_from_motor_vehicle
