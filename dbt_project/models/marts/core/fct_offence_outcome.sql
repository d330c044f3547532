{{
    config(
        materialized='incremental',
        incremental_strategy='replace_changed_records',
        on_schema_change='fail',
        indexes=[
            {'columns': ['offence_outcome_key'], 'unique': true},
            {'columns': ['recorded_offence_key']},
            {'columns': ['month']},
            {'columns': ['outcome_month']},
            {'columns': ['build_id']},
        ],
    )
}}

with records as (
    select
        *,
        {{ surrogate_key(['offence_id_police']) }} as recorded_offence_key
    from {{ ref('stg_police__outcomes') }}
    {% if is_incremental() %}
    where
        offence_id_police in (
            {{ changed_records(['police_offences', 'police_outcomes'], 'offence_id_police', lookups=place_lookups()) }}
        )
    {% endif %}
),

-- all outcomes of an offence are built together, so which is the first can be told
ranked as (
    select
        *,
        row_number() over (
            partition by recorded_offence_key, is_sanction_detection
            order by outcome_date, outcome_number
        ) as place
    from records
)

select
    {{ surrogate_key(['records.offence_id_police', 'records.outcome_number']) }} as offence_outcome_key,
    records.recorded_offence_key,
    records.offence_id_police,
    records.outcome_number,
    records.accused_number,
    coalesce(outcomes.outcome_key, 0) as outcome_key,
    records.is_sanction_detection,
    records.is_sanction_detection and records.place = 1 as is_first_sanction_detection,
    records.outcome_date,
    coalesce(dates.date_key, 0) as outcome_date_key,
    records.period as outcome_month,
    offences.recorded_date,
    offences.month,
    coalesce(offences.offence_key, 0) as offence_key,
    coalesce(offences.borough_key, 0) as borough_key,
    coalesce(offences.ward_key, 0) as ward_key,
    offences.is_domestic_abuse,
    offences.is_hate_crime,
    offences.is_knife_used,
    offences.recorded_offence_key is not null as is_offence_held,
    records.delivery_id,
    records.is_simulated,
    {{ build_id() }} as build_id
from ranked as records
left join {{ ref('fct_offence') }} as offences on records.recorded_offence_key = offences.recorded_offence_key
left join {{ ref('dim_date') }} as dates on records.outcome_date = dates.date
left join {{ ref('int_police__outcomes') }} as outcomes
    on
        records.outcome_code = outcomes.outcome_code
        and records.outcome_name = outcomes.outcome_name
