with cells as (
    select * from {{ ref('stg_mps__recorded_crime') }}
),

areas as (
    select
        geography_level,
        borough_name,
        ward_code,
        max(ward_name) as ward_name,
        {{ any_true('is_simulated') }} as is_simulated
    from cells
    group by geography_level, borough_name, ward_code
)

select
    geography_level,
    borough_name,
    {{ fold_label('borough_name') }} as folded_borough_name,
    ward_code,
    ward_name,
    is_simulated
from areas
