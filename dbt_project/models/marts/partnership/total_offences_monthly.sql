{{
    config(
        materialized='incremental',
        incremental_strategy='replace_compared_months',
        on_schema_change='fail',
        indexes=[
            {'columns': ['geography_type', 'geography_code', 'offence_class', 'month'], 'unique': true},
            {'columns': ['borough_code', 'month']},
            {'columns': ['month']},
            {'columns': ['build_id']},
        ],
        meta={
            'rebuilds': {
                'feeds': ['police_offences'],
                'lookups': place_lookups(),
                'newest': ['police_offences'],
                'class': 'offence_class',
                'counts': ['offences_as_recorded'],
            }
        },
    )
}}
{%- set months = months_to_write() -%}
{%- set read = with_year_before(months) -%}

with by_class as (
    select
        wards.borough_key,
        wards.ward_key,
        wards.month,
        classes.offence_class,
        classes.offence_count,
        wards.is_simulated
    from {{ ref('int_offences__wards_monthly') }} as wards
    cross join
        lateral (
            values
            ('all', wards.notifiable_count),
            ('without_fraud', wards.notifiable_count - wards.fraud_count)
        ) as classes (offence_class, offence_count)
    where {{ in_months('wards.month', read) }}
),

by_area as (
    {{ area_levels('by_class', keep=['month', 'offence_class', 'offence_count', 'is_simulated']) }}
),

found as (
    select
        {{ area_columns() | join(', ') }},
        month,
        offence_class,
        sum(offence_count)::integer as offences_as_recorded,
        {{ any_true('is_simulated') }} as is_simulated
    from by_area
    group by {{ area_columns() | join(', ') }}, month, offence_class
),

filled as (
    {{ every_month(
        'found', class_columns=['offence_class'], measure='offences', feed='police_offences', months=read
    ) }}
),

-- both are series as a whole: what moves the one and not the other is fraud
counts as (
    select
        *,
        case offence_class when 'all' then 'total_offences' else 'total_offences_without_fraud' end as series,
        true as is_parent
    from filled
),

{{ compare_months(
    class_column='offence_class', measure='offences', subject='crime', only=in_months('month', months),
) }}
