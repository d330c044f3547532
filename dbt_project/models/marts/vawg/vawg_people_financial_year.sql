{{
    config(
        materialized='incremental',
        incremental_strategy='replace_changed_financial_years',
        on_schema_change='fail',
        indexes=[
            {
                'columns': [
                    'borough_code', 'financial_year', 'vawg_class', 'role', 'characteristic', 'characteristic_value',
                ],
                'unique': true,
            },
            {'columns': ['build_id']},
        ],
    )
}}

{%- set condition = 'people.is_domestic_abuse or offences.is_sexual_offence' -%}

-- depends_on: {{ ref('fct_offence') }} (which years a night changes is told by it)
with victims as (
    {{ people_of_offences('victim', condition, offence_columns=['is_sexual_offence']) }}
),

accused as (
    {{ people_of_offences('accused', condition, offence_columns=['is_sexual_offence']) }}
),

concerned as (
    select * from victims
    union all
    select * from accused
),

-- domestic abuse that is a sexual offence is in both
people as (
    select
        *,
        'domestic_abuse' as vawg_class
    from concerned
    where is_domestic_abuse
    union all
    select
        *,
        'sexual_offences' as vawg_class
    from concerned
    where is_sexual_offence
),

distributions as (
    {{ people_by_characteristic(
        'people',
        groups=['borough_key', 'financial_year', 'vawg_class', 'role'],
        characteristics=['sex', 'age_band', 'ethnic_appearance', 'residence', 'relationship', 'injury_degree'],
    ) }}
)

select
    boroughs.borough_code,
    boroughs.borough_name,
    distributions.financial_year,
    distributions.vawg_class,
    distributions.role,
    distributions.characteristic,
    distributions.characteristic_value,
    distributions.people_count,
    distributions.different_people_count,
    {{ share_of_group('distributions', ['borough_key', 'financial_year', 'vawg_class', 'role']) }} as share_of_people,
    distributions.mean_age,
    distributions.is_simulated,
    {{ build_id() }} as build_id
from distributions
inner join {{ ref('dim_borough') }} as boroughs on distributions.borough_key = boroughs.borough_key
where distributions.role = 'victim' or distributions.characteristic <> 'injury_degree'
