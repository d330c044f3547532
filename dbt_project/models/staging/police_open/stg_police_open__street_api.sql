select
    record.record_key,
    record.occurrence,
    delivery.scope,
    record.period,
    record.ward_code,
    record.crime_api_id,
    record.crime_id_police,
    record.month,
    record.category,
    record.location_type,
    record.location_subtype,
    record.latitude,
    record.longitude,
    record.street_id,
    record.street_name,
    record.outcome_category,
    record.outcome_month,
    record.context,
    record.delivery_id,
    delivery.is_simulated
from {{ source('raw', 'police_open_street_api') }} as record
inner join {{ source('quality', 'delivery') }} as delivery on record.delivery_id = delivery.delivery_id
where record.withdrawn_delivery_id is null
