{{ config(materialized='view') }}

select
    incidents.asb_incident_key,
    incidents.incident_id_police,
    incidents.reported_local_at,
    incidents.reported_date,
    incidents.month,
    dates.financial_year,
    dates.weekday_name,
    hours.hour_name,
    hours.time_band_name,
    dates.is_school_holiday,
    dates.is_bank_holiday,
    dates.is_carnival_day,
    incidents.asb_type,
    incidents.asb_type_comparable,
    boroughs.borough_code,
    boroughs.borough_name,
    wards.ward_code,
    wards.ward_name,
    lsoas.lsoa_code,
    places.location_type_name,
    places.location_group_name,
    places.is_outdoors,
    incidents.caller_token,
    incidents.premises_token,
    incidents.address_token,
    incidents.is_vulnerable_caller,
    incidents.delivery_id,
    incidents.is_simulated,
    incidents.build_id
from {{ ref('fct_asb_incident') }} as incidents
left join {{ ref('dim_date') }} as dates on incidents.reported_date_key = dates.date_key
left join {{ ref('dim_time_band') }} as hours on incidents.reported_time_band_key = hours.time_band_key
left join {{ ref('dim_borough') }} as boroughs on incidents.borough_key = boroughs.borough_key
left join {{ ref('dim_ward') }} as wards on incidents.ward_key = wards.ward_key
left join {{ ref('dim_lsoa') }} as lsoas on incidents.lsoa_key = lsoas.lsoa_key
left join {{ ref('dim_location_type') }} as places on incidents.location_type_key = places.location_type_key
