{{
    config(
        materialized='incremental',
        incremental_strategy='replace_compared_months',
        on_schema_change='fail',
        indexes=[
            {'columns': ['geography_type', 'geography_code', 'hate_crime_class', 'month'], 'unique': true},
            {'columns': ['borough_code', 'month']},
            {'columns': ['month']},
            {'columns': ['build_id']},
        ],
        meta={
            'rebuilds': {
                'feeds': ['police_offences'],
                'lookups': place_lookups(),
                'newest': ['police_offences'],
                'class': 'hate_crime_class',
                'counts': ['offences_as_recorded'],
            }
        },
    )
}}
{%- set months = months_to_write() -%}
{%- set read = with_year_before(months) -%}

{#- classes of all hate crime; strands are added below, and both overlap -#}
{%- set classes = {
    'hate_crime': 'true',
    'violence_against_the_person': 'is_violence_against_the_person',
    'harassment': 'is_harassment',
    'violence_with_injury': 'is_violence_with_injury',
    'criminal_damage': 'is_criminal_damage',
} -%}

with crimes as (
    select
        monthly.borough_key,
        monthly.ward_key,
        monthly.month,
        monthly.offence_count,
        monthly.is_simulated,
        offences.is_violence_against_the_person,
        offences.is_harassment,
        offences.is_violence_with_injury,
        offences.is_criminal_damage
    from {{ ref('int_offences__monthly') }} as monthly
    inner join {{ ref('dim_offence') }} as offences on monthly.offence_key = offences.offence_key
    where
        monthly.is_hate_crime
        and {{ in_months('monthly.month', read) }}
),

-- an offence with several strands counts in each of them
strands as (
    select
        crime.borough_key,
        crime.ward_key,
        crime.month,
        strand.hate_strand_name,
        count(*) as offence_count,
        {{ any_true('crime.is_simulated') }} as is_simulated
    from {{ ref('bridge_offence_hate_strand') }} as strand
    inner join {{ ref('fct_offence') }} as crime on strand.recorded_offence_key = crime.recorded_offence_key
    where {{ in_months('strand.month', read) }}
    group by crime.borough_key, crime.ward_key, crime.month, strand.hate_strand_name
),

of_class as (
    {% for hate_crime_class, condition in classes.items() -%}
    select
        borough_key,
        ward_key,
        month,
        '{{ hate_crime_class }}' as hate_crime_class,
        sum(offence_count) as offence_count,
        {{ any_true('is_simulated') }} as is_simulated
    from crimes
    where {{ condition }}
    group by borough_key, ward_key, month
    union all
    {% endfor -%}
    select
        borough_key,
        ward_key,
        month,
        'strand_' || replace(lower(hate_strand_name), ' ', '_') as hate_crime_class,
        offence_count,
        is_simulated
    from strands
),

of_area as (
    {{ area_levels('of_class', keep=['month', 'hate_crime_class', 'offence_count', 'is_simulated']) }}
),

found as (
    select
        {{ area_columns() | join(', ') }},
        month,
        hate_crime_class,
        sum(offence_count)::integer as offences_as_recorded,
        {{ any_true('is_simulated') }} as is_simulated
    from of_area
    group by {{ area_columns() | join(', ') }}, month, hate_crime_class
),

-- a ward has few: its strands and classes are for the borough only
of_every_month as (
    {{ every_month(
        'found', class_columns=['hate_crime_class'], measure='offences', feed='police_offences', months=read,
        only="geography_type = 'borough' or hate_crime_class = 'hate_crime'",
    ) }}
),

counts as (
    select
        of_every_month.*,
        'hate_crime' as series,
        of_every_month.hate_crime_class = 'hate_crime' as is_parent
    from of_every_month
),

{{ compare_months(
    class_column='hate_crime_class', measure='offences', subject='hate crime', whole='All hate crime',
    only=in_months('month', months),
) }}
