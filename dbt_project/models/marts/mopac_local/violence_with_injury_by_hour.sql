{{
    config(
        materialized='incremental',
        incremental_strategy='replace_changed_financial_years',
        on_schema_change='fail',
        indexes=[
            {'columns': ['borough_code', 'financial_year', 'weekday_number', 'hour_of_day'], 'unique': true},
            {'columns': ['build_id']},
        ],
        meta={
            'rebuilds': {
                'feeds': ['police_offences'],
                'lookups': place_lookups(),
            }
        },
    )
}}

with offences as (
    select
        boroughs.borough_code,
        boroughs.borough_name,
        {{ financial_year('by_hour.month') }} as financial_year,
        by_hour.weekday_number,
        bands.hour_of_day,
        by_hour.is_on_carnival_day,
        by_hour.offence_count,
        by_hour.is_simulated
    from {{ ref('int_violence_with_injury__by_hour') }} as by_hour
    inner join {{ ref('dim_borough') }} as boroughs on by_hour.borough_key = boroughs.borough_key
    inner join {{ ref('dim_time_band') }} as bands on by_hour.committed_time_band_key = bands.time_band_key
    where
        not by_hour.is_domestic_abuse
        {% if is_incremental() %}
        and by_hour.month in ({{ months_of_changed_financial_years(['police_offences'], lookups=place_lookups()) }})
        {% endif %}
),

years as (
    select
        borough_code,
        borough_name,
        financial_year,
        {{ any_true('is_simulated') }} as is_simulated
    from offences
    group by borough_code, borough_name, financial_year
),

weekdays as (
    select distinct
        weekday_number,
        weekday_name
    from {{ ref('dim_date') }}
    where weekday_number is not null
),

-- Every hour of the week is there, so that a quiet one shows as 0. Zeros are put together with what was counted and
-- added up, not joined to it: the planner would compare every hour with every count of its year.
counts_and_zeros as (
    select
        borough_code,
        borough_name,
        financial_year,
        weekday_number,
        hour_of_day,
        offence_count,
        case when is_on_carnival_day then 0 else offence_count end as offence_count_without_carnival
    from offences
    union all
    select
        years.borough_code,
        years.borough_name,
        years.financial_year,
        weekdays.weekday_number,
        bands.hour_of_day,
        0 as offence_count,
        0 as offence_count_without_carnival
    from years
    cross join weekdays
    cross join {{ ref('dim_time_band') }} as bands
    where bands.hour_of_day is not null
),

summed as (
    select
        borough_code,
        borough_name,
        financial_year,
        weekday_number,
        hour_of_day,
        sum(offence_count)::integer as offence_count,
        sum(offence_count_without_carnival)::integer as offence_count_without_carnival
    from counts_and_zeros
    where
        weekday_number is not null
        and hour_of_day is not null
    group by borough_code, borough_name, financial_year, weekday_number, hour_of_day
)

select
    summed.borough_code,
    summed.borough_name,
    summed.financial_year,
    summed.weekday_number,
    weekdays.weekday_name,
    summed.hour_of_day,
    bands.hour_name,
    bands.time_band_name,
    summed.offence_count,
    summed.offence_count_without_carnival,
    years.is_simulated,
    {{ build_id() }} as build_id
from summed
inner join weekdays on summed.weekday_number = weekdays.weekday_number
inner join {{ ref('dim_time_band') }} as bands on summed.hour_of_day = bands.hour_of_day
inner join years
    on
        summed.borough_code = years.borough_code
        and summed.financial_year = years.financial_year
