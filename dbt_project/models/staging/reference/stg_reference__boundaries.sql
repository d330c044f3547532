select
    record.record_key,
    record.occurrence,
    delivery.scope,
    record.period,
    record.area_type,
    record.boundary_year,
    record.area_code,
    record.area_name,
    record.borough_code,
    record.shape,
    record.coordinates,
    record.delivery_id,
    delivery.is_simulated
from {{ source('raw', 'reference_boundaries') }} as record
inner join {{ source('quality', 'delivery') }} as delivery on record.delivery_id = delivery.delivery_id
where record.withdrawn_delivery_id is null
