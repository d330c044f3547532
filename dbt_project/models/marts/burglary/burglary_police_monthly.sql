{{
    config(
        materialized='incremental',
        incremental_strategy='replace_compared_months',
        on_schema_change='fail',
        indexes=[
            {'columns': ['geography_type', 'geography_code', 'burglary_class', 'month'], 'unique': true},
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
                'class': 'burglary_class',
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

{%- set definitions = ['as_recorded', 'old_definition', 'new_definition'] -%}
{#- in the order of the columns of the CTE of_class -#}
{%- set bases = ['offence', 'outcome'] -%}
{%- set counted = [
    'offences_as_recorded', 'offences_old_definition', 'offences_new_definition', 'offences_of_class_not_known',
    'walk_in_offences_as_recorded', 'walk_in_offences_old_definition', 'walk_in_offences_new_definition',
    'detected_by_offence_date', 'detected_by_outcome_date',
] -%}

-- depends_on: {{ ref('fct_offence') }}, {{ ref('fct_offence_outcome') }} (which months a night changes is told by them)
with burglaries as (
    select
        monthly.borough_key,
        monthly.ward_key,
        monthly.month,
        offences.burglary_class as class_as_recorded,
        {{ burglary_class_old_definition('offences.burglary_class', 'monthly.month', 'places.location_group_name') }}
            as class_old_definition,
        {{ burglary_class_new_definition('offences.burglary_class', 'monthly.month', 'places.location_group_name') }}
            as class_new_definition,
        coalesce(monthly.is_walk_in_entry, false) as is_walk_in_entry,
        monthly.offence_count,
        monthly.is_simulated
    from {{ ref('int_offences__monthly') }} as monthly
    inner join {{ ref('dim_offence') }} as offences on monthly.offence_key = offences.offence_key
    inner join {{ ref('dim_location_type') }} as places on monthly.location_type_key = places.location_type_key
    where
        offences.is_burglary
        and {{ in_months('monthly.month', read) }}
),

detections as (
    select
        monthly.borough_key,
        monthly.ward_key,
        monthly.month,
        monthly.outcome_month,
        offences.burglary_class as class_as_recorded,
        monthly.detected_offence_count,
        monthly.is_simulated
    from {{ ref('int_sanction_detections__monthly') }} as monthly
    inner join {{ ref('dim_offence') }} as offences on monthly.offence_key = offences.offence_key
    where
        offences.is_burglary
        and ({{ in_months('monthly.month', read) }} or {{ in_months('monthly.outcome_month', read) }})
),

classes (burglary_class) as (
    values ('all'), ('residential'), ('business_and_community')
),

-- a burglary label that is new to us counts in all burglary, and in neither class, until it is listed
of_class as (
    select
        burglaries.borough_key,
        burglaries.ward_key,
        burglaries.month,
        classes.burglary_class,
        {% for definition in definitions -%}
        sum(
            case
                when classes.burglary_class in ('all', burglaries.class_{{ definition }})
                    then burglaries.offence_count
                else 0
            end
        ) as offences_{{ definition }},
        {% endfor -%}
        sum(
            case
                when
                    classes.burglary_class <> 'all'
                    and 'not_known' in (burglaries.class_old_definition, burglaries.class_new_definition)
                    then burglaries.offence_count
                else 0
            end
        ) as offences_of_class_not_known,
        {% for definition in definitions -%}
        sum(
            case
                when
                    burglaries.is_walk_in_entry
                    and classes.burglary_class in ('all', burglaries.class_{{ definition }})
                    then burglaries.offence_count
                else 0
            end
        ) as walk_in_offences_{{ definition }},
        {% endfor -%}
        0 as detected_by_offence_date,
        0 as detected_by_outcome_date,
        {{ any_true('burglaries.is_simulated') }} as is_simulated
    from burglaries
    cross join classes
    group by burglaries.borough_key, burglaries.ward_key, burglaries.month, classes.burglary_class
    {% for basis, month in [('offence', 'month'), ('outcome', 'outcome_month')] -%}
    union all
    select
        detections.borough_key,
        detections.ward_key,
        detections.{{ month }}{{ ' as month' if month != 'month' }},
        classes.burglary_class,
        {% for column in counted[:7] -%}
        0 as {{ column }},
        {% endfor -%}
        {% for other in bases -%}
        {{ 'sum(detections.detected_offence_count)' if other == basis else '0' }} as detected_by_{{ other }}_date,
        {% endfor -%}
        {{ any_true('detections.is_simulated') }} as is_simulated
    from detections
    inner join classes on classes.burglary_class in ('all', detections.class_as_recorded)
    where {{ in_months('detections.' ~ month, read) }}
    group by detections.borough_key, detections.ward_key, detections.{{ month }}, classes.burglary_class
    {% endfor %}
),

of_area as (
    {{ area_levels('of_class', keep=['month', 'burglary_class', 'is_simulated'] + counted) }}
),

found as (
    select
        {{ area_columns() | join(', ') }},
        month,
        burglary_class,
        {% for column in counted -%}
        sum({{ column }})::integer as {{ column }},
        {% endfor -%}
        {{ any_true('is_simulated') }} as is_simulated
    from of_area
    group by {{ area_columns() | join(', ') }}, month, burglary_class
),

of_every_month as (
    {{ every_month(
        'found', class_columns=['burglary_class'], measure='offences', feed='police_offences', also=counted[1:],
        months=read,
    ) }}
),

first_outcome as (
    select min(outcome_month) as month
    from {{ ref('int_sanction_detections__monthly') }}
),

counts as (
    select
        of_every_month.*,
        -- before the first outcome that was delivered nobody can say that there was none
        {% for basis in bases -%}
        case when of_every_month.month >= first_outcome.month then of_every_month.detected_by_{{ basis }}_date end
            as sanction_detections_by_{{ basis }}_date,
        {% endfor -%}
        case when of_every_month.offences_of_class_not_known = 0 then of_every_month.offences_new_definition end
            as offences_by_the_rule_of_today,
        'burglary' as series,
        of_every_month.burglary_class = 'all' as is_parent
    from of_every_month
    cross join first_outcome
),

{{ compare_months(
    class_column='burglary_class',
    measure='offences',
    subject='burglary',
    whole='All burglary',
    restated='offences_by_the_rule_of_today',
    restated_over='burglary_2017',
    also=counted[1:7] + ['sanction_detections_by_offence_date', 'sanction_detections_by_outcome_date'],
    only=in_months('month', months),
) }}
