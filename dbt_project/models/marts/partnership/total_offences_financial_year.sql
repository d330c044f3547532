{{
    config(
        indexes=[
            {'columns': ['borough_code', 'financial_year'], 'unique': true},
        ],
    )
}}

with police_months as (
    select
        months.borough_code,
        months.financial_year,
        months.month,
        max(case when months.offence_class = 'all' then months.offences_as_recorded end) as offence_count,
        max(case when months.offence_class = 'without_fraud' then months.offences_as_recorded end)
            as offence_count_without_fraud,
        {{ any_true("months.comparability = 'provisional'") }} as is_provisional,
        {{ any_true('months.month <= newest.newest_whole_month') }} as is_whole,
        {{ any_true('months.is_simulated') }} as is_simulated
    from {{ ref('total_offences_monthly') }} as months
    left join {{ ref('int_partner_feeds__newest_months') }} as newest on newest.feed = 'police_offences'
    where months.geography_type = 'borough'
    group by months.borough_code, months.financial_year, months.month
),

police_years as (
    select
        borough_code,
        financial_year,
        count(case when is_whole then 1 end)::integer as months_covered,
        sum(offence_count)::integer as offence_count,
        sum(offence_count_without_fraud)::integer as offence_count_without_fraud,
        {{ any_true('is_provisional') }} as has_provisional,
        {{ any_true('is_simulated') }} as is_simulated
    from police_months
    group by borough_code, financial_year
),

-- The files that the Metropolitan Police publishes of all boroughs: another vintage of the same records, which is
-- kept beside the police's extracts and never mixed with them.
mps_months as (
    select
        boroughs.borough_code,
        {{ financial_year('crime.month') }} as financial_year,
        crime.month,
        sum(crime.offence_count) as offence_count,
        {{ any_true('crime.is_simulated') }} as is_simulated
    from {{ ref('fct_recorded_crime_monthly') }} as crime
    inner join {{ ref('dim_borough') }} as boroughs on crime.borough_key = boroughs.borough_key
    where crime.geography_level = 'borough' and not boroughs.is_pseudo_borough and crime.borough_key <> 0
    group by boroughs.borough_code, crime.month
),

mps_newest as (
    select max(month) as newest_month
    from {{ ref('int_mps__coverage') }}
    where geography_level = 'borough' and is_newest_month
),

mps_years as (
    select
        borough_code,
        financial_year,
        count(*)::integer as months_covered,
        sum(offence_count)::integer as offence_count,
        {{ any_true('is_simulated') }} as is_simulated
    from mps_months
    group by borough_code, financial_year
),

borough_years as (
    select
        borough_code,
        financial_year
    from police_years
    union
    select
        borough_code,
        financial_year
    from mps_years
),

years as (
    select
        boroughs.borough_key,
        boroughs.borough_code,
        boroughs.borough_name,
        borough_years.financial_year,
        left(borough_years.financial_year, 4)::integer as first_year,
        make_date(left(borough_years.financial_year, 4)::integer, 4, 1) as year_from,
        coalesce(police.months_covered, 0) as months_covered,
        police.offence_count,
        police.offence_count_without_fraud,
        coalesce(police.has_provisional, false) as has_provisional,
        coalesce(mps.months_covered, 0) as mps_months_covered,
        mps.offence_count as mps_offence_count,
        case when mps.offence_count is not null then mps_newest.newest_month end as mps_file_newest_month,
        -- a year that is not over is compared with nothing
        case when police.months_covered = 12 then police.offence_count end as whole_count,
        case when police.months_covered = 12 then police.offence_count_without_fraud end as whole_count_without_fraud,
        case when mps.months_covered = 12 then mps.offence_count end as mps_whole_count,
        coalesce(police.is_simulated, false) as is_police_simulated,
        coalesce(police.is_simulated, false) or coalesce(mps.is_simulated, false) as is_simulated
    from borough_years
    inner join {{ ref('dim_borough') }} as boroughs on borough_years.borough_code = boroughs.borough_code
    left join police_years as police
        on
            borough_years.borough_code = police.borough_code
            and borough_years.financial_year = police.financial_year
    left join mps_years as mps
        on
            borough_years.borough_code = mps.borough_code
            and borough_years.financial_year = mps.financial_year
    cross join mps_newest
),

changes as (
    {{ changes_between_years(['total_offences'], years_back=1) }}
),

-- the estimate of residents whose year lies nearest; of two as near, the earlier
populations as (
    select
        years.borough_code,
        years.financial_year,
        residents.population,
        residents.reference_year,
        row_number() over (
            partition by years.borough_code, years.financial_year
            order by abs(residents.reference_year - years.first_year), residents.reference_year
        ) as nearness
    from years
    inner join {{ ref('population_and_deprivation') }} as residents on years.borough_code = residents.borough_code
    where residents.population is not null
),

compared as (
    select
        years.*,
        populations.population,
        populations.reference_year as population_year,
        year_before.whole_count as whole_count_before,
        year_before.mps_whole_count as mps_whole_count_before,
        ten_years_before.whole_count as whole_count_ten_years_before,
        ten_years_before.whole_count_without_fraud as whole_count_without_fraud_ten_years_before,
        changes.changed_on,
        coalesce(changes.is_break, false) as is_over_a_break,
        coalesce(year_before.is_police_simulated <> years.is_police_simulated, false) as is_mixed
    from years
    left join years as year_before
        on
            years.borough_code = year_before.borough_code
            and years.first_year - 1 = year_before.first_year
    left join years as ten_years_before
        on
            years.borough_code = ten_years_before.borough_code
            and years.first_year - 10 = ten_years_before.first_year
    left join populations
        on
            years.borough_code = populations.borough_code
            and years.financial_year = populations.financial_year
            and populations.nearness = 1
    left join changes on {{ are_of_year('changes') }}
),

-- how many years in a row, this one the last, had more than the one before
stretches as (
    select
        *,
        sum(case when whole_count > whole_count_before then 0 else 1 end)
            over (partition by borough_code order by first_year) as stretch
    from compared
)

select
    borough_key,
    borough_code,
    borough_name,
    financial_year,
    months_covered,
    offence_count,
    offence_count_without_fraud,
    offence_count - offence_count_without_fraud as fraud_offence_count,
    whole_count - whole_count_before as change_on_year_before_as_recorded,
    whole_count::numeric / nullif(whole_count_before, 0) - 1 as change_share_on_year_before_as_recorded,
    case when not is_over_a_break and not is_mixed then whole_count - whole_count_before end as change_on_year_before,
    case
        when is_over_a_break
            then
                'The way of counting changed on ' || {{ day_in_words('changed_on') }} || ', between the two years:'
                || ' a difference would show the rule and not crime.'
        when offence_count is null
            then 'The police extracts delivered so far hold nothing of this year.'
        when months_covered < 12
            then 'Only ' || months_covered || ' of the 12 months of this year are covered.'
        when whole_count_before is null
            then 'The police extracts delivered so far do not hold the whole year before.'
        when is_mixed
            then 'One of the two years is simulated, the other is not.'
    end as change_reason,
    case
        when whole_count is not null and whole_count_before is not null
            then sum(case when whole_count > whole_count_before then 1 else 0 end)
                over (partition by borough_code, stretch order by first_year)
    end::integer as years_risen_in_a_row,
    whole_count::numeric / nullif(whole_count_ten_years_before, 0) - 1 as change_share_over_ten_years_as_recorded,
    whole_count_without_fraud::numeric / nullif(whole_count_without_fraud_ten_years_before, 0) - 1
        as change_share_over_ten_years_without_fraud,
    population,
    population_year,
    1000.0 * whole_count / population as offences_per_1000_residents,
    mps_months_covered,
    mps_offence_count,
    mps_whole_count - mps_whole_count_before as mps_change_on_year_before_as_recorded,
    1000.0 * mps_whole_count / population as mps_offences_per_1000_residents,
    mps_file_newest_month,
    {{ sentences([
        "case when months_covered between 1 and 11 then 'Only ' || months_covered || ' of 12 months are covered.' end",
        "case when has_provisional then 'Its newest months are provisional.' end",
        "case when offence_count is not null and mps_offence_count is not null"
        ~ " then 'The police extracts and the published files are two vintages: compare either with itself only.' end",
    ]) }} as caveat,
    is_simulated,
    {{ build_id() }} as build_id
from stretches
