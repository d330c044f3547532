select
    record.record_key,
    record.occurrence,
    delivery.scope,
    record.period,
    record.area_code,
    record.area_name,
    record.financial_year,
    record.offence_group,
    record.rate_per_1000,
    record.offence_count,
    record.delivery_id,
    delivery.is_simulated
from {{ source('raw', 'mps_borough_crime_rates') }} as record
inner join {{ source('quality', 'delivery') }} as delivery on record.delivery_id = delivery.delivery_id
where record.withdrawn_delivery_id is null
