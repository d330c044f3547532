-- the publisher moves each record to one of a few places on the map: hundreds lie in one point
select
    longitude::double precision as longitude,
    latitude::double precision as latitude,
    lsoa_code,
    is_simulated,
    count(*)::integer as record_count
from {{ ref('stg_police_open__street') }}
where has_location
group by longitude::double precision, latitude::double precision, lsoa_code, is_simulated
