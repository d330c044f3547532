{{
    config(
        indexes=[
            {'columns': ['geography_type', 'geography_code', 'burglary_class', 'month'], 'unique': true},
            {'columns': ['borough_code', 'month']},
        ],
    )
}}

with counts as (
    select
        *,
        'burglary' as series,
        burglary_class = 'all' as is_parent
    from {{ ref('int_burglary__monthly_counts') }}
),

{{ compare_months(
    class_column='burglary_class',
    measure='offences',
    subject='burglary',
    whole='All burglary',
    published_by_mps=true,
    also=['label_as_published'],
) }}
