select
    record.record_key,
    record.occurrence,
    delivery.scope,
    record.period,
    record.geography_level,
    record.borough_name,
    record.ward_code,
    record.ward_name,
    record.major_category,
    record.minor_category,
    record.month,
    record.offence_count,
    record.delivery_id,
    delivery.is_simulated
from {{ source('raw', 'mps_recorded_crime') }} as record
inner join {{ source('quality', 'delivery') }} as delivery on record.delivery_id = delivery.delivery_id
where record.withdrawn_delivery_id is null
