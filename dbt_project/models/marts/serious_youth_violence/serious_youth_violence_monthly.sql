{{
    config(
        materialized='incremental',
        incremental_strategy='replace_compared_months',
        on_schema_change='fail',
        indexes=[
            {'columns': ['geography_type', 'geography_code', 'violence_class', 'month'], 'unique': true},
            {'columns': ['borough_code', 'month']},
            {'columns': ['month']},
            {'columns': ['build_id']},
        ],
        meta={
            'rebuilds': {
                'feeds': ['police_offences'],
                'lookups': place_lookups(),
                'people': ['police_victims', 'police_accused'],
                'newest': ['police_offences'],
                'class': 'violence_class',
                'counts': ['offences_as_recorded'],
            }
        },
    )
}}
{%- set months = months_to_write() -%}
{%- set read = with_year_before(months) -%}

{#- class, series of the register, whether it is that series as a whole, what counts; those that Carnival swells are
    shown without it as well. Classes overlap. -#}
{%- set offence_classes = [
    ('serious_violence', 'violence_with_injury', false, 'is_serious_violence and not is_domestic_abuse'),
    ('knife_injury', 'knife', false, 'is_knife_used and not is_domestic_abuse'),
    ('knife_threat', 'knife', false, 'is_knife_threatened and not is_domestic_abuse'),
] -%}
{%- set plain_classes = [
    ('firearm', 'firearm', true, 'is_firearm'),
    ('shots_fired', 'firearm', false, 'is_shots_fired'),
    ('robbery_with_knife_injury', 'robbery', false, 'is_robbery and is_knife_used'),
    ('gun_robbery', 'robbery', false, 'is_robbery and is_firearm'),
    ('mobile_phone_robbery', 'robbery', false, 'is_robbery and is_mobile_phone_taken'),
] -%}
{%- set classes = [
    ('serious_youth_violence', 'violence_with_injury', false, none),
    ('serious_youth_violence_outside_carnival', 'violence_with_injury', false, none),
] + offence_classes + plain_classes -%}
{%- for violence_class, series, is_parent, condition in offence_classes -%}
{%- do classes.append((
    violence_class ~ '_outside_carnival', series, is_parent, condition ~ ' and not is_on_carnival_day',
)) -%}
{%- endfor -%}
{#- a ward has few of the others: they are for the borough only -#}
{%- set classes_of_wards = ['serious_youth_violence', 'serious_violence', 'knife_injury', 'knife_threat'] -%}

-- depends_on: {{ ref('fct_offence') }} (which months a night changes is told by it)
with crimes as (
    select
        monthly.borough_key,
        monthly.ward_key,
        monthly.month,
        monthly.offence_count,
        monthly.is_simulated,
        coalesce(monthly.is_domestic_abuse, false) as is_domestic_abuse,
        coalesce(monthly.is_knife_used, false) as is_knife_used,
        coalesce(monthly.is_knife_threatened, false) as is_knife_threatened,
        coalesce(monthly.is_firearm, false) as is_firearm,
        coalesce(monthly.is_shots_fired, false) as is_shots_fired,
        coalesce(monthly.is_mobile_phone_taken, false) as is_mobile_phone_taken,
        coalesce(monthly.is_on_carnival_day, false) as is_on_carnival_day,
        offences.is_serious_violence,
        offences.is_robbery
    from {{ ref('int_offences__monthly') }} as monthly
    inner join {{ ref('dim_offence') }} as offences on monthly.offence_key = offences.offence_key
    where
        {{ in_months('monthly.month', read) }}
        and (
            offences.is_serious_violence
            or monthly.is_knife_used
            or monthly.is_knife_threatened
            or monthly.is_firearm
            or monthly.is_shots_fired
            or (offences.is_robbery and monthly.is_mobile_phone_taken)
        )
),

-- the borough's definition: a victim or an accused of 25 or less
with_young_people as (
    select
        recorded_offence_key,
        borough_key,
        ward_key,
        month,
        is_on_carnival_day,
        {{ any_true('is_simulated') }} as is_simulated
    from {{ ref('int_serious_youth_violence__people') }}
    where
        is_25_and_under
        and {{ in_months('month', read) }}
    group by recorded_offence_key, borough_key, ward_key, month, is_on_carnival_day
),

of_class as (
    {% for violence_class, series, is_parent, condition in classes if condition -%}
    select
        borough_key,
        ward_key,
        month,
        '{{ violence_class }}' as violence_class,
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
        'serious_youth_violence' as violence_class,
        count(*) as offence_count,
        {{ any_true('is_simulated') }} as is_simulated
    from with_young_people
    group by borough_key, ward_key, month
    union all
    select
        borough_key,
        ward_key,
        month,
        'serious_youth_violence_outside_carnival' as violence_class,
        count(*) as offence_count,
        {{ any_true('is_simulated') }} as is_simulated
    from with_young_people
    where not is_on_carnival_day
    group by borough_key, ward_key, month
),

of_area as (
    {{ area_levels('of_class', keep=['month', 'violence_class', 'offence_count', 'is_simulated']) }}
),

found as (
    select
        {{ area_columns() | join(', ') }},
        month,
        violence_class,
        sum(offence_count)::integer as offences_as_recorded,
        {{ any_true('is_simulated') }} as is_simulated
    from of_area
    group by {{ area_columns() | join(', ') }}, month, violence_class
),

of_every_month as (
    {{ every_month(
        'found', class_columns=['violence_class'], measure='offences', feed='police_offences', months=read,
        only="geography_type = 'borough' or violence_class in ('" ~ classes_of_wards | join("', '") ~ "')",
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
        {% for violence_class, series, is_parent, condition in classes -%}
        (
            '{{ violence_class }}', '{{ series }}', {{ is_parent | lower }},
            '{{ violence_class | replace("_", " ") }}'
        ){{ ',' if not loop.last }}
        {% endfor %}
    ) as classes (violence_class, series, is_parent, subject)
        on of_every_month.violence_class = classes.violence_class
),

{{ compare_months(
    class_column='violence_class', measure='offences', subject_column='subject', only=in_months('month', months),
) }}
