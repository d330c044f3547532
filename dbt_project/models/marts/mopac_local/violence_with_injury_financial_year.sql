{{
    config(
        indexes=[
            {'columns': ['borough_code', 'financial_year'], 'unique': true},
        ],
    )
}}

{%- set non_domestic = "months.offence_class = 'non_domestic_violence_with_injury'" -%}
{%- set in_august = "extract(month from months.month) = 8" -%}

with newest as (
    select newest_whole_month
    from {{ ref('int_partner_feeds__newest_months') }}
    where feed = 'police_offences'
),

months as (
    select *
    from {{ ref('mopac_local_monthly') }}
    where geography_type = 'borough' and offence_class <> 'theft_from_motor_vehicle'
),

years as (
    select
        months.borough_code,
        months.borough_name,
        months.financial_year,
        {{ financial_year_start('min(months.month)') }} as year_from,
        sum(case when {{ non_domestic }} and months.month <= newest.newest_whole_month then 1 else 0 end)::integer
            as months_covered,
        sum(
            case when months.offence_class = 'violence_with_injury' then months.offences_as_recorded else 0 end
        )::integer as violence_with_injury_offence_count,
        sum(case when {{ non_domestic }} then months.offences_as_recorded else 0 end)::integer as offence_count,
        sum(
            case
                when months.offence_class = 'non_domestic_violence_with_injury_without_carnival'
                    then months.offences_as_recorded
                else 0
            end
        )::integer as offence_count_without_carnival,
        sum(
            case
                when months.offence_class = 'non_domestic_violence_with_injury_hate_crime'
                    then months.offences_as_recorded
                else 0
            end
        )::integer as hate_crime_count,
        sum(case when {{ non_domestic }} and {{ in_august }} then months.offences_as_recorded end)::integer
            as august_offence_count,
        -- a year in which the outcomes begin is not whole
        {% for basis in ['offence', 'outcome'] -%}
        case
            when
                count(case when {{ non_domestic }} then months.sanction_detections_by_{{ basis }}_date end)
                = count(case when {{ non_domestic }} then 1 end)
                then sum(case when {{ non_domestic }} then months.sanction_detections_by_{{ basis }}_date end)::integer
        end as sanction_detections_by_{{ basis }}_date,
        {% endfor -%}
        {{ any_true('months.is_simulated') }} as is_simulated
    from months
    left join newest on true
    group by months.borough_code, months.borough_name, months.financial_year
),

-- the calendar year that a financial year's August lies in
calendar_years as (
    select
        months.borough_code,
        {{ financial_year('make_date(extract(year from months.month)::integer, 8, 1)') }} as financial_year,
        case
            when count(case when months.month <= newest.newest_whole_month then 1 end) = 12
                then sum(months.offences_as_recorded)::integer
        end as offence_count
    from months
    left join newest on true
    where {{ non_domestic }}
    group by
        months.borough_code, {{ financial_year('make_date(extract(year from months.month)::integer, 8, 1)') }}
),

changes as (
    {{ changes_between_years(
        ['violence_with_injury'], years_back=1, class_name='non_domestic_violence_with_injury'
    ) }}
),

places as (
    select
        sum(
            case
                -- Dalgarno, Golborne, Notting Dale
                when breakdown = 'ward' and breakdown_code in ('E05009394', 'E05009396', 'E05009399')
                    then offence_count_without_carnival
                else 0
            end
        ) as in_northern_wards_without_carnival,
        max(case when breakdown = 'ward' and breakdown_code = 'E05009389' then rank_without_carnival end)
            as brompton_and_hans_town_rank,
        {% for column, venue in [
            ('st_charles_hospital', 'St Charles Hospital'),
            ('chelsea_and_westminster_hospital', 'Chelsea and Westminster Hospital'),
        ] -%}
        sum(
            case when breakdown = 'venue' and breakdown_value = '{{ venue }}' then offence_count else 0 end
        )::integer as {{ column }}_count,
        {% endfor -%}
        {% for column, group in [
            ('public_place', 'Public place'),
            ('private_residence', 'Private residence'),
            ('licensed_premises', 'Licensed premises'),
            ('retail', 'Retail'),
            ('public_transport', 'Public transport'),
        ] -%}
        sum(case when breakdown = 'location_group' and breakdown_value = '{{ group }}' then offence_count else 0 end)
            as in_{{ column }},
        {% endfor -%}
        borough_code,
        financial_year
    from {{ ref('violence_with_injury_breakdown') }}
    group by borough_code, financial_year
),

people as (
    select
        people.borough_code,
        people.financial_year,
        sum(case when people.characteristic = 'all' then people.people_count else 0 end)::integer as victim_count,
        sum(
            case
                when
                    people.characteristic = 'age_band'
                    and people.characteristic_value in (
                        select bands.age_band_name
                        from {{ ref('dim_age_band') }} as bands
                        where bands.is_25_and_under
                    )
                    then people.people_count
                else 0
            end
        ) as victims_25_and_under,
        sum(
            case
                when people.characteristic = 'residence' and people.characteristic_value = people.borough_name
                    then people.people_count
                else 0
            end
        ) as victims_living_here,
        sum(
            case
                when people.characteristic = 'residence' and neighbours.neighbour_name is not null
                    then people.people_count
                else 0
            end
        ) as victims_living_next_door
    from {{ ref('mopac_local_people_financial_year') }} as people
    left join {{ ref('neighbouring_boroughs') }} as neighbours
        on
            people.borough_code = neighbours.borough_code
            and people.characteristic_value = neighbours.neighbour_name
    where
        people.offence_class = 'non_domestic_violence_with_injury'
        and people.role = 'victim'
    group by people.borough_code, people.financial_year
),

with_neighbours_named as (
    select distinct borough_code
    from {{ ref('neighbouring_boroughs') }}
)

select
    years.borough_code,
    years.borough_name,
    years.financial_year,
    years.months_covered,
    years.violence_with_injury_offence_count,
    years.offence_count,
    years.offence_count::numeric / nullif(years.violence_with_injury_offence_count, 0) as non_domestic_share,
    {{ change_on_year('offence_count', 'year_before', 'changes') }} as change_on_year_before,
    {{ reason_of_no_change_on_year('offence_count', 'year_before', 'changes') }} as change_on_year_before_reason,
    years.offence_count_without_carnival,
    years.august_offence_count,
    years.august_offence_count::numeric / nullif(years.offence_count, 0) as august_share_of_financial_year,
    years.august_offence_count::numeric / nullif(calendar_years.offence_count, 0) as august_share_of_calendar_year,
    case
        when years.is_simulated = year_before.is_simulated and not coalesce(changes.is_break, false)
            then years.august_offence_count::numeric / nullif(year_before.august_offence_count, 0) - 1
    end as august_change_on_year_before,
    places.in_northern_wards_without_carnival::numeric / nullif(years.offence_count_without_carnival, 0)
        as northern_wards_share,
    places.brompton_and_hans_town_rank,
    places.st_charles_hospital_count,
    places.chelsea_and_westminster_hospital_count,
    {% for place in ['public_place', 'private_residence', 'licensed_premises', 'retail', 'public_transport'] -%}
    places.in_{{ place }}::numeric / nullif(years.offence_count, 0) as {{ place }}_share,
    {% endfor -%}
    {% for basis in ['offence', 'outcome'] -%}
    years.sanction_detections_by_{{ basis }}_date,
    years.sanction_detections_by_{{ basis }}_date::numeric / nullif(years.offence_count, 0)
        as sanction_detection_rate_by_{{ basis }}_date,
    {% endfor -%}
    people.victim_count,
    people.victims_25_and_under::numeric / nullif(people.victim_count, 0) as victim_25_and_under_share,
    people.victims_living_here::numeric / nullif(people.victim_count, 0) as victim_living_here_share,
    case
        when with_neighbours_named.borough_code is not null
            then
                (people.victims_living_here + people.victims_living_next_door)::numeric
                / nullif(people.victim_count, 0)
    end as victim_living_here_or_next_door_share,
    years.hate_crime_count,
    years.hate_crime_count::numeric / nullif(years.offence_count, 0) as hate_crime_share,
    years.is_simulated,
    {{ build_id() }} as build_id
from years
left join years as year_before
    on
        years.borough_code = year_before.borough_code
        and {{ add_years('years.year_from', -1) }} = year_before.year_from
left join calendar_years
    on
        years.borough_code = calendar_years.borough_code
        and years.financial_year = calendar_years.financial_year
left join changes on {{ are_of_year('changes') }}
left join places
    on
        years.borough_code = places.borough_code
        and years.financial_year = places.financial_year
left join people
    on
        years.borough_code = people.borough_code
        and years.financial_year = people.financial_year
left join with_neighbours_named on years.borough_code = with_neighbours_named.borough_code
