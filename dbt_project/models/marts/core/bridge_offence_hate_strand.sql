{{
    config(
        materialized='incremental',
        incremental_strategy='replace_changed_records',
        on_schema_change='fail',
        indexes=[
            {'columns': ['recorded_offence_key', 'hate_strand_name'], 'unique': true},
            {'columns': ['build_id']},
        ],
    )
}}

with hate_crimes as (
    select * from {{ ref('fct_offence') }}
    where
        is_hate_crime
        {% if is_incremental() %}
        and recorded_offence_key in (
            select {{ surrogate_key(['changed.offence_id_police']) }}
            from (
                {{ changed_records(['police_offences'], 'offence_id_police', lookups=place_lookups()) }}
            ) as changed
        )
        {% endif %}
),

flagged as (
    select
        recorded_offence_key,
        'Race' as hate_strand_name,
        month,
        delivery_id,
        is_simulated
    from hate_crimes
    where is_hate_race
    union all
    select
        recorded_offence_key,
        'Faith' as hate_strand_name,
        month,
        delivery_id,
        is_simulated
    from hate_crimes
    where is_hate_faith
    union all
    select
        recorded_offence_key,
        'Sexual orientation' as hate_strand_name,
        month,
        delivery_id,
        is_simulated
    from hate_crimes
    where is_hate_sexual_orientation
    union all
    select
        recorded_offence_key,
        'Transgender' as hate_strand_name,
        month,
        delivery_id,
        is_simulated
    from hate_crimes
    where is_hate_transgender
    union all
    select
        recorded_offence_key,
        'Disability' as hate_strand_name,
        month,
        delivery_id,
        is_simulated
    from hate_crimes
    where is_hate_disability
)

select
    recorded_offence_key,
    hate_strand_name,
    month,
    delivery_id,
    is_simulated,
    {{ build_id() }} as build_id
from flagged
