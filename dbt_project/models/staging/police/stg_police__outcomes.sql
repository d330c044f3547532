select
    record.record_key,
    delivery.scope,
    record.period,
    record.offence_id_police,
    record.outcome_number,
    record.record_status,
    record.accused_number,
    record.outcome_code,
    record.outcome_name,
    record.is_sanction_detection,
    record.outcome_date,
    record.delivery_id,
    delivery.is_simulated
from {{ source('raw', 'police_outcomes') }} as record
inner join {{ source('quality', 'delivery') }} as delivery on record.delivery_id = delivery.delivery_id
where record.withdrawn_delivery_id is null
