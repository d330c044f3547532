select
    coverage.scope as geography_level,
    coverage.period as month,
    coverage.delivery_id,
    delivery.is_simulated,
    coverage.period = max(coverage.period) over (partition by coverage.scope) as is_newest_month
from {{ source('quality', 'delivery_coverage') }} as coverage
inner join {{ source('quality', 'delivery') }} as delivery on coverage.delivery_id = delivery.delivery_id
where
    coverage.feed = 'mps_recorded_crime'
    and coverage.is_current
