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
                'feeds': ['police_offences', 'police_outcomes'],
                'lookups': place_lookups(),
                'people': ['police_outcomes'],
                'outcomes': true,
                'first_column': 'sanction_detections_by_offence_date',
                'newest': ['police_offences'],
                'class': 'offence_class',
                'counts': [
                    'offences_as_recorded', 'sanction_detections_by_offence_date',
                    'sanction_detections_by_outcome_date',
                ],
            }
        },
    )
}}
{%- set months = months_to_write() -%}
{%- set read = with_year_before(months) -%}

{#- class: (condition on an offence, condition on the day, series, whether it is the series as a whole, in words) -#}
{%- set violence = "offences.is_violence_with_injury" -%}
{%- set non_domestic = violence ~ " and not coalesce(monthly.is_domestic_abuse, false)" -%}
{%- set classes = {
    'violence_with_injury': (violence, 'violence_with_injury', true),
    'non_domestic_violence_with_injury': (non_domestic, 'violence_with_injury', false),
    'non_domestic_violence_with_injury_without_carnival': (
        non_domestic ~ " and not coalesce(monthly.is_on_carnival_day, false)", 'violence_with_injury', false
    ),
    'non_domestic_violence_with_injury_hate_crime': (
        non_domestic ~ " and coalesce(monthly.is_hate_crime, false)", 'violence_with_injury', false
    ),
    'theft_from_motor_vehicle': ("offences.is_theft_from_motor_vehicle", 'theft_from_motor_vehicle', true),
} -%}
{%- set counted = ['offences_as_recorded', 'detected_by_offence_date', 'detected_by_outcome_date'] -%}

-- depends_on: {{ ref('fct_offence') }}, {{ ref('fct_offence_outcome') }} (which months a night changes is told by them)
with monthly as (
    select
        monthly.borough_key,
        monthly.ward_key,
        monthly.month,
        {% for class, (condition, series, is_parent) in classes.items() -%}
        {{ condition }} as is_{{ class }},
        {% endfor -%}
        monthly.offence_count,
        monthly.is_simulated
    from {{ ref('int_offences__monthly') }} as monthly
    inner join {{ ref('dim_offence') }} as offences on monthly.offence_key = offences.offence_key
    where
        (offences.is_violence_with_injury or offences.is_theft_from_motor_vehicle)
        and {{ in_months('monthly.month', read) }}
),

detections as (
    select
        monthly.borough_key,
        monthly.ward_key,
        monthly.month,
        monthly.outcome_month,
        {% for class, (condition, series, is_parent) in classes.items() -%}
        {#- outcomes are not known by the day of the offence -#}
        {{ 'false' if 'carnival' in class else condition }} as is_{{ class }},
        {% endfor -%}
        monthly.detected_offence_count,
        monthly.is_simulated
    from {{ ref('int_sanction_detections__monthly') }} as monthly
    inner join {{ ref('dim_offence') }} as offences on monthly.offence_key = offences.offence_key
    where
        (offences.is_violence_with_injury or offences.is_theft_from_motor_vehicle)
        and ({{ in_months('monthly.month', read) }} or {{ in_months('monthly.outcome_month', read) }})
),

of_class as (
    {% for class in classes -%}
    select
        borough_key,
        ward_key,
        month,
        '{{ class }}' as offence_class,
        sum(offence_count) as offences_as_recorded,
        0 as detected_by_offence_date,
        0 as detected_by_outcome_date,
        {{ any_true('is_simulated') }} as is_simulated
    from monthly
    where is_{{ class }}
    group by borough_key, ward_key, month
    union all
    select
        borough_key,
        ward_key,
        month,
        '{{ class }}' as offence_class,
        0 as offences_as_recorded,
        sum(detected_offence_count) as detected_by_offence_date,
        0 as detected_by_outcome_date,
        {{ any_true('is_simulated') }} as is_simulated
    from detections
    where
        is_{{ class }}
        and {{ in_months('month', read) }}
    group by borough_key, ward_key, month
    union all
    select
        borough_key,
        ward_key,
        outcome_month as month,
        '{{ class }}' as offence_class,
        0 as offences_as_recorded,
        0 as detected_by_offence_date,
        sum(detected_offence_count) as detected_by_outcome_date,
        {{ any_true('is_simulated') }} as is_simulated
    from detections
    where
        is_{{ class }}
        and {{ in_months('outcome_month', read) }}
    group by borough_key, ward_key, outcome_month
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

of_area as (
    {{ area_levels('of_class', keep=['month', 'offence_class', 'is_simulated'] + counted) }}
),

found as (
    select
        {{ area_columns() | join(', ') }},
        month,
        offence_class,
        {% for column in counted -%}
        sum({{ column }})::integer as {{ column }},
        {% endfor -%}
        {{ any_true('is_simulated') }} as is_simulated
    from of_area
    group by {{ area_columns() | join(', ') }}, month, offence_class
),

of_every_month as (
    {{ every_month(
        'found', class_columns=['offence_class'], measure='offences', feed='police_offences', also=counted[1:],
        months=read,
    ) }}
),

register (offence_class, series, is_parent, subject) as (
    values
    {%- for class, (condition, series, is_parent) in classes.items() %}
    ('{{ class }}', '{{ series }}', {{ is_parent }}, '{{ class | replace("_", " ") }}'){{ ',' if not loop.last }}
    {%- endfor %}
),

first_outcome as (
    select min(outcome_month) as month
    from {{ ref('int_sanction_detections__monthly') }}
),

counts as (
    select
        of_every_month.*,
        -- before the first outcome that was delivered nobody can say that there was none
        {% for basis in ['offence', 'outcome'] -%}
        case
            when
                of_every_month.month >= first_outcome.month
                and of_every_month.offence_class <> 'non_domestic_violence_with_injury_without_carnival'
                then of_every_month.detected_by_{{ basis }}_date
        end as sanction_detections_by_{{ basis }}_date,
        {% endfor -%}
        register.series,
        register.is_parent,
        register.subject
    from of_every_month
    inner join register on of_every_month.offence_class = register.offence_class
    cross join first_outcome
),

{{ compare_months(
    class_column='offence_class',
    measure='offences',
    subject_column='subject',
    also=['sanction_detections_by_offence_date', 'sanction_detections_by_outcome_date'],
    only=in_months('month', months),
) }}
