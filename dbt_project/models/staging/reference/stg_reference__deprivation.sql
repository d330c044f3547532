select
    record.record_key,
    record.occurrence,
    delivery.scope,
    record.period,
    record.index_year,
    record.lsoa_code,
    record.lsoa_name,
    record.borough_code,
    record.borough_name,
    record.imd_rank,
    record.imd_decile,
    record.delivery_id,
    delivery.is_simulated
from {{ source('raw', 'reference_deprivation') }} as record
inner join {{ source('quality', 'delivery') }} as delivery on record.delivery_id = delivery.delivery_id
where record.withdrawn_delivery_id is null
