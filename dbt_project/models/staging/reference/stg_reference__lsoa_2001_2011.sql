select
    record.record_key,
    record.occurrence,
    delivery.scope,
    record.period,
    record.lsoa_2001_code,
    record.lsoa_2001_name,
    record.lsoa_2011_code,
    record.lsoa_2011_name,
    record.change_indicator,
    record.borough_code,
    record.borough_name,
    record.delivery_id,
    delivery.is_simulated
from {{ source('raw', 'reference_lsoa_2001_2011') }} as record
inner join {{ source('quality', 'delivery') }} as delivery on record.delivery_id = delivery.delivery_id
where record.withdrawn_delivery_id is null
