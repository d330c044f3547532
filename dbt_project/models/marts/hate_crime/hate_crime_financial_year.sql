{{
    config(
        indexes=[
            {'columns': ['borough_code', 'financial_year'], 'unique': true},
        ],
    )
}}

{%- set strands = ['race', 'faith', 'sexual_orientation', 'transgender', 'disability'] -%}

with newest as (
    select newest_whole_month
    from {{ ref('int_partner_feeds__newest_months') }}
    where feed = 'police_offences'
),

years as (
    select
        months.borough_code,
        months.borough_name,
        months.financial_year,
        {{ financial_year_start('min(months.month)') }} as year_from,
        sum(
            case
                when months.hate_crime_class = 'hate_crime' and months.month <= newest.newest_whole_month then 1 else 0
            end
        )::integer as months_covered,
        {% for hate_crime_class in [
            'hate_crime', 'violence_against_the_person', 'harassment', 'violence_with_injury', 'criminal_damage',
            'strand_race', 'strand_faith', 'strand_sexual_orientation', 'strand_transgender', 'strand_disability',
        ] -%}
        sum(
            case when months.hate_crime_class = '{{ hate_crime_class }}' then months.offences_as_recorded else 0 end
        )::integer as {{ hate_crime_class }}_offence_count,
        {% endfor -%}
        {{ any_true('months.is_simulated') }} as is_simulated
    from {{ ref('hate_crime_monthly') }} as months
    left join newest on true
    where months.geography_type = 'borough'
    group by months.borough_code, months.borough_name, months.financial_year
),

changes as (
    {{ changes_between_years(['hate_crime'], years_back=1) }}
),

notes as (
    {{ notes_of_years(['hate_crime']) }}
),

detections as (
    select
        boroughs.borough_code,
        monthly.month,
        monthly.outcome_month,
        monthly.detected_offence_count
    from {{ ref('int_sanction_detections__monthly') }} as monthly
    inner join {{ ref('dim_borough') }} as boroughs on monthly.borough_key = boroughs.borough_key
    where monthly.is_hate_crime
),

first_detection as (
    select {{ financial_year_start('min(outcome_month)') }} as first_year
    from {{ ref('int_sanction_detections__monthly') }}
),

{% for basis, column in [('offence', 'month'), ('outcome', 'outcome_month')] -%}
detections_by_{{ basis }}_date as (
    select
        borough_code,
        {{ financial_year(column) }} as financial_year,
        sum(detected_offence_count)::integer as detected
    from detections
    group by borough_code, {{ financial_year(column) }}
),

{% endfor -%}

relationship_groups as (
    select distinct
        relationship_group_name,
        is_known_to_victim
    from {{ ref('relationships') }}
),

people as (
    select
        people.borough_code,
        people.financial_year,
        {{ people_in('accused') }} as accused,
        {{ people_in('accused', column='different_people_count') }} as different_accused,
        {{ people_in('accused', 'sex', "'Male'") }} as accused_males,
        {{ people_in('accused', 'residence', 'people.borough_name') }} as accused_living_here,
        {{ people_in('accused', 'relationship', "'Neighbour'") }} as accused_neighbours,
        {{ people_in('accused', 'relationship', "'Acquaintance or friend'") }} as accused_friends,
        sum(
            case
                when people.role = 'accused' and relationship_groups.is_known_to_victim
                    then people.people_count
                else 0
            end
        ) as accused_known,
        {{ mean_age_in('accused') }} as accused_mean_age,
        {{ people_in('victim') }} as victims,
        {{ people_in('victim', 'sex', "'Male'") }} as victims_males,
        {{ people_in('victim', 'residence', 'people.borough_name') }} as victims_living_here,
        {{ mean_age_in('victim') }} as victim_mean_age
    from {{ ref('hate_crime_people_financial_year') }} as people
    left join relationship_groups
        on
            people.characteristic = 'relationship'
            and people.characteristic_value = relationship_groups.relationship_group_name
    group by people.borough_code, people.financial_year
)

select
    years.borough_code,
    years.borough_name,
    years.financial_year,
    years.months_covered,
    years.hate_crime_offence_count,
    {{ change_on_year('hate_crime_offence_count', 'year_before', 'changes') }} as hate_crime_change_on_year_before,
    {{ reason_of_no_change_on_year('hate_crime_offence_count', 'year_before', 'changes') }}
        as hate_crime_change_reason,
    notes.note as hate_crime_caveat,
    years.violence_against_the_person_offence_count::numeric / nullif(years.hate_crime_offence_count, 0)
        as violence_share,
    years.harassment_offence_count::numeric / nullif(years.hate_crime_offence_count, 0) as harassment_share,
    years.violence_with_injury_offence_count::numeric / nullif(years.hate_crime_offence_count, 0)
        as violence_with_injury_share,
    years.criminal_damage_offence_count::numeric / nullif(years.hate_crime_offence_count, 0) as criminal_damage_share,
    {% for strand in strands -%}
    years.strand_{{ strand }}_offence_count,
    {% endfor -%}
    {% for basis in ['offence', 'outcome'] -%}
    case when first_detection.first_year <= years.year_from then coalesce(by_{{ basis }}.detected, 0) end
        as sanction_detections_by_{{ basis }}_date,
    case when first_detection.first_year <= years.year_from then coalesce(by_{{ basis }}.detected, 0) end::numeric
    / nullif(years.hate_crime_offence_count, 0) as sanction_detection_rate_by_{{ basis }}_date,
    {% endfor -%}
    people.different_accused as different_accused_count,
    people.accused as accused_count,
    people.accused_known::numeric / nullif(people.accused, 0) as accused_known_to_victim_share,
    people.accused_neighbours as accused_neighbour_count,
    people.accused_friends as accused_acquaintance_or_friend_count,
    people.accused_males::numeric / nullif(people.accused, 0) as accused_male_share,
    people.accused_mean_age,
    people.accused_living_here::numeric / nullif(people.accused, 0) as accused_living_here_share,
    people.victims as victim_count,
    people.victims_males::numeric / nullif(people.victims, 0) as victim_male_share,
    people.victim_mean_age,
    people.victims_living_here::numeric / nullif(people.victims, 0) as victim_living_here_share,
    years.is_simulated,
    {{ build_id() }} as build_id
from years
cross join first_detection
left join years as year_before
    on
        years.borough_code = year_before.borough_code
        and {{ add_years('years.year_from', -1) }} = year_before.year_from
left join changes on {{ are_of_year('changes') }}
left join notes on years.year_from = notes.year_from
left join detections_by_offence_date as by_offence
    on
        years.borough_code = by_offence.borough_code
        and years.financial_year = by_offence.financial_year
left join detections_by_outcome_date as by_outcome
    on
        years.borough_code = by_outcome.borough_code
        and years.financial_year = by_outcome.financial_year
left join people
    on
        years.borough_code = people.borough_code
        and years.financial_year = people.financial_year
