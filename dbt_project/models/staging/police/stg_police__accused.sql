select
    record.record_key,
    delivery.scope,
    record.period,
    record.offence_id_police,
    record.accused_number,
    record.record_status,
    record.recorded_date,
    record.accused_token,
    record.age,
    record.sex_code,
    record.ethnic_appearance,
    record.residence_borough_name,
    record.relationship_to_victim,
    record.delivery_id,
    delivery.is_simulated
from {{ source('raw', 'police_accused') }} as record
inner join {{ source('quality', 'delivery') }} as delivery on record.delivery_id = delivery.delivery_id
where record.withdrawn_delivery_id is null
