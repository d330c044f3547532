select
    record.record_key,
    record.occurrence,
    delivery.scope,
    record.period,
    record.crime_id_police,
    record.month,
    record.reported_by,
    record.falls_within,
    record.longitude,
    record.latitude,
    record.location,
    record.lsoa_code,
    record.lsoa_name,
    record.crime_type,
    record.last_outcome_category,
    record.context,
    record.lsoa_code is not null as has_location,
    record.delivery_id,
    delivery.is_simulated
from {{ source('raw', 'police_open_street') }} as record
inner join {{ source('quality', 'delivery') }} as delivery on record.delivery_id = delivery.delivery_id
where record.withdrawn_delivery_id is null
