{{
    config(
        indexes=[
            {'columns': ['borough_code', 'financial_year'], 'unique': true},
        ],
    )
}}

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
                when months.vawg_class = 'domestic_abuse' and months.month <= newest.newest_whole_month then 1 else 0
            end
        )::integer as months_covered,
        {% for vawg_class in [
            'domestic_abuse', 'domestic_abuse_violence_against_the_person', 'domestic_abuse_violence_with_injury',
            'domestic_abuse_sexual_offences', 'domestic_abuse_property_crime', 'domestic_abuse_criminal_damage',
            'sexual_offences', 'rape', 'stalking_and_harassment', 'honour_based', 'female_genital_mutilation',
            'harmful_practices', 'trafficking',
        ] -%}
        sum(case when months.vawg_class = '{{ vawg_class }}' then months.offences_as_recorded else 0 end)::integer
            as {{ vawg_class }}_offence_count,
        {% endfor -%}
        {{ any_true('months.is_simulated') }} as is_simulated
    from {{ ref('vawg_monthly') }} as months
    left join newest on true
    where months.geography_type = 'borough'
    group by months.borough_code, months.borough_name, months.financial_year
),

changes as (
    {{ changes_between_years(['domestic_abuse', 'sexual_offences'], years_back=4) }}
),

notes as (
    {{ notes_of_years(['domestic_abuse', 'sexual_offences']) }}
),

detections as (
    select
        boroughs.borough_code,
        monthly.month,
        monthly.outcome_month,
        case when monthly.is_domestic_abuse then monthly.detected_offence_count else 0 end as domestic_abuse,
        case when offences.is_sexual_offence then monthly.detected_offence_count else 0 end as sexual_offences,
        case when offences.is_rape then monthly.detected_offence_count else 0 end as rape
    from {{ ref('int_sanction_detections__monthly') }} as monthly
    inner join {{ ref('dim_offence') }} as offences on monthly.offence_key = offences.offence_key
    inner join {{ ref('dim_borough') }} as boroughs on monthly.borough_key = boroughs.borough_key
    where monthly.is_domestic_abuse or offences.is_sexual_offence
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
        sum(domestic_abuse)::integer as domestic_abuse,
        sum(sexual_offences)::integer as sexual_offences,
        sum(rape)::integer as rape
    from detections
    group by borough_code, {{ financial_year(column) }}
),

{% endfor -%}

relationship_groups as (
    select distinct
        relationship_group_name,
        is_partner,
        is_family
    from {{ ref('relationships') }}
),

accused as (
    select
        people.borough_code,
        people.financial_year,
        {{ people_in('accused') }} as accused_count,
        sum(
            case when people.role = 'accused' and relationship_groups.is_partner then people.people_count else 0 end
        ) as partners,
        sum(
            case when people.role = 'accused' and relationship_groups.is_family then people.people_count else 0 end
        ) as relatives
    from {{ ref('vawg_people_financial_year') }} as people
    left join relationship_groups
        on
            people.characteristic = 'relationship'
            and people.characteristic_value = relationship_groups.relationship_group_name
    where people.vawg_class = 'domestic_abuse'
    group by people.borough_code, people.financial_year
),

-- March, the last month of the year
repeat_victims as (
    select
        borough_code,
        financial_year,
        victim_count,
        repeat_victims_as_recorded,
        repeat_victim_share
    from {{ ref('vawg_repeat_victim_monthly') }}
    where extract(month from month) = 3
)

select
    years.borough_code,
    years.borough_name,
    years.financial_year,
    years.months_covered,
    years.domestic_abuse_offence_count,
    {{ change_on_year('domestic_abuse_offence_count', 'four_years_before', 'domestic_abuse_changes') }}
        as domestic_abuse_change_over_five_years,
    {{ reason_of_no_change_on_year('domestic_abuse_offence_count', 'four_years_before', 'domestic_abuse_changes') }}
        as domestic_abuse_change_reason,
    domestic_abuse_notes.note as domestic_abuse_caveat,
    {% for part, column in [
        ('violence_against_the_person', 'violence'), ('sexual_offences', 'sexual'), ('property_crime', 'property'),
        ('criminal_damage', 'criminal_damage'),
    ] -%}
    years.domestic_abuse_{{ part }}_offence_count::numeric / nullif(years.domestic_abuse_offence_count, 0)
        as domestic_abuse_{{ column }}_share,
    {% endfor -%}
    years.domestic_abuse_violence_with_injury_offence_count::numeric
    / nullif(years.domestic_abuse_violence_against_the_person_offence_count, 0)
        as domestic_abuse_violence_with_injury_share,
    years.sexual_offences_offence_count as sexual_offence_count,
    {{ change_on_year('sexual_offences_offence_count', 'four_years_before', 'sexual_changes') }}
        as sexual_offences_change_over_five_years,
    {{ reason_of_no_change_on_year('sexual_offences_offence_count', 'four_years_before', 'sexual_changes') }}
        as sexual_offences_change_reason,
    sexual_notes.note as sexual_offences_caveat,
    years.rape_offence_count,
    {% for vawg_class, basis in [
        ('domestic_abuse', 'offence'), ('domestic_abuse', 'outcome'), ('sexual_offences', 'offence'),
        ('sexual_offences', 'outcome'), ('rape', 'offence'), ('rape', 'outcome'),
    ] -%}
    case when first_detection.first_year <= years.year_from then coalesce(by_{{ basis }}.{{ vawg_class }}, 0) end
        as {{ vawg_class }}_sanction_detections_by_{{ basis }}_date,
    case
        when first_detection.first_year <= years.year_from
            then
                coalesce(by_{{ basis }}.{{ vawg_class }}, 0)::numeric
                / nullif(years.{{ vawg_class }}_offence_count, 0)
    end as {{ vawg_class }}_sanction_detection_rate_by_{{ basis }}_date,
    {% endfor -%}
    accused.accused_count as domestic_abuse_accused_count,
    accused.partners::numeric / nullif(accused.accused_count, 0) as domestic_abuse_accused_partner_share,
    accused.relatives::numeric / nullif(accused.accused_count, 0) as domestic_abuse_accused_family_share,
    repeat_victims.victim_count as domestic_abuse_victim_count_in_march,
    repeat_victims.repeat_victims_as_recorded as domestic_abuse_repeat_victim_count_in_march,
    repeat_victims.repeat_victim_share as domestic_abuse_repeat_victim_share_in_march,
    years.stalking_and_harassment_offence_count,
    years.honour_based_offence_count,
    years.female_genital_mutilation_offence_count,
    years.harmful_practices_offence_count,
    years.trafficking_offence_count,
    years.is_simulated,
    {{ build_id() }} as build_id
from years
cross join first_detection
left join years as four_years_before
    on
        years.borough_code = four_years_before.borough_code
        and {{ add_years('years.year_from', -4) }} = four_years_before.year_from
left join changes as domestic_abuse_changes
    on
        {{ are_of_year('domestic_abuse_changes') }}
        and domestic_abuse_changes.series = 'domestic_abuse'
left join changes as sexual_changes
    on
        {{ are_of_year('sexual_changes') }}
        and sexual_changes.series = 'sexual_offences'
left join notes as domestic_abuse_notes
    on
        years.year_from = domestic_abuse_notes.year_from
        and domestic_abuse_notes.series = 'domestic_abuse'
left join notes as sexual_notes
    on
        years.year_from = sexual_notes.year_from
        and sexual_notes.series = 'sexual_offences'
left join detections_by_offence_date as by_offence
    on
        years.borough_code = by_offence.borough_code
        and years.financial_year = by_offence.financial_year
left join detections_by_outcome_date as by_outcome
    on
        years.borough_code = by_outcome.borough_code
        and years.financial_year = by_outcome.financial_year
left join accused
    on
        years.borough_code = accused.borough_code
        and years.financial_year = accused.financial_year
left join repeat_victims
    on
        years.borough_code = repeat_victims.borough_code
        and years.financial_year = repeat_victims.financial_year
