select
    record.record_key,
    record.occurrence,
    delivery.scope,
    record.period,
    record.search_type,
    record.searched_at,
    record.is_policing_operation,
    record.policing_operation,
    record.latitude,
    record.longitude,
    record.gender,
    record.age_range,
    record.self_defined_ethnicity,
    record.officer_defined_ethnicity,
    record.legislation,
    record.object_of_search,
    record.outcome,
    record.is_outcome_linked,
    record.is_more_than_outer_clothing_removed,
    {{ london_time('record.searched_at') }} as searched_local_at,
    record.occurrence > 1 as is_repeat_of_identical_row,
    record.delivery_id,
    delivery.is_simulated
from {{ source('raw', 'police_open_stop_search') }} as record
inner join {{ source('quality', 'delivery') }} as delivery on record.delivery_id = delivery.delivery_id
where record.withdrawn_delivery_id is null
