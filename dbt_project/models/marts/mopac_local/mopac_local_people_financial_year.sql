{{
    config(
        materialized='incremental',
        incremental_strategy='replace_changed_financial_years',
        on_schema_change='fail',
        indexes=[
            {
                'columns': [
                    'borough_code', 'financial_year', 'offence_class', 'role', 'characteristic', 'characteristic_value'
                ],
                'unique': true,
            },
            {'columns': ['build_id']},
        ],
    )
}}

{%- set condition -%}
    offences.is_theft_from_motor_vehicle
    or (offences.is_violence_with_injury and not coalesce(people.is_domestic_abuse, false))
{%- endset -%}

-- depends_on: {{ ref('fct_offence') }} (which years a night changes is told by it)
with victims as (
    {{ people_of_offences('victim', condition, offence_columns=['is_theft_from_motor_vehicle']) }}
),

accused as (
    {{ people_of_offences('accused', condition, offence_columns=['is_theft_from_motor_vehicle']) }}
),

people_of_all as (
    select *
    from victims
    union all
    select *
    from accused
),

people as (
    select
        *,
        case
            when is_theft_from_motor_vehicle then 'theft_from_motor_vehicle'
            else 'non_domestic_violence_with_injury'
        end as offence_class
    from people_of_all
),

distributions as (
    {{ people_by_characteristic(
        'people',
        groups=['borough_key', 'financial_year', 'offence_class', 'role'],
        characteristics=['sex', 'age_band', 'ethnic_appearance', 'residence', 'relationship'],
    ) }}
)

select
    boroughs.borough_code,
    boroughs.borough_name,
    distributions.financial_year,
    distributions.offence_class,
    distributions.role,
    distributions.characteristic,
    distributions.characteristic_value,
    distributions.people_count,
    distributions.different_people_count,
    {{ share_of_group('distributions', ['borough_key', 'financial_year', 'offence_class', 'role']) }}
        as share_of_people,
    distributions.mean_age,
    distributions.is_simulated,
    {{ build_id() }} as build_id
from distributions
inner join {{ ref('dim_borough') }} as boroughs on distributions.borough_key = boroughs.borough_key
