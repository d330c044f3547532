{{
    config(
        indexes=[
            {'columns': ['geography_type', 'geography_code', 'burglary_class', 'month'], 'unique': true},
            {'columns': ['borough_code', 'month']},
        ],
    )
}}

with published as (
    select
        {{ area_columns() | join(', ') }},
        month,
        burglary_class,
        offences_as_recorded,
        label_as_published,
        is_simulated
    from {{ ref('int_burglary__monthly_counts') }}
),

counts as (
    select
        *,
        'burglary' as series,
        burglary_class = 'all' as is_parent
    from (
        select * from published
        union all
        {{ wards_before_they_were_drawn(
            'published', 'burglary_class', {'offences_as_recorded': 'integer', 'label_as_published': 'text'}
        ) | indent(8) }}
    ) as published_and_made
),

{{ compare_months(
    class_column='burglary_class',
    measure='offences',
    subject='burglary',
    whole='All burglary',
    published_by_mps=true,
    also=['label_as_published'],
) }}
