{{
    config(
        materialized='incremental',
        incremental_strategy='replace_changed_financial_years',
        on_schema_change='fail',
        indexes=[
            {'columns': ['borough_code', 'financial_year'], 'unique': true},
            {'columns': ['build_id']},
        ],
        meta={
            'rebuilds': {
                'feeds': ['police_asb_incidents', 'tmo_asb_cases'],
                'lookups': place_lookups(),
                'later_years': true,
            }
        },
    )
}}

{%- set condition = 'true' -%}
{%- if execute and is_incremental() -%}
{%- set years = financial_years_since_change(['police_asb_incidents', 'tmo_asb_cases'], place_lookups()) -%}
{%- set condition = 'financial_year in (' ~ years ~ ')' -%}
{%- endif %}

-- depends_on: {{ ref('int_partner_feeds__newest_months') }} (to which the years reach)
with cases as (
    select
        borough_key,
        {{ financial_year('month') }} as financial_year,
        complainant_token,
        coalesce(is_vulnerable_complainant, false) as is_vulnerable,
        coalesce(
            complainant_token is not null
            and opened_date - lag(opened_date) over (
                partition by complainant_token order by opened_date, case_id_tmo
            ) <= 365,
            false
        ) as is_repeat,
        is_simulated
    from {{ ref('fct_asb_case') }}
),

complainants as (
    select
        borough_key,
        financial_year,
        count(*)::integer as cases_opened,
        count(distinct complainant_token)::integer as known_complainants,
        {{ count_where('is_repeat') }} as cases_of_repeat_complainants,
        count(distinct case when is_repeat then complainant_token end)::integer as repeat_complainants,
        {{ count_where('is_vulnerable') }} as cases_of_vulnerable_complainants,
        count(distinct case when is_vulnerable then complainant_token end)::integer as vulnerable_complainants,
        count(distinct case when is_repeat and is_vulnerable then complainant_token end)::integer
            as vulnerable_repeat_complainants,
        {{ any_true('is_simulated') }} as is_simulated
    from cases
    where {{ condition }}
    group by borough_key, financial_year
),

callers as (
    select
        borough_key,
        financial_year,
        sum(record_count)::integer as calls,
        sum(vulnerable_count)::integer as calls_of_vulnerable_callers,
        {{ any_true('is_simulated') }} as is_simulated
    from {{ ref('int_asb__monthly_counts') }}
    where
        feed = 'police_asb_incidents'
        and {{ condition }}
    group by borough_key, financial_year
),

repeat_callers as (
    select
        borough_code,
        financial_year,
        count(*)::integer as repeat_callers,
        {{ count_where('is_vulnerable_caller') }} as vulnerable_repeat_callers
    from {{ ref('asb_repeat_caller_financial_year') }}
    group by borough_code, financial_year
),

borough_years as (
    select
        borough_key,
        financial_year
    from complainants
    union
    select
        borough_key,
        financial_year
    from callers
)

select
    boroughs.borough_code,
    boroughs.borough_name,
    borough_years.financial_year,
    callers.calls,
    case when callers.calls is not null then coalesce(repeat_callers.repeat_callers, 0) end as repeat_callers,
    callers.calls_of_vulnerable_callers,
    case when callers.calls is not null then coalesce(repeat_callers.vulnerable_repeat_callers, 0) end
        as vulnerable_repeat_callers,
    complainants.cases_opened,
    complainants.known_complainants,
    complainants.cases_of_repeat_complainants,
    complainants.repeat_complainants,
    complainants.cases_of_vulnerable_complainants,
    complainants.vulnerable_complainants,
    complainants.vulnerable_repeat_complainants,
    coalesce(callers.is_simulated, false) or coalesce(complainants.is_simulated, false) as is_simulated,
    {{ build_id() }} as build_id
from borough_years
left join {{ ref('dim_borough') }} as boroughs on borough_years.borough_key = boroughs.borough_key
left join callers
    on
        borough_years.borough_key = callers.borough_key
        and borough_years.financial_year = callers.financial_year
left join complainants
    on
        borough_years.borough_key = complainants.borough_key
        and borough_years.financial_year = complainants.financial_year
left join repeat_callers
    on
        boroughs.borough_code = repeat_callers.borough_code
        and borough_years.financial_year = repeat_callers.financial_year
