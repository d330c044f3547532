{{
    config(
        indexes=[
            {'columns': ['borough_code', 'financial_year', 'weekday_number', 'hour_of_day'], 'unique': true},
        ],
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
    where not by_hour.is_domestic_abuse
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

-- every hour of the week is there, so that a quiet one shows as 0
hours_of_the_week as (
    select
        years.borough_code,
        years.borough_name,
        years.financial_year,
        weekdays.weekday_number,
        weekdays.weekday_name,
        bands.hour_of_day,
        bands.hour_name,
        bands.time_band_name,
        years.is_simulated
    from years
    cross join weekdays
    cross join {{ ref('dim_time_band') }} as bands
    where bands.hour_of_day is not null
)

select
    hours_of_the_week.borough_code,
    hours_of_the_week.borough_name,
    hours_of_the_week.financial_year,
    hours_of_the_week.weekday_number,
    hours_of_the_week.weekday_name,
    hours_of_the_week.hour_of_day,
    hours_of_the_week.hour_name,
    hours_of_the_week.time_band_name,
    coalesce(sum(offences.offence_count), 0)::integer as offence_count,
    coalesce(sum(case when not offences.is_on_carnival_day then offences.offence_count end), 0)::integer
        as offence_count_without_carnival,
    hours_of_the_week.is_simulated,
    {{ build_id() }} as build_id
from hours_of_the_week
left join offences
    on
        hours_of_the_week.borough_code = offences.borough_code
        and hours_of_the_week.financial_year = offences.financial_year
        and hours_of_the_week.weekday_number = offences.weekday_number
        and hours_of_the_week.hour_of_day = offences.hour_of_day
group by
    hours_of_the_week.borough_code,
    hours_of_the_week.borough_name,
    hours_of_the_week.financial_year,
    hours_of_the_week.weekday_number,
    hours_of_the_week.weekday_name,
    hours_of_the_week.hour_of_day,
    hours_of_the_week.hour_name,
    hours_of_the_week.time_band_name,
    hours_of_the_week.is_simulated
