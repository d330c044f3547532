{{
    config(
        materialized='incremental',
        incremental_strategy='replace_changed_financial_years',
        on_schema_change='fail',
        indexes=[
            {
                'columns': [
                    'borough_code', 'financial_year', 'violence_class', 'role', 'characteristic',
                    'characteristic_value',
                ],
                'unique': true,
            },
            {'columns': ['build_id']},
        ],
    )
}}

{#- groups of people that the plan describes; they overlap -#}
{%- set classes = {
    'stabbing': 'is_knife_used',
    'knife_threat': 'is_knife_threatened',
    'firearm': 'is_firearm',
    'serious_violence': 'is_serious_violence',
    'serious_violence_aged_11_to_25': 'is_serious_violence and age between 11 and 25',
    'serious_violence_males_aged_11_to_25': "is_serious_violence and age between 11 and 25 and sex = 'Male'",
    'aged_25_and_under': 'is_25_and_under',
} -%}

-- depends_on: {{ ref('fct_offence') }} (which years a night changes is told by it)
with concerned as (
    select
        *,
        case when is_on_carnival_day then 'On a day of Carnival' else 'On another day' end as carnival
    from {{ ref('int_serious_youth_violence__people') }}
    {% if execute and is_incremental() %}
    {%- set rebuilds = config.get('meta')['rebuilds'] %}
    where
        financial_year in ({{ changed_financial_years(rebuilds.feeds, rebuilds.lookups, rebuilds.people) }})
    {% endif %}
),

people as (
    {% for violence_class, condition in classes.items() -%}
    select
        *,
        '{{ violence_class }}' as violence_class
    from concerned
    where {{ condition }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

distributions as (
    {{ people_by_characteristic(
        'people',
        groups=['borough_key', 'financial_year', 'violence_class', 'role'],
        characteristics=[
            'sex', 'age_band', 'ethnic_appearance', 'residence', 'relationship', 'injury_degree', 'carnival',
        ],
    ) }}
)

select
    boroughs.borough_code,
    boroughs.borough_name,
    distributions.financial_year,
    distributions.violence_class,
    distributions.role,
    distributions.characteristic,
    distributions.characteristic_value,
    distributions.people_count,
    distributions.different_people_count,
    {{ share_of_group('distributions', ['borough_key', 'financial_year', 'violence_class', 'role']) }}
        as share_of_people,
    distributions.mean_age,
    distributions.is_simulated,
    {{ build_id() }} as build_id
from distributions
inner join {{ ref('dim_borough') }} as boroughs on distributions.borough_key = boroughs.borough_key
where distributions.role = 'victim' or distributions.characteristic <> 'injury_degree'
