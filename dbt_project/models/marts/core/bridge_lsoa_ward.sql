select
    {{ surrogate_key(['lsoa_code']) }} as lsoa_key,
    lookup_year,
    {{ surrogate_key(['ward_code']) }} as ward_key,
    lsoa_code,
    ward_code,
    is_simulated,
    {{ build_id() }} as build_id
from {{ ref('stg_reference__lsoa_ward') }}
