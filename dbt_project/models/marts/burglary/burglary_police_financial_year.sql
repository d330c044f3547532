{{
    config(
        indexes=[
            {'columns': ['borough_code', 'financial_year'], 'unique': true},
        ],
    )
}}

{%- set classes = ['residential', 'business_and_community'] -%}
{%- set definitions = ['as_recorded', 'old_definition', 'new_definition'] -%}

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
            case when months.burglary_class = 'all' and months.month <= newest.newest_whole_month then 1 else 0 end
        )::integer as months_covered,
        sum(case when months.burglary_class = 'all' then months.offences_as_recorded else 0 end)::integer
            as offence_count,
        {% for class in classes -%}
        {% for definition in definitions -%}
        sum(
            case when months.burglary_class = '{{ class }}' then months.offences_{{ definition }} else 0 end
        )::integer as {{ class }}_offences_{{ definition }},
        sum(
            case when months.burglary_class = '{{ class }}' then months.walk_in_offences_{{ definition }} else 0 end
        )::integer as {{ class }}_walk_in_offences_{{ definition }},
        {% endfor -%}
        {% endfor -%}
        sum(
            case when months.burglary_class = 'residential' then months.offences_of_class_not_known else 0 end
        )::integer as offences_of_class_not_known,
        sum(case when months.burglary_class = 'all' then months.walk_in_offences_as_recorded else 0 end)::integer
            as walk_in_offence_count,
        -- a year in which the outcomes begin is not whole
        {% for basis in ['offence', 'outcome'] -%}
        case
            when count(months.sanction_detections_by_{{ basis }}_date) = count(*)
                then sum(
                    case
                        when months.burglary_class = 'all' then months.sanction_detections_by_{{ basis }}_date
                        else 0
                    end
                )::integer
        end as sanction_detections_by_{{ basis }}_date,
        {% endfor -%}
        {{ any_true('months.is_simulated') }} as is_simulated
    from {{ ref('burglary_police_monthly') }} as months
    left join newest on true
    where months.geography_type = 'borough'
    group by months.borough_code, months.borough_name, months.financial_year
),

changes as (
    {{ changes_between_years(['burglary'], years_back=1) }}
),

changes_over_five_years as (
    {{ changes_between_years(['burglary'], years_back=4) }}
),

people as (
    select
        people.borough_code,
        people.financial_year,
        sum(
            case when people.role = 'accused' and people.characteristic = 'all' then people.people_count else 0 end
        )::integer as accused_count,
        max(case when people.role = 'accused' and people.characteristic = 'all' then people.mean_age end)
            as accused_mean_age,
        {% for characteristic, value, name in [
            ('sex', 'Male', 'male'),
            ('ethnic_appearance', 'White European', 'white_european'),
            ('ethnic_appearance', 'African-Caribbean', 'african_caribbean'),
        ] -%}
        sum(
            case
                when
                    people.role = 'accused'
                    and people.characteristic = '{{ characteristic }}'
                    and people.characteristic_value = '{{ value }}'
                    then people.people_count
                else 0
            end
        ) as accused_{{ name }},
        {% endfor -%}
        sum(
            case
                when
                    people.role = 'accused'
                    and people.characteristic = 'residence'
                    and people.characteristic_value in (people.borough_name, 'Hammersmith and Fulham')
                    then people.people_count
                else 0
            end
        ) as accused_local,
        count(
            distinct case
                -- Overseas and no fixed abode are members of dim_borough too
                when people.role = 'accused' and residences.borough_code like 'E09%' then residences.borough_code
            end
        )::integer as accused_borough_count,
        sum(
            case when people.role = 'victim' and people.characteristic = 'all' then people.people_count else 0 end
        )::integer as victim_count
    from {{ ref('burglary_people_financial_year') }} as people
    left join {{ ref('dim_borough') }} as residences
        on
            people.characteristic = 'residence'
            and people.characteristic_value = residences.borough_name
    group by people.borough_code, people.financial_year
),

repeat_premises as (
    select
        borough_code,
        financial_year,
        count(*)::integer as offence_count
    from {{ ref('burglary_repeat_premises') }}
    group by borough_code, financial_year
)

select
    years.borough_code,
    years.borough_name,
    years.financial_year,
    years.months_covered,
    years.offence_count,
    {{ change_on_year('offence_count', 'year_before', 'changes') }} as burglary_change_on_year_before,
    {{ reason_of_no_change_on_year('offence_count', 'year_before', 'changes') }}
        as burglary_change_on_year_before_reason,
    {{ change_on_year('offence_count', 'four_years_before', 'changes_over_five_years') }}
        as burglary_change_over_five_years,
    {{ reason_of_no_change_on_year('offence_count', 'four_years_before', 'changes_over_five_years') }}
        as burglary_change_over_five_years_reason,
    {% for definition in definitions -%}
    {% for class in classes -%}
    years.{{ class }}_offences_{{ definition }},
    {% endfor -%}
    {% endfor -%}
    years.offences_of_class_not_known,
    years.residential_offences_old_definition::numeric / nullif(years.offence_count, 0)
        as dwelling_share_old_definition,
    years.residential_offences_new_definition::numeric / nullif(years.offence_count, 0)
        as residential_share_new_definition,
    years.walk_in_offence_count,
    years.residential_walk_in_offences_old_definition::numeric
    / nullif(years.residential_offences_old_definition, 0) as dwelling_walk_in_share_old_definition,
    years.business_and_community_walk_in_offences_old_definition::numeric
    / nullif(years.business_and_community_offences_old_definition, 0) as other_building_walk_in_share_old_definition,
    years.residential_walk_in_offences_new_definition::numeric
    / nullif(years.residential_offences_new_definition, 0) as residential_walk_in_share_new_definition,
    years.business_and_community_walk_in_offences_new_definition::numeric
    / nullif(years.business_and_community_offences_new_definition, 0)
        as business_and_community_walk_in_share_new_definition,
    {% for basis in ['offence', 'outcome'] -%}
    years.sanction_detections_by_{{ basis }}_date,
    years.sanction_detections_by_{{ basis }}_date::numeric / nullif(years.offence_count, 0)
        as sanction_detection_rate_by_{{ basis }}_date,
    {% endfor -%}
    people.accused_count,
    people.accused_male::numeric / nullif(people.accused_count, 0) as accused_male_share,
    people.accused_mean_age,
    people.accused_white_european::numeric / nullif(people.accused_count, 0) as accused_white_european_share,
    people.accused_african_caribbean::numeric / nullif(people.accused_count, 0) as accused_african_caribbean_share,
    people.accused_local::numeric / nullif(people.accused_count, 0)
        as accused_living_here_or_in_hammersmith_and_fulham_share,
    case when people.accused_count > 0 then people.accused_borough_count end as accused_borough_count,
    people.victim_count,
    -- with less than a year before it nobody can say what was burgled before
    case when year_before.months_covered = 12 then coalesce(repeat_premises.offence_count, 0) end
        as repeat_premises_offence_count,
    years.is_simulated,
    {{ build_id() }} as build_id
from years
left join years as year_before
    on
        years.borough_code = year_before.borough_code
        and {{ add_years('years.year_from', -1) }} = year_before.year_from
left join years as four_years_before
    on
        years.borough_code = four_years_before.borough_code
        and {{ add_years('years.year_from', -4) }} = four_years_before.year_from
left join changes on {{ are_of_year('changes') }}
left join changes_over_five_years on {{ are_of_year('changes_over_five_years') }}
left join people
    on
        years.borough_code = people.borough_code
        and years.financial_year = people.financial_year
left join repeat_premises
    on
        years.borough_code = repeat_premises.borough_code
        and years.financial_year = repeat_premises.financial_year
