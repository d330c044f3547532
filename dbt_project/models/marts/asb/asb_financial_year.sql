{{
    config(
        indexes=[
            {'columns': ['borough_code', 'financial_year'], 'unique': true},
        ],
    )
}}

with monthly as (
    select
        months.borough_code,
        months.borough_name,
        months.financial_year,
        months.month,
        months.asb_class,
        months.records_as_recorded,
        months.is_simulated,
        {{ feed_of_asb_class('months.asb_class') }} as feed
    from {{ ref('asb_monthly') }} as months
    where months.geography_type = 'borough'
),

years as (
    select
        monthly.borough_code,
        monthly.borough_name,
        monthly.financial_year,
        {{ financial_year_start('min(monthly.month)') }} as year_from,
        {{ count_where("monthly.asb_class = 'police_all' and monthly.month <= newest.newest_whole_month") }}
            as months_covered,
        {{ count_where("monthly.asb_class = 'landlord_all' and monthly.month <= newest.newest_whole_month") }}
            as months_covered_by_landlord,
        {{ count_where("monthly.asb_class = 'council_all' and monthly.month <= newest.newest_whole_month") }}
            as months_covered_by_council,
        {% for asb_class, name in {
            'police_all': 'asb_reports',
            'police_personal': 'asb_reports_personal',
            'police_nuisance': 'asb_reports_nuisance',
            'police_environmental': 'asb_reports_environmental',
            'landlord_all': 'landlord_cases_opened',
            'council_all': 'council_actions',
            'council_noise': 'noise_actions',
            'council_licensing': 'licensing_actions',
            'council_waste': 'waste_actions',
            'council_parks_police': 'parks_police_actions',
            'council_pspo_knightsbridge': 'pspo_actions',
            'community_police_team': 'community_police_team_actions',
        }.items() -%}
        -- NULL, and not 0, where the feed or the service did not exist in the year
        sum(case when monthly.asb_class = '{{ asb_class }}' then monthly.records_as_recorded end)::integer
            as {{ name }},
        {% endfor -%}
        {{ any_true('monthly.is_simulated') }} as is_simulated
    from monthly
    left join {{ ref('int_partner_feeds__newest_months') }} as newest on monthly.feed = newest.feed
    group by monthly.borough_code, monthly.borough_name, monthly.financial_year
),

callers as (
    select
        borough_code,
        financial_year,
        sum(calls)::integer as calls_of_repeat_callers
    from {{ ref('asb_repeat_caller_financial_year') }}
    group by borough_code, financial_year
),

victims as (
    select * from {{ ref('asb_victim_financial_year') }}
),

places as (
    select
        borough_code,
        financial_year,
        count(*)::integer as repeat_locations,
        {{ count_where('is_seen_by_several_agencies') }} as repeat_locations_of_several_agencies,
        {{ count_where('agencies = 3') }} as repeat_locations_of_all_agencies
    from {{ ref('asb_repeat_location') }}
    group by borough_code, financial_year
),

lives as (
    select
        borough_code,
        financial_year,
        cases_closed,
        cases_open_at_end,
        median_days_open
    from {{ ref('asb_case_life_financial_year') }}
    where priority_code = 'all'
),

actions as (
    select
        boroughs.borough_code,
        counts.financial_year,
        {% for power, name in {'Visit': 'noise_visits', 'Noise abatement notice': 'noise_abatement_notices'}.items() -%}
        sum(case when counts.power_used = '{{ power }}' then counts.record_count else 0 end)::integer as {{ name }},
        {% endfor -%}
        sum(case when counts.power_used like '%penalty notice' then counts.record_count else 0 end)::integer
            as penalty_notices,
        sum(counts.penalties_gbp)::numeric(12, 2) as penalties_gbp
    from {{ ref('int_asb__monthly_counts') }} as counts
    inner join {{ ref('dim_borough') }} as boroughs on counts.borough_key = boroughs.borough_key
    where counts.feed = 'council_enforcement_actions'
    group by boroughs.borough_code, counts.financial_year
),

taskings as (
    select
        borough_code,
        {{ financial_year('first_action_date') }} as financial_year,
        count(distinct tasking_id_council)::integer as taskings
    from {{ ref('asb_tasking') }}
    group by borough_code, {{ financial_year('first_action_date') }}
),

with_callers as (
    select
        years.*,
        victims.repeat_callers as asb_repeat_callers
    from years
    left join victims
        on
            years.borough_code = victims.borough_code
            and years.financial_year = victims.financial_year
),

changes as (
    {{ changes_between_years(['asb_police'], years_back=1, feed='police_asb_incidents') }}
)

select
    years.borough_code,
    years.borough_name,
    years.financial_year,
    years.months_covered,
    years.months_covered_by_landlord,
    years.months_covered_by_council,
    years.asb_reports,
    {{ change_on_year('asb_reports', 'last_year', 'changes') }}::numeric(9, 6) as asb_change_1y,
    {{ reason_of_no_change_on_year('asb_reports', 'last_year', 'changes') }} as asb_change_1y_reason,
    years.asb_reports_personal,
    years.asb_reports_nuisance,
    years.asb_reports_environmental,
    victims.calls_of_vulnerable_callers as asb_reports_of_vulnerable_callers,
    years.asb_repeat_callers,
    {{ change_on_year('asb_repeat_callers', 'last_year', 'changes') }}::numeric(9, 6) as asb_repeat_callers_change,
    {{ reason_of_no_change_on_year('asb_repeat_callers', 'last_year', 'changes') }} as asb_repeat_callers_change_reason,
    callers.calls_of_repeat_callers as asb_reports_of_repeat_callers,
    victims.vulnerable_repeat_callers as asb_repeat_callers_vulnerable,
    years.landlord_cases_opened,
    lives.cases_closed as landlord_cases_closed,
    lives.cases_open_at_end as landlord_cases_open_at_end,
    lives.median_days_open as landlord_median_days_open,
    victims.cases_of_vulnerable_complainants as landlord_cases_of_vulnerable,
    victims.repeat_complainants as landlord_repeat_victims,
    years.council_actions,
    years.noise_actions,
    actions.noise_visits,
    actions.noise_abatement_notices,
    years.licensing_actions,
    years.waste_actions,
    years.parks_police_actions,
    years.pspo_actions,
    years.community_police_team_actions,
    taskings.taskings as community_police_team_taskings,
    actions.penalty_notices,
    actions.penalties_gbp,
    places.repeat_locations,
    places.repeat_locations_of_several_agencies,
    places.repeat_locations_of_all_agencies,
    years.is_simulated,
    {{ build_id() }} as build_id
from with_callers as years
left join with_callers as last_year
    on
        years.borough_code = last_year.borough_code
        and {{ add_years('years.year_from', -1) }} = last_year.year_from
left join changes on {{ are_of_year('changes') }}
{% for part in ['callers', 'victims', 'places', 'lives', 'actions', 'taskings'] -%}
left join {{ part }}
    on
        years.borough_code = {{ part }}.borough_code
        and years.financial_year = {{ part }}.financial_year
{% endfor %}
