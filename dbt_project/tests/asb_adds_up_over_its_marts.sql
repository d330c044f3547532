{{ config(meta={
    'meaning': 'Calls, cases or actions of a month in asb_monthly, or of a year in asb_financial_year, are not those of the facts.',
    'next_step': 'Build anew (`saferkc nightly --full-refresh`). If the difference stays, look for a borough or class that int_asb__monthly_counts or asb_monthly leaves out.',
}) }}

with years as (
    -- those that were written since the last published build
    select distinct financial_year
    from {{ ref('int_asb__monthly_counts') }}
    where build_id > {{ newest_build('published') }}
),

months as (
    select
        dates.month,
        dates.financial_year
    from {{ ref('dim_date') }} as dates
    inner join years on dates.financial_year = years.financial_year
    where dates.date = dates.month
),

in_facts as (
    {% for fact, measure in {
        'fct_asb_incident': 'asb_reports',
        'fct_asb_case': 'landlord_cases_opened',
        'fct_enforcement_action': 'council_actions',
    }.items() -%}
    select
        '{{ measure }}' as measure,
        months.financial_year,
        count(*) as records
    from {{ ref(fact) }} as facts
    inner join months on facts.month = months.month
    group by months.financial_year
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

in_months as (
    select
        case asb_class
            when 'police_all' then 'asb_reports'
            when 'landlord_all' then 'landlord_cases_opened'
            else 'council_actions'
        end as measure,
        financial_year,
        sum(records_as_recorded) as records
    from {{ ref('asb_monthly') }}
    where
        geography_type = 'borough'
        and asb_class in ('police_all', 'landlord_all', 'council_all')
    group by asb_class, financial_year
),

in_years as (
    {% for measure in ['asb_reports', 'landlord_cases_opened', 'council_actions'] -%}
    select
        '{{ measure }}' as measure,
        financial_year,
        sum({{ measure }}) as records
    from {{ ref('asb_financial_year') }}
    group by financial_year
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    in_facts.measure,
    in_facts.financial_year,
    in_facts.records as records_in_fact,
    in_months.records as records_in_months,
    in_years.records as records_in_years
from in_facts
left join in_months
    on
        in_facts.measure = in_months.measure
        and in_facts.financial_year = in_months.financial_year
left join in_years
    on
        in_facts.measure = in_years.measure
        and in_facts.financial_year = in_years.financial_year
where
    in_facts.records is distinct from in_months.records
    or in_facts.records is distinct from in_years.records
