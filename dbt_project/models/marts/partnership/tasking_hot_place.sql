{{
    config(
        indexes=[
            {'columns': ['lsoa_key', 'time_band_name'], 'unique': true},
            {'columns': ['borough_code', 'rank_in_borough']},
        ],
    )
}}

with newest_months as (
    select max(month) as month from {{ ref('int_offences__monthly') }}
),

-- Up to the newest day in the data and not to today's: an extract that is late moves the two weeks and does not
-- empty them.
newest_day as (
    select max(offences.recorded_date) as last_day
    from {{ ref('fct_offence') }} as offences
    inner join newest_months on offences.month = newest_months.month
),

years_ago as (
    {{ whole_numbers(0, 3, 'years_ago') }}
),

-- the same two weeks of earlier years begin on the same weekday: 52 weeks are 364 days
two_weeks as (
    select
        years_ago.years_ago,
        newest_day.last_day - 364 * years_ago.years_ago - 13 as from_date,
        newest_day.last_day - 364 * years_ago.years_ago as to_date,
        {{ first_of_month('newest_day.last_day - 364 * years_ago.years_ago - 13') }} as from_month,
        {{ first_of_month('newest_day.last_day - 364 * years_ago.years_ago') }} as to_month
    from newest_day
    cross join years_ago
),

-- By the day of recording: what was committed in the last days and is not reported yet would make them look quiet.
events as (
    select
        two_weeks.years_ago,
        offences.lsoa_key,
        offences.ward_key,
        offences.borough_key,
        offences.committed_time_band_key as time_band_key,
        {{ weekday_name('offences.committed_from_local_at') }} as weekday_name,
        offences.street_name,
        1 as offence_count,
        0 as asb_report_count,
        offences.is_simulated
    from two_weeks
    inner join {{ ref('fct_offence') }} as offences
        on
            two_weeks.from_month <= offences.month
            and two_weeks.to_month >= offences.month
            and two_weeks.from_date <= offences.recorded_date
            and two_weeks.to_date >= offences.recorded_date
    where offences.lsoa_key not in (0, -1)
    union all
    select
        two_weeks.years_ago,
        calls.lsoa_key,
        calls.ward_key,
        calls.borough_key,
        calls.reported_time_band_key as time_band_key,
        {{ weekday_name('calls.reported_local_at') }} as weekday_name,
        null as street_name,
        0 as offence_count,
        1 as asb_report_count,
        calls.is_simulated
    from two_weeks
    inner join {{ ref('fct_asb_incident') }} as calls
        on
            two_weeks.from_month <= calls.month
            and two_weeks.to_month >= calls.month
            and two_weeks.from_date <= calls.reported_date
            and two_weeks.to_date >= calls.reported_date
    where calls.lsoa_key not in (0, -1)
),

-- small areas as 2011 and 2021 have them in common, so that the years count one place
places as (
    select
        lsoas.lsoa_key,
        coalesce(comparable.lsoa_key, lsoas.lsoa_key) as place_key
    from {{ ref('dim_lsoa') }} as lsoas
    left join {{ ref('dim_lsoa') }} as comparable on lsoas.comparable_lsoa_code = comparable.lsoa_code
),

by_place_and_time as (
    select
        events.years_ago,
        places.place_key as lsoa_key,
        time_bands.time_band_name,
        max(events.ward_key) as ward_key,
        max(events.borough_key) as borough_key,
        sum(events.offence_count)::integer as offence_count,
        sum(events.asb_report_count)::integer as asb_report_count,
        count(*)::integer as event_count,
        {{ most_frequent('events.weekday_name') }} as busiest_weekday_name,
        {{ most_frequent('events.street_name') }} as busiest_street_name,
        {{ any_true('events.is_simulated') }} as is_simulated
    from events
    inner join places on events.lsoa_key = places.lsoa_key
    inner join {{ ref('dim_time_band') }} as time_bands on events.time_band_key = time_bands.time_band_key
    group by events.years_ago, places.place_key, time_bands.time_band_name
),

-- a place where nothing was recorded in an earlier year had none then, if anything at all was recorded that year
years_held as (
    select count(distinct years_ago)::integer as years_compared
    from events
    where years_ago > 0
),

earlier_years as (
    select
        lsoa_key,
        time_band_name,
        sum(event_count) as event_count,
        max(event_count) as highest_event_count
    from by_place_and_time
    where years_ago > 0
    group by lsoa_key, time_band_name
)

select
    recent.lsoa_key,
    lsoas.lsoa_code,
    lsoas.lsoa_name,
    recent.ward_key,
    wards.ward_name,
    boroughs.borough_code,
    boroughs.borough_name,
    recent.time_band_name,
    two_weeks.from_date,
    two_weeks.to_date,
    recent.event_count,
    recent.offence_count,
    recent.asb_report_count,
    years_held.years_compared,
    coalesce(earlier_years.event_count, 0)::numeric / nullif(years_held.years_compared, 0)
        as mean_event_count_in_earlier_years,
    case when years_held.years_compared > 0 then coalesce(earlier_years.highest_event_count, 0)::integer end
        as highest_event_count_in_earlier_years,
    case when years_held.years_compared > 0 then recent.event_count > coalesce(earlier_years.highest_event_count, 0) end
        as is_above_earlier_years,
    rank() over (partition by recent.borough_key order by recent.event_count desc)::integer as rank_in_borough,
    recent.busiest_weekday_name,
    recent.busiest_street_name,
    recent.is_simulated,
    {{ build_id() }} as build_id
from by_place_and_time as recent
inner join two_weeks on recent.years_ago = two_weeks.years_ago
inner join {{ ref('dim_lsoa') }} as lsoas on recent.lsoa_key = lsoas.lsoa_key
inner join {{ ref('dim_ward') }} as wards on recent.ward_key = wards.ward_key
inner join {{ ref('dim_borough') }} as boroughs on recent.borough_key = boroughs.borough_key
cross join years_held
left join earlier_years
    on
        recent.lsoa_key = earlier_years.lsoa_key
        and recent.time_band_name = earlier_years.time_band_name
where recent.years_ago = 0
