{{
    config(
        materialized='incremental',
        incremental_strategy='replace_compared_months',
        on_schema_change='fail',
        indexes=[
            {'columns': ['geography_type', 'geography_code', 'asb_class', 'month'], 'unique': true},
            {'columns': ['borough_code', 'month']},
            {'columns': ['month']},
            {'columns': ['build_id']},
        ],
        meta={
            'rebuilds': {
                'feeds': ['police_asb_incidents', 'tmo_asb_cases', 'council_enforcement_actions'],
                'lookups': place_lookups(),
                'part_of': feed_of_asb_class('asb_class'),
                'newest': ['police_asb_incidents', 'tmo_asb_cases', 'council_enforcement_actions'],
                'class': 'asb_class',
                'counts': ['records_as_recorded'],
            }
        },
    )
}}
{%- set months = months_to_write() -%}
{%- set read = with_year_before(months) -%}

with recorded as (
    select * from {{ ref('int_asb__monthly_counts') }}
    where {{ in_months('month', read) }}
),

by_area as (
    {{ area_levels('recorded', keep=['feed', 'asb_class', 'month', 'record_count', 'is_simulated']) }}
),

-- beside its classes each feed has a class that is all of it
by_class as (
    select * from by_area
    where asb_class <> 'police_not_known'
    union all
    select
        {{ area_columns() | join(', ') }},
        feed,
        case feed
            when 'police_asb_incidents' then 'police_all'
            when 'tmo_asb_cases' then 'landlord_all'
            else 'council_all'
        end as asb_class,
        month,
        record_count,
        is_simulated
    from by_area
),

summed as (
    select
        {{ area_columns() | join(', ') }},
        feed,
        asb_class,
        month,
        sum(record_count)::integer as records_as_recorded,
        {{ any_true('is_simulated') }} as is_simulated
    from by_class
    group by {{ area_columns() | join(', ') }}, feed, asb_class, month
),

calls as (
    select * from summed
    where feed = 'police_asb_incidents'
),

cases as (
    select * from summed
    where feed = 'tmo_asb_cases'
),

actions as (
    select * from summed
    where feed = 'council_enforcement_actions'
),

every_month as (
    {% for relation, feed in {
        'calls': 'police_asb_incidents', 'cases': 'tmo_asb_cases', 'actions': 'council_enforcement_actions',
    }.items() -%}
    {{ every_month(
        relation, ['asb_class'], 'records', feed,
        months=read, part=feed_of_asb_class('asb_class') ~ " = '" ~ feed ~ "'",
    ) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

found_and_held as (
    select
        asb_class,
        month
    from summed
    {%- if months %}
    union all
    select
        asb_class,
        month
    from {{ this }}
    where geography_type = 'borough'
    {%- endif %}
),

-- a service that did not exist yet took no action: it has no figure, and not 0
first_months as (
    select
        asb_class,
        min(month) as first_month
    from found_and_held
    group by asb_class
),

counts as (
    select
        every_month.*,
        every_month.asb_class in ('police_all', 'landlord_all', 'council_all') as is_parent,
        case every_month.feed
            when 'police_asb_incidents' then 'asb_police'
            when 'tmo_asb_cases' then 'asb_cases'
            else 'enforcement'
        end as series,
        case every_month.feed
            when 'police_asb_incidents' then 'Calls to the police'
            when 'tmo_asb_cases' then 'Cases opened by the landlord'
            else 'Actions of the council'
        end as source_name
    from every_month
    inner join first_months
        on
            every_month.asb_class = first_months.asb_class
            and every_month.month >= first_months.first_month
),

{{ compare_months(
    class_column='asb_class',
    measure='records',
    subject='anti-social behaviour',
    whole='All anti-social behaviour reported to the police',
    also=['source_name'],
    only=in_months('month', months),
) }}
