with members as (
    select
        {{ surrogate_key(['age_band_name']) }} as age_band_key,
        age_band_name,
        age_from,
        age_to,
        coalesce(age_to <= 25, false) as is_25_and_under,
        age_from >= 11 and coalesce(age_to <= 25, false) as is_11_to_25
    from {{ ref('age_bands') }}
    union all
    select
        {{ unknown_key() }} as age_band_key,
        'Not known' as age_band_name,
        null as age_from,
        null as age_to,
        null as is_25_and_under,
        null as is_11_to_25
    union all
    select
        {{ not_applicable_key() }} as age_band_key,
        'Not applicable' as age_band_name,
        null as age_from,
        null as age_to,
        null as is_25_and_under,
        null as is_11_to_25
)

select
    age_band_key,
    age_band_name,
    age_from,
    age_to,
    is_25_and_under,
    is_11_to_25,
    {{ build_id() }} as build_id
from members
