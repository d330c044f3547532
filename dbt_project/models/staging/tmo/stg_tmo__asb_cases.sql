select
    record.record_key,
    delivery.scope,
    record.period,
    record.case_id_tmo,
    record.categories,
    record.priority_code,
    record.stage_name,
    record.opened_date,
    record.assessed_date,
    record.action_date,
    record.monitoring_date,
    record.closed_date,
    record.closing_reason,
    record.estate_name,
    record.ward_code,
    record.ward_name,
    record.premises_token,
    record.house_token,
    record.complainant_token,
    record.subject_token,
    record.is_vulnerable_complainant,
    record.delivery_id,
    delivery.is_simulated
from {{ source('raw', 'tmo_asb_cases') }} as record
inner join {{ source('quality', 'delivery') }} as delivery on record.delivery_id = delivery.delivery_id
where record.withdrawn_delivery_id is null
