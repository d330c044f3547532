{{
    config(
        materialized='incremental',
        incremental_strategy='replace_compared_months',
        on_schema_change='fail',
        indexes=[
            {'columns': ['geography_code', 'victim_class', 'month'], 'unique': true},
            {'columns': ['build_id']},
        ],
        meta={
            'rebuilds': {
                'feeds': ['police_offences'],
                'lookups': place_lookups(),
                'people': ['police_victims'],
                'looks_back': true,
                'newest': ['police_victims'],
                'class': 'victim_class',
                'counts': ['victim_count', 'victims_not_identified_count'],
            }
        },
    )
}}
{%- set months = months_to_write() -%}
{%- set read = with_year_before(months) -%}

-- depends_on: {{ ref('fct_offence') }} (which months a night changes is told by it)
with victims_of_month as (
    select
        borough_key,
        month,
        victim_token,
        count(*) as victim_records,
        {{ any_true('is_simulated') }} as is_simulated
    from {{ ref('fct_offence_victim') }}
    where
        is_domestic_abuse
        and is_offence_held
        and {{ in_months('month', read) }}
    group by borough_key, month, victim_token
),

identified as (
    select distinct victim_token
    from victims_of_month
    where victim_token is not null
),

-- whatever crime these people suffered, in which month
crimes_suffered as (
    select
        suffered.victim_token,
        suffered.month,
        coalesce({{ any_true('suffered.is_domestic_abuse') }}, false) as is_domestic_abuse
    from {{ ref('fct_offence_victim') }} as suffered
    inner join identified on suffered.victim_token = identified.victim_token
    where
        suffered.is_offence_held
        and {{ in_months('suffered.month', with_months_before(read)) }}
    group by suffered.victim_token, suffered.month
),

-- the twelve months before the month; what happened within the month itself is no earlier crime
with_earlier_crimes as (
    select
        victims_of_month.borough_key,
        victims_of_month.month,
        victims_of_month.victim_token,
        victims_of_month.victim_records,
        victims_of_month.is_simulated,
        count(crimes_suffered.month) > 0 as is_repeat,
        coalesce({{ any_true('crimes_suffered.is_domestic_abuse') }}, false) as is_repeat_of_domestic_abuse
    from victims_of_month
    left join crimes_suffered
        on
            victims_of_month.victim_token = crimes_suffered.victim_token
            and victims_of_month.month > crimes_suffered.month
            and {{ add_years('victims_of_month.month', -1) }} <= crimes_suffered.month
    group by
        victims_of_month.borough_key, victims_of_month.month, victims_of_month.victim_token,
        victims_of_month.victim_records, victims_of_month.is_simulated
),

months as (
    select
        borough_key,
        month,
        count(victim_token)::integer as victim_count,
        sum(case when victim_token is null then victim_records else 0 end)::integer as victims_not_identified_count,
        sum(case when is_repeat then 1 else 0 end)::integer as repeat_victim_count,
        sum(case when is_repeat_of_domestic_abuse then 1 else 0 end)::integer
            as repeat_victim_of_domestic_abuse_count,
        {{ any_true('is_simulated') }} as is_simulated
    from with_earlier_crimes
    group by borough_key, month
),

history as (
    select
        borough_key,
        min(month) as first_month
    from {{ ref('int_offences__wards_monthly') }}
    group by borough_key
),

judged as (
    select
        months.*,
        {{ add_years('months.month', -1) }} >= history.first_month as has_whole_year_before
    from months
    inner join history on months.borough_key = history.borough_key
),

counts as (
    select
        'borough' as geography_type,
        boroughs.borough_code as geography_code,
        boroughs.borough_name as geography_name,
        boroughs.borough_code,
        boroughs.borough_name,
        null::text as ward_code,
        null::text as ward_name,
        judged.month,
        'domestic_abuse' as victim_class,
        'domestic_abuse' as series,
        true as is_parent,
        'police_victims' as feed,
        judged.victim_count,
        judged.victims_not_identified_count,
        -- with less than a year before it nobody can say who is a repeat victim
        case when judged.has_whole_year_before then judged.repeat_victim_count end as repeat_victims_as_recorded,
        case when judged.has_whole_year_before then judged.repeat_victim_of_domestic_abuse_count end
            as repeat_victims_of_domestic_abuse_count,
        (
            case
                when judged.has_whole_year_before and judged.victim_count > 0
                    then judged.repeat_victim_count::numeric / judged.victim_count
            end
        )::numeric(20, 10) as repeat_victim_share,
        judged.is_simulated
    from judged
    inner join {{ ref('dim_borough') }} as boroughs on judged.borough_key = boroughs.borough_key
    where judged.borough_key not in ({{ unknown_key() }}, {{ not_applicable_key() }})
),

{{ compare_months(
    class_column='victim_class',
    measure='repeat_victims',
    subject='repeat victims of domestic abuse',
    also=[
        'victim_count', 'victims_not_identified_count', 'repeat_victims_of_domestic_abuse_count',
        'repeat_victim_share',
    ],
    only=in_months('month', months),
) }}
