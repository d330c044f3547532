select
    record.offence_code as home_office_code,
    record.major_class,
    record.minor_class,
    record.location_type,
    record.delivery_id
from {{ source('raw', 'police_offences') }} as record
