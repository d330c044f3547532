{{
    config(
        materialized='incremental',
        incremental_strategy='replace_changed_financial_years',
        on_schema_change='fail',
        indexes=[{'columns': ['financial_year']}, {'columns': ['build_id']}],
        meta={
            'rebuilds': {
                'feeds': ['police_offences'],
                'lookups': place_lookups(),
                'people': ['police_victims', 'police_accused'],
            }
        },
    )
}}

{#- violence of the kinds that the borough's definition names; domestic abuse is another priority -#}
{%- set condition = 'people.is_domestic_abuse is not true and (offences.is_serious_violence or people.is_knife_used'
    ~ ' or people.is_knife_threatened or people.is_firearm)' -%}

-- depends_on: {{ ref('fct_offence') }} (which years a night changes is told by it)
with victims as (
    {{ people_of_offences('victim', condition, offence_columns=['is_serious_violence', 'is_robbery']) }}
),

accused as (
    {{ people_of_offences('accused', condition, offence_columns=['is_serious_violence', 'is_robbery']) }}
),

both_sides as (
    select * from victims
    union all
    select * from accused
)

select
    role,
    recorded_offence_key,
    person_token,
    month,
    financial_year,
    borough_key,
    ward_key,
    is_serious_violence,
    is_robbery,
    coalesce(is_knife_used, false) as is_knife_used,
    coalesce(is_knife_threatened, false) as is_knife_threatened,
    coalesce(is_firearm, false) as is_firearm,
    coalesce(is_on_carnival_day, false) as is_on_carnival_day,
    age,
    -- whether a young person was part of the offence is for those who read this to ask
    age <= 25 as is_25_and_under,
    age_band,
    sex,
    ethnic_appearance,
    residence,
    relationship,
    injury_degree,
    is_simulated,
    {{ build_id() }} as build_id
from both_sides
