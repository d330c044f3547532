select
    record.record_key,
    delivery.scope,
    record.period,
    record.offence_id_police,
    record.victim_number,
    record.record_status,
    record.recorded_date,
    record.victim_token,
    record.age,
    record.sex_code,
    record.ethnic_appearance,
    record.residence_borough_name,
    record.relationship_to_accused,
    record.injury_degree,
    record.is_vulnerable,
    record.delivery_id,
    delivery.is_simulated
from {{ source('raw', 'police_victims') }} as record
inner join {{ source('quality', 'delivery') }} as delivery on record.delivery_id = delivery.delivery_id
where record.withdrawn_delivery_id is null
