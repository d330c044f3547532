{{
    config(
        materialized='incremental',
        incremental_strategy='replace_changed_financial_years',
        on_schema_change='fail',
        indexes=[
            {'columns': ['borough_code', 'financial_year', 'power_used'], 'unique': true},
            {'columns': ['build_id']},
        ],
        meta={
            'rebuilds': {
                'feeds': ['council_enforcement_actions'],
                'lookups': place_lookups(),
            }
        },
    )
}}

with actions as (
    select
        facts.*,
        {{ financial_year('facts.month') }} as financial_year,
        dates.is_weekend,
        hours.time_band_name
    from {{ ref('fct_enforcement_action') }} as facts
    inner join {{ ref('dim_agency') }} as agencies on facts.agency_key = agencies.agency_key
    left join {{ ref('dim_date') }} as dates on facts.action_date_key = dates.date_key
    left join {{ ref('dim_time_band') }} as hours on facts.action_time_band_key = hours.time_band_key
    where
        agencies.agency_code = 'council_pspo_knightsbridge'
        {% if is_incremental() %}
        and facts.month in ({{ months_of_changed_financial_years(['council_enforcement_actions'], place_lookups()) }})
        {% endif %}
)

select
    boroughs.borough_code,
    boroughs.borough_name,
    actions.financial_year,
    actions.power_used,
    count(*)::integer as actions,
    count(distinct actions.subject_token)::integer as known_subjects,
    (count(actions.subject_token) - count(distinct actions.subject_token))::integer as actions_on_known_subjects_again,
    {{ share_where("actions.time_band_name in ('Evening', 'Night')") }} as evening_and_night_share,
    {{ share_where('actions.is_weekend') }} as weekend_share,
    sum(actions.penalty_gbp)::numeric(12, 2) as penalties_gbp,
    {{ count_where("actions.outcome_name = 'Penalty paid'") }} as penalties_paid,
    {{ count_where("actions.outcome_name = 'Penalty unpaid'") }} as penalties_unpaid,
    {{ count_where('actions.outcome_name is null') }} as without_outcome_yet,
    {{ any_true('actions.is_simulated') }} as is_simulated,
    {{ build_id() }} as build_id
from actions
left join {{ ref('dim_borough') }} as boroughs on actions.borough_key = boroughs.borough_key
group by boroughs.borough_code, boroughs.borough_name, actions.financial_year, actions.power_used
