{{
    config(
        indexes=[
            {'columns': ['geography_type', 'geography_code', 'offence_class', 'month'], 'unique': true},
            {'columns': ['borough_code', 'month']},
        ],
    )
}}

with offences as (
    select
        monthly.borough_key,
        monthly.ward_key,
        monthly.month,
        coalesce(classes.is_fraud, false) as is_fraud,
        sum(monthly.offence_count) as offence_count,
        {{ any_true('monthly.is_simulated') }} as is_simulated
    from {{ ref('int_offences__monthly') }} as monthly
    inner join {{ ref('dim_offence') }} as classes on monthly.offence_key = classes.offence_key
    -- an offence whose code nobody has listed counts until somebody says that it is not notifiable
    where coalesce(classes.is_notifiable, true)
    group by monthly.borough_key, monthly.ward_key, monthly.month, coalesce(classes.is_fraud, false)
),

by_class as (
    select
        borough_key,
        ward_key,
        month,
        'all' as offence_class,
        offence_count,
        is_simulated
    from offences
    union all
    select
        borough_key,
        ward_key,
        month,
        'without_fraud' as offence_class,
        offence_count,
        is_simulated
    from offences
    where not is_fraud
),

by_area as (
    {{ area_levels('by_class', keep=['month', 'offence_class', 'offence_count', 'is_simulated']) }}
),

found as (
    select
        {{ area_columns() | join(', ') }},
        month,
        offence_class,
        sum(offence_count)::integer as offences_as_recorded,
        {{ any_true('is_simulated') }} as is_simulated
    from by_area
    group by {{ area_columns() | join(', ') }}, month, offence_class
),

filled as (
    {{ every_month('found', class_columns=['offence_class'], measure='offences', feed='police_offences') }}
),

-- both are series as a whole: what moves the one and not the other is fraud
counts as (
    select
        *,
        case offence_class when 'all' then 'total_offences' else 'total_offences_without_fraud' end as series,
        true as is_parent
    from filled
),

{{ compare_months(class_column='offence_class', measure='offences', subject='crime') }}
