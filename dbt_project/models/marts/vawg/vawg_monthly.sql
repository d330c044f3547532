{{
    config(
        materialized='incremental',
        incremental_strategy='replace_compared_months',
        on_schema_change='fail',
        indexes=[
            {'columns': ['geography_type', 'geography_code', 'vawg_class', 'month'], 'unique': true},
            {'columns': ['borough_code', 'month']},
            {'columns': ['month']},
            {'columns': ['build_id']},
        ],
        meta={
            'rebuilds': {
                'feeds': ['police_offences'],
                'lookups': place_lookups(),
                'newest': ['police_offences'],
                'class': 'vawg_class',
                'counts': ['offences_as_recorded'],
            }
        },
    )
}}
{%- set months = months_to_write() -%}
{%- set read = with_year_before(months) -%}

{#- class, series of the register, whether it is that series as a whole, what counts. Classes overlap on purpose:
    a rape by a partner is domestic abuse and a sexual offence. -#}
{%- set classes = [
    ('domestic_abuse', 'domestic_abuse', true, 'is_domestic_abuse'),
    (
        'domestic_abuse_violence_against_the_person', 'domestic_abuse', false,
        'is_domestic_abuse and is_violence_against_the_person',
    ),
    (
        'domestic_abuse_violence_with_injury', 'domestic_abuse', false,
        'is_domestic_abuse and is_violence_with_injury',
    ),
    ('domestic_abuse_sexual_offences', 'domestic_abuse', false, 'is_domestic_abuse and is_sexual_offence'),
    ('domestic_abuse_property_crime', 'domestic_abuse', false, 'is_domestic_abuse and is_property_crime'),
    ('domestic_abuse_criminal_damage', 'domestic_abuse', false, 'is_domestic_abuse and is_criminal_damage'),
    ('sexual_offences', 'sexual_offences', true, 'is_sexual_offence'),
    ('rape', 'sexual_offences', false, 'is_rape'),
    ('stalking_and_harassment', 'violence', false, 'is_stalking or is_harassment'),
    ('honour_based', 'honour_based', true, 'is_honour_based'),
    ('female_genital_mutilation', 'honour_based', false, 'is_female_genital_mutilation'),
    (
        'harmful_practices', 'honour_based', false,
        'is_honour_based or is_female_genital_mutilation or is_forced_marriage',
    ),
    ('trafficking', 'trafficking', true, 'is_trafficking'),
] -%}
{#- a ward has few of the others: they are for the borough only -#}
{%- set classes_of_wards = ['domestic_abuse', 'sexual_offences'] -%}

with crimes as (
    select
        monthly.borough_key,
        monthly.ward_key,
        monthly.month,
        monthly.offence_count,
        monthly.is_simulated,
        coalesce(monthly.is_domestic_abuse, false) as is_domestic_abuse,
        coalesce(monthly.is_honour_based, false) as is_honour_based,
        coalesce(monthly.is_female_genital_mutilation, false) as is_female_genital_mutilation,
        coalesce(monthly.is_forced_marriage, false) as is_forced_marriage,
        offences.is_violence_against_the_person,
        offences.is_violence_with_injury,
        offences.is_sexual_offence,
        offences.is_rape,
        offences.is_property_crime,
        offences.is_criminal_damage,
        offences.is_stalking,
        offences.is_harassment,
        offences.is_trafficking
    from {{ ref('int_offences__monthly') }} as monthly
    inner join {{ ref('dim_offence') }} as offences on monthly.offence_key = offences.offence_key
    where
        {{ in_months('monthly.month', read) }}
        and (
            monthly.is_domestic_abuse
            or monthly.is_honour_based
            or monthly.is_female_genital_mutilation
            or monthly.is_forced_marriage
            or offences.is_sexual_offence
            or offences.is_stalking
            or offences.is_harassment
            or offences.is_trafficking
        )
),

of_class as (
    {% for vawg_class, series, is_parent, condition in classes -%}
    select
        borough_key,
        ward_key,
        month,
        '{{ vawg_class }}' as vawg_class,
        sum(offence_count) as offence_count,
        {{ any_true('is_simulated') }} as is_simulated
    from crimes
    where {{ condition }}
    group by borough_key, ward_key, month
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

of_area as (
    {{ area_levels('of_class', keep=['month', 'vawg_class', 'offence_count', 'is_simulated']) }}
),

found as (
    select
        {{ area_columns() | join(', ') }},
        month,
        vawg_class,
        sum(offence_count)::integer as offences_as_recorded,
        {{ any_true('is_simulated') }} as is_simulated
    from of_area
    group by {{ area_columns() | join(', ') }}, month, vawg_class
),

of_every_month as (
    {{ every_month(
        'found', class_columns=['vawg_class'], measure='offences', feed='police_offences', months=read,
        only="geography_type = 'borough' or vawg_class in ('" ~ classes_of_wards | join("', '") ~ "')",
    ) }}
),

counts as (
    select
        of_every_month.*,
        classes.series,
        classes.is_parent,
        classes.subject
    from of_every_month
    inner join (
        values
        {% for vawg_class, series, is_parent, condition in classes -%}
        (
            '{{ vawg_class }}', '{{ series }}', {{ is_parent | lower }},
            '{{ vawg_class | replace("_", " ") }}'
        ){{ ',' if not loop.last }}
        {% endfor %}
    ) as classes (vawg_class, series, is_parent, subject)
        on of_every_month.vawg_class = classes.vawg_class
),

{{ compare_months(
    class_column='vawg_class', measure='offences', subject_column='subject', only=in_months('month', months),
) }}
