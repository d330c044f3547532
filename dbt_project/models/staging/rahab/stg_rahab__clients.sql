select
    record.record_key,
    delivery.scope,
    record.period,
    record.client_id_rahab,
    record.support_from_date,
    record.support_to_date,
    record.needs,
    record.sex_name,
    record.age_band,
    record.client_token,
    record.delivery_id,
    delivery.is_simulated
from {{ source('raw', 'rahab_clients') }} as record
inner join {{ source('quality', 'delivery') }} as delivery on record.delivery_id = delivery.delivery_id
where record.withdrawn_delivery_id is null
