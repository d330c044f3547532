{{
    config(
        materialized='incremental',
        incremental_strategy='replace_changed_months',
        on_schema_change='fail',
        indexes=[{'columns': ['month']}, {'columns': ['build_id']}],
        meta={
            'rebuilds': {
                'feeds': ['police_asb_incidents', 'tmo_asb_cases', 'council_enforcement_actions'],
                'lookups': place_lookups(),
            }
        },
    )
}}

with calls as (
    select
        'police_asb_incidents' as feed,
        case asb_type_comparable
            when 'Personal' then 'police_personal'
            when 'Nuisance' then 'police_nuisance'
            when 'Environmental' then 'police_environmental'
            else 'police_not_known'
        end as asb_class,
        null as power_used,
        month,
        borough_key,
        ward_key,
        is_vulnerable_caller as is_vulnerable,
        null::numeric as penalty_gbp,
        is_simulated
    from {{ ref('fct_asb_incident') }}
),

cases as (
    select
        'tmo_asb_cases' as feed,
        'landlord_priority_' || coalesce(lower(priority_code), 'not_known') as asb_class,
        null as power_used,
        month,
        borough_key,
        ward_key,
        is_vulnerable_complainant as is_vulnerable,
        null::numeric as penalty_gbp,
        is_simulated
    from {{ ref('fct_asb_case') }}
),

actions as (
    select
        'council_enforcement_actions' as feed,
        case when agencies.agency_key = 0 then 'council_unlisted' else agencies.agency_code end as asb_class,
        facts.power_used,
        facts.month,
        facts.borough_key,
        facts.ward_key,
        null::boolean as is_vulnerable,
        facts.penalty_gbp,
        facts.is_simulated
    from {{ ref('fct_enforcement_action') }} as facts
    left join {{ ref('dim_agency') }} as agencies on facts.agency_key = agencies.agency_key
),

records as (
    select * from calls
    union all
    select * from cases
    union all
    select * from actions
)

select
    records.feed,
    records.asb_class,
    records.power_used,
    records.month,
    dates.financial_year,
    records.borough_key,
    records.ward_key,
    count(*)::integer as record_count,
    {{ count_where('records.is_vulnerable') }} as vulnerable_count,
    sum(records.penalty_gbp)::numeric(12, 2) as penalties_gbp,
    {{ any_true('records.is_simulated') }} as is_simulated,
    {{ build_id() }} as build_id
from records
-- a day outside of dim_date is a slip of the pen, and in no month that anybody draws
inner join {{ ref('dim_date') }} as dates on records.month = dates.date
{% if is_incremental() %}
where
    records.month in (
        {{ changed_months(
            ['police_asb_incidents', 'tmo_asb_cases', 'council_enforcement_actions'],
            lookups=place_lookups(),
        ) }}
    )
{% endif %}
group by
    records.feed,
    records.asb_class,
    records.power_used,
    records.month,
    dates.financial_year,
    records.borough_key,
    records.ward_key
