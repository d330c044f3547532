{{ config(materialized='view') }}

select
    actions.enforcement_action_key,
    actions.action_id_council,
    actions.service_name,
    agencies.agency_name,
    actions.power_used,
    actions.action_local_at,
    actions.action_date,
    actions.month,
    dates.financial_year,
    dates.weekday_name,
    hours.hour_name,
    hours.time_band_name,
    dates.is_carnival_day,
    actions.tasking_id_council,
    boroughs.borough_code,
    boroughs.borough_name,
    wards.ward_code,
    wards.ward_name,
    lsoas.lsoa_code,
    places.location_type_name,
    places.location_group_name,
    places.is_outdoors,
    actions.premises_token,
    actions.address_token,
    actions.subject_type,
    actions.subject_token,
    actions.outcome_name,
    actions.outcome_date,
    actions.penalty_gbp,
    actions.delivery_id,
    actions.is_simulated,
    actions.build_id
from {{ ref('fct_enforcement_action') }} as actions
left join {{ ref('dim_agency') }} as agencies on actions.agency_key = agencies.agency_key
left join {{ ref('dim_date') }} as dates on actions.action_date_key = dates.date_key
left join {{ ref('dim_time_band') }} as hours on actions.action_time_band_key = hours.time_band_key
left join {{ ref('dim_borough') }} as boroughs on actions.borough_key = boroughs.borough_key
left join {{ ref('dim_ward') }} as wards on actions.ward_key = wards.ward_key
left join {{ ref('dim_lsoa') }} as lsoas on actions.lsoa_key = lsoas.lsoa_key
left join {{ ref('dim_location_type') }} as places on actions.location_type_key = places.location_type_key
