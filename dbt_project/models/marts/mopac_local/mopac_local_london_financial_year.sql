{{
    config(
        indexes=[
            {'columns': ['geography_type', 'geography_code', 'offence_class', 'financial_year'], 'unique': true},
        ],
    )
}}

with years as (
    select
        geography_type,
        geography_code,
        geography_name,
        borough_code,
        offence_class,
        financial_year,
        {{ financial_year_start('min(month)') }} as year_from,
        count(*)::integer as months_covered,
        sum(offences_as_recorded)::integer as offence_count,
        {{ any_true('is_simulated') }} as is_simulated
    from {{ ref('mopac_local_london_monthly') }}
    where geography_type <> 'ward'
    group by geography_type, geography_code, geography_name, borough_code, offence_class, financial_year
),

changes as (
    {{ changes_between_years(
        ['violence_with_injury', 'theft_from_motor_vehicle'], years_back=1, feed='mps_recorded_crime'
    ) }}
),

-- flagged among all offences with injury; published apart from them, and counted in the same month
domestic as (
    select
        geography_type,
        geography_code,
        {{ financial_year('month') }} as financial_year,
        count(*)::integer as months_covered,
        sum(offence_count)::integer as offence_count,
        {{ any_true('is_simulated') }} as is_simulated
    from {{ ref('int_mps__flags_monthly') }}
    where flag = 'domestic abuse vwi'
    group by geography_type, geography_code, {{ financial_year('month') }}
),

residents as (
    select
        boroughs.borough_code as geography_code,
        sum(lsoas.persons_count)::integer as resident_count,
        max(lsoas.population_year) as population_year
    from {{ ref('dim_lsoa') }} as lsoas
    inner join {{ ref('dim_borough') }} as boroughs on lsoas.borough_key = boroughs.borough_key
    where lsoas.persons_count is not null
    group by boroughs.borough_code
),

with_rates as (
    select
        years.*,
        case when years.offence_class = 'violence_with_injury' then domestic.offence_count end as domestic_abuse_count,
        case
            when
                years.offence_class = 'violence_with_injury'
                and years.months_covered = domestic.months_covered
                and years.is_simulated = domestic.is_simulated
                then 1 - domestic.offence_count::numeric / nullif(years.offence_count, 0)
        end as non_domestic_share,
        residents.resident_count,
        residents.population_year,
        case
            when years.months_covered = 12
                then 1000 * years.offence_count::numeric / nullif(residents.resident_count, 0)
        end as offences_per_1000_residents
    from years
    left join domestic
        on
            years.geography_type = domestic.geography_type
            and years.geography_code = domestic.geography_code
            and years.financial_year = domestic.financial_year
    left join residents on years.geography_code = residents.geography_code
)

select
    with_rates.geography_type,
    with_rates.geography_code,
    with_rates.geography_name,
    with_rates.offence_class,
    with_rates.financial_year,
    with_rates.months_covered,
    with_rates.offence_count,
    case
        when
            with_rates.months_covered = 12
            and year_before.months_covered = 12
            and with_rates.is_simulated = year_before.is_simulated
            and not coalesce(changes.is_break, false)
            then with_rates.offence_count::numeric / nullif(year_before.offence_count, 0) - 1
    end as change_on_year_before,
    case
        when coalesce(changes.is_break, false)
            then
                'The way of counting changed on ' || {{ day_in_words('changes.changed_on') }}
                || ', between the two years: a difference would show the rule.'
        when year_before.months_covered is null
            then 'The files delivered so far do not hold the year before.'
        when with_rates.months_covered < 12
            then 'Only ' || with_rates.months_covered || ' of the 12 months of this year are covered.'
        when year_before.months_covered < 12
            then 'Only ' || year_before.months_covered || ' of the 12 months of the year before are covered.'
        when with_rates.is_simulated <> year_before.is_simulated
            then 'One of the two years is simulated, the other is not.'
        when year_before.offence_count = 0
            then 'There was none in the year before.'
    end as change_on_year_before_reason,
    with_rates.domestic_abuse_count,
    with_rates.non_domestic_share,
    with_rates.resident_count,
    with_rates.population_year,
    with_rates.offences_per_1000_residents,
    case
        when with_rates.offences_per_1000_residents is not null
            then rank() over (
                partition by
                    with_rates.geography_type, with_rates.offence_class, with_rates.financial_year
                order by with_rates.offences_per_1000_residents desc nulls last
            )::integer
    end as rank_by_rate,
    case
        when with_rates.offences_per_1000_residents is not null
            then count(with_rates.offences_per_1000_residents) over (
                partition by with_rates.geography_type, with_rates.offence_class, with_rates.financial_year
            )::integer
    end as areas_ranked,
    with_rates.is_simulated,
    {{ build_id() }} as build_id
from with_rates
left join years as year_before
    on
        with_rates.geography_type = year_before.geography_type
        and with_rates.geography_code = year_before.geography_code
        and with_rates.offence_class = year_before.offence_class
        and {{ add_years('with_rates.year_from', -1) }} = year_before.year_from
left join changes
    on
        with_rates.year_from = changes.year_from
        and with_rates.offence_class = changes.series
        -- London has no borough
        and coalesce(with_rates.borough_code, '') = coalesce(changes.borough_code, '')
