select
    record.record_key,
    delivery.scope,
    record.period,
    record.incident_id_police,
    record.record_status,
    record.reported_at,
    record.asb_type,
    record.ward_code,
    record.ward_name,
    record.lsoa_code,
    record.location_type,
    record.caller_token,
    record.premises_token,
    record.address_token,
    record.is_vulnerable_caller,
    {{ london_time('record.reported_at') }} as reported_local_at,
    {{ is_hour_shown_twice('record.reported_at') }} as is_reported_hour_in_doubt,
    record.delivery_id,
    delivery.is_simulated
from {{ source('raw', 'police_asb_incidents') }} as record
inner join {{ source('quality', 'delivery') }} as delivery on record.delivery_id = delivery.delivery_id
where record.withdrawn_delivery_id is null
