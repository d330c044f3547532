{{
    config(
        materialized='incremental',
        incremental_strategy='replace_changed_financial_years',
        on_schema_change='fail',
        indexes=[
            {'columns': ['borough_code', 'financial_year', 'priority_code'], 'unique': true},
            {'columns': ['build_id']},
        ],
        meta={
            'rebuilds': {
                'feeds': ['tmo_asb_cases'],
                'lookups': place_lookups(),
                'later_years': true,
            }
        },
    )
}}

with cases as (
    select
        *,
        coalesce(priority_code, 'Not known') as priority
    from {{ ref('fct_asb_case') }}
),

by_priority as (
    select
        cases.*,
        levels.priority_code as priority_level
    from cases
    cross join (values ('A'), ('B'), ('C'), ('Not known'), ('all')) as levels (priority_code)
    where levels.priority_code in (cases.priority, 'all')
),

years as (
    select
        financial_year,
        min(date) as first_day,
        max(date) as last_day
    from {{ ref('dim_date') }}
    group by financial_year
),

-- from the year of the first case to that of the last extract
years_held as (
    select years.*
    from years
    inner join {{ ref('int_partner_feeds__newest_months') }} as newest on newest.feed = 'tmo_asb_cases'
    where
        years.last_day >= (select min(cases.opened_date) from cases)
        and years.first_day <= newest.last_day
        {% if is_incremental() %}
        and years.financial_year in ({{ financial_years_since_change(['tmo_asb_cases'], place_lookups()) }})
        {% endif %}
),

measured as (
    select
        by_priority.borough_key,
        years_held.financial_year,
        by_priority.priority_level as priority_code,
        by_priority.opened_date between years_held.first_day and years_held.last_day as is_opened_in_year,
        coalesce(by_priority.closed_date between years_held.first_day and years_held.last_day, false)
            as is_closed_in_year,
        coalesce(by_priority.closed_date > years_held.last_day, true) as is_open_at_end,
        by_priority.days_to_assessment,
        by_priority.days_to_action,
        by_priority.days_open,
        by_priority.action_date,
        by_priority.closing_reason,
        by_priority.is_vulnerable_complainant,
        by_priority.is_simulated
    from by_priority
    inner join years_held
        on
            by_priority.opened_date <= years_held.last_day
            and (by_priority.closed_date is null or by_priority.closed_date >= years_held.first_day)
)

select
    boroughs.borough_code,
    boroughs.borough_name,
    measured.financial_year,
    measured.priority_code,
    {{ count_where('measured.is_opened_in_year') }} as cases_opened,
    {{ count_where('measured.is_opened_in_year and measured.is_vulnerable_complainant') }}
        as cases_opened_of_vulnerable,
    {{ count_where('measured.is_closed_in_year') }} as cases_closed,
    {{ count_where('measured.is_open_at_end') }} as cases_open_at_end,
    {{ median_where('measured.days_to_assessment', 'measured.is_opened_in_year') }} as median_days_to_assessment,
    {{ median_where('measured.days_to_action', 'measured.is_opened_in_year') }} as median_days_to_action,
    {{ median_where('measured.days_open', 'measured.is_closed_in_year') }} as median_days_open,
    (avg(case when measured.is_closed_in_year then measured.days_open end))::numeric(8, 1) as mean_days_open,
    {{ share_where('measured.action_date is not null', 'measured.is_closed_in_year') }} as closed_with_action_share,
    {{ share_where("measured.closing_reason = 'Resolved'", 'measured.is_closed_in_year') }} as closed_resolved_share,
    {{ share_where("measured.closing_reason = 'Complainant withdrew'", 'measured.is_closed_in_year') }}
        as closed_withdrawn_share,
    {{ share_where("measured.closing_reason = 'Legal action'", 'measured.is_closed_in_year') }}
        as closed_legal_action_share,
    {{ any_true('measured.is_simulated') }} as is_simulated,
    {{ build_id() }} as build_id
from measured
left join {{ ref('dim_borough') }} as boroughs on measured.borough_key = boroughs.borough_key
group by boroughs.borough_code, boroughs.borough_name, measured.financial_year, measured.priority_code
