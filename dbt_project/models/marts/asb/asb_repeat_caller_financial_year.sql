{{
    config(
        materialized='incremental',
        incremental_strategy='replace_changed_financial_years',
        on_schema_change='fail',
        indexes=[
            {'columns': ['borough_code', 'financial_year', 'caller_token'], 'unique': true},
            {'columns': ['build_id']},
        ],
    )
}}

with incidents as (
    select facts.*
    from {{ ref('fct_asb_incident') }} as facts
    where
        -- a withheld number is nobody's
        facts.caller_token is not null
        {% if is_incremental() %}
        and facts.month in ({{ months_of_changed_financial_years(['police_asb_incidents'], place_lookups()) }})
        {% endif %}
),

callers as (
    select
        incidents.borough_key,
        dates.financial_year,
        incidents.caller_token,
        count(*)::integer as calls,
        count(distinct incidents.ward_key)::integer as wards,
        count(distinct coalesce(incidents.premises_token, incidents.address_token))::integer as known_places,
        {{ count_where("incidents.asb_type_comparable = 'Personal'") }} as personal_calls,
        min(incidents.reported_date) as first_call_date,
        max(incidents.reported_date) as last_call_date,
        coalesce({{ any_true('incidents.is_vulnerable_caller') }}, false) as is_vulnerable_caller,
        {{ any_true('incidents.is_simulated') }} as is_simulated
    from incidents
    inner join {{ ref('dim_date') }} as dates on incidents.month = dates.date
    group by incidents.borough_key, dates.financial_year, incidents.caller_token
    having count(*) >= 2
)

select
    boroughs.borough_code,
    boroughs.borough_name,
    callers.financial_year,
    callers.caller_token,
    callers.calls,
    callers.wards,
    callers.known_places,
    callers.personal_calls,
    callers.first_call_date,
    callers.last_call_date,
    callers.is_vulnerable_caller,
    callers.is_simulated,
    {{ build_id() }} as build_id
from callers
left join {{ ref('dim_borough') }} as boroughs on callers.borough_key = boroughs.borough_key
