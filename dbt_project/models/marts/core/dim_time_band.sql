with hours as (
    {{ whole_numbers(0, 23, 'hour_of_day') }}
),

members as (
    select
        hours.hour_of_day + 1 as time_band_key,
        hours.hour_of_day,
        replace('HH:00 to HH:59', 'HH', lpad(hours.hour_of_day::text, 2, '0')) as hour_name,
        bands.time_band_name
    from hours
    inner join {{ ref('time_bands') }} as bands on hours.hour_of_day between bands.hour_from and bands.hour_to
    union all
    select
        0 as time_band_key,
        null as hour_of_day,
        'Not known' as hour_name,
        'Not known' as time_band_name
    union all
    select
        -1 as time_band_key,
        null as hour_of_day,
        'Not applicable' as hour_name,
        'Not applicable' as time_band_name
)

select
    time_band_key,
    hour_of_day,
    hour_name,
    time_band_name,
    {{ build_id() }} as build_id
from members
