{{
    config(
        materialized='incremental',
        incremental_strategy='replace_compared_months',
        on_schema_change='fail',
        indexes=[
            {'columns': ['geography_type', 'geography_code', 'repeat_of', 'month'], 'unique': true},
            {'columns': ['borough_code', 'month']},
            {'columns': ['month']},
            {'columns': ['build_id']},
        ],
        meta={
            'rebuilds': {
                'feeds': ['police_offences'],
                'lookups': place_lookups(),
                'people': ['police_victims'],
                'looks_back': true,
                'follows': 'int_burglary__premises',
                'newest': ['police_victims'],
                'class': 'repeat_of',
                'counts': ['burgled_count'],
            }
        },
    )
}}
{%- set months = months_to_write() -%}
{%- set read = with_year_before(months) -%}

-- depends_on: {{ ref('fct_offence') }} (which months a night changes is told by it)
with victims as (
    select
        people.borough_key,
        people.ward_key,
        people.month,
        people.recorded_date,
        people.victim_token,
        people.is_simulated
    from {{ ref('fct_offence_victim') }} as people
    inner join {{ ref('dim_offence') }} as offences on people.offence_key = offences.offence_key
    where
        offences.is_burglary
        and people.is_offence_held
        and people.victim_token is not null
        and {{ in_months('people.month', with_months_before(read)) }}
),

victims_with_earlier as (
    select
        *,
        count(*) over (
            partition by victim_token
            order by recorded_date
            range between interval '1 year' preceding and interval '1 day' preceding
        ) > 0 as is_repeat
    from victims
),

burgled as (
    select
        borough_key,
        ward_key,
        month,
        'victim' as repeat_of,
        victim_token as token,
        is_repeat,
        is_simulated
    from victims_with_earlier
    where {{ in_months('month', read) }}
    union all
    select
        borough_key,
        ward_key,
        month,
        'premises' as repeat_of,
        premises_token as token,
        burglaries_in_previous_12_months > 0 as is_repeat,
        is_simulated
    from {{ ref('int_burglary__premises') }}
    where {{ in_months('month', read) }}
),

of_area as (
    {{ area_levels('burgled', keep=['month', 'repeat_of', 'token', 'is_repeat', 'is_simulated']) }}
),

-- one who was burgled twice in a month is one victim of that month
found as (
    select
        {{ area_columns() | join(', ') }},
        month,
        repeat_of,
        count(distinct case when is_repeat then token end)::integer as repeats_as_recorded,
        count(distinct token)::integer as burgled_count,
        {{ any_true('is_simulated') }} as is_simulated
    from of_area
    group by {{ area_columns() | join(', ') }}, month, repeat_of
),

of_every_month as (
    {{ every_month(
        'found', class_columns=['repeat_of'], measure='repeats', feed='police_victims', also=['burgled_count'],
        months=read,
    ) }}
),

history as (
    select min(month) as first_month
    from {{ ref('int_offences__monthly') }}
),

counts as (
    select
        {{ area_columns() | join(', ') }},
        of_every_month.month,
        of_every_month.repeat_of,
        'burglary' as series,
        true as is_parent,
        of_every_month.feed,
        -- with less than a year before it nobody can say who was burgled before
        case
            when {{ add_years('of_every_month.month', -1) }} >= history.first_month
                then of_every_month.repeats_as_recorded
        end as repeats_as_recorded,
        of_every_month.burgled_count,
        (
            case
                when
                    {{ add_years('of_every_month.month', -1) }} >= history.first_month
                    and of_every_month.burgled_count > 0
                    then of_every_month.repeats_as_recorded::numeric / of_every_month.burgled_count
            end
        )::numeric(20, 10) as repeat_share,
        of_every_month.is_simulated
    from of_every_month
    cross join history
),

{{ compare_months(
    class_column='repeat_of', measure='repeats', subject='repeat burglary', also=['burgled_count', 'repeat_share'],
    only=in_months('month', months),
) }}
