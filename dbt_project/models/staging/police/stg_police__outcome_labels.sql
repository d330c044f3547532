select
    record.outcome_code,
    record.outcome_name,
    record.delivery_id
from {{ source('raw', 'police_outcomes') }} as record
