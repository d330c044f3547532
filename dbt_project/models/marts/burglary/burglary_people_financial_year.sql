{{
    config(
        materialized='incremental',
        incremental_strategy='replace_changed_financial_years',
        on_schema_change='fail',
        indexes=[
            {
                'columns': ['borough_code', 'financial_year', 'role', 'characteristic', 'characteristic_value'],
                'unique': true,
            },
            {'columns': ['build_id']},
        ],
    )
}}

-- depends_on: {{ ref('fct_offence') }} (which years a night changes is told by it)
with victims as (
    {{ people_of_offences('victim', 'offences.is_burglary') }}
),

accused as (
    {{ people_of_offences('accused', 'offences.is_burglary') }}
),

people as (
    select *
    from victims
    union all
    select *
    from accused
),

distributions as (
    {{ people_by_characteristic(
        'people',
        groups=['borough_key', 'financial_year', 'role'],
        characteristics=['sex', 'age_band', 'ethnic_appearance', 'residence', 'relationship'],
    ) }}
)

select
    boroughs.borough_code,
    boroughs.borough_name,
    distributions.financial_year,
    distributions.role,
    distributions.characteristic,
    distributions.characteristic_value,
    distributions.people_count,
    distributions.different_people_count,
    {{ share_of_group('distributions', ['borough_key', 'financial_year', 'role']) }} as share_of_people,
    distributions.mean_age,
    distributions.is_simulated,
    {{ build_id() }} as build_id
from distributions
inner join {{ ref('dim_borough') }} as boroughs on distributions.borough_key = boroughs.borough_key
