select
    record.record_key,
    delivery.scope,
    record.period,
    record.action_id_council,
    record.record_status,
    record.service_name,
    record.power_used,
    record.action_at,
    record.tasking_id_council,
    record.location_type,
    record.ward_code,
    record.lsoa_code,
    record.premises_token,
    record.address_token,
    record.subject_type,
    record.subject_token,
    record.outcome_name,
    record.outcome_date,
    record.penalty_gbp,
    {{ london_time('record.action_at') }} as action_local_at,
    record.delivery_id,
    delivery.is_simulated
from {{ source('raw', 'council_enforcement_actions') }} as record
inner join {{ source('quality', 'delivery') }} as delivery on record.delivery_id = delivery.delivery_id
where record.withdrawn_delivery_id is null
