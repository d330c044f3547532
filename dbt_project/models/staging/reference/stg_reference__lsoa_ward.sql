select
    record.record_key,
    record.occurrence,
    delivery.scope,
    record.period,
    record.lookup_year,
    record.lsoa_code,
    record.lsoa_name,
    record.ward_code,
    record.ward_name,
    record.borough_code,
    record.borough_name,
    record.delivery_id,
    delivery.is_simulated
from {{ source('raw', 'reference_lsoa_ward') }} as record
inner join {{ source('quality', 'delivery') }} as delivery on record.delivery_id = delivery.delivery_id
where record.withdrawn_delivery_id is null
