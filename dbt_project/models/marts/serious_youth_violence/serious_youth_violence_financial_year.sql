{{
    config(
        indexes=[
            {'columns': ['borough_code', 'financial_year'], 'unique': true},
        ],
    )
}}

{%- set stabbing = ('violence_class', 'stabbing') -%}
{%- set knife_threat = ('violence_class', 'knife_threat') -%}
{%- set serious_violence = ('violence_class', 'serious_violence') -%}
{%- set young = ('violence_class', 'serious_violence_aged_11_to_25') -%}
{%- set young_males = ('violence_class', 'serious_violence_males_aged_11_to_25') -%}
{%- set up_to_25 = ('violence_class', 'aged_25_and_under') -%}

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
            case when months.violence_class = 'firearm' and months.month <= newest.newest_whole_month then 1 else 0 end
        )::integer as months_covered,
        {% for violence_class in [
            'serious_youth_violence', 'serious_youth_violence_outside_carnival', 'serious_violence',
            'knife_injury', 'knife_threat', 'firearm', 'shots_fired', 'robbery_with_knife_injury', 'gun_robbery',
            'mobile_phone_robbery',
        ] -%}
        sum(
            case when months.violence_class = '{{ violence_class }}' then months.offences_as_recorded else 0 end
        )::integer as {{ violence_class }}_offences,
        {% endfor -%}
        {{ any_true('months.is_simulated') }} as is_simulated
    from {{ ref('serious_youth_violence_monthly') }} as months
    left join newest on true
    where months.geography_type = 'borough'
    group by months.borough_code, months.borough_name, months.financial_year
),

detections as (
    select
        boroughs.borough_code,
        monthly.month,
        monthly.outcome_month,
        monthly.detected_offence_count
    from {{ ref('int_sanction_detections__monthly') }} as monthly
    inner join {{ ref('dim_borough') }} as boroughs on monthly.borough_key = boroughs.borough_key
    where
        monthly.is_knife_used
        and not monthly.is_domestic_abuse
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

-- members that no force polices are overseas and the like
london as (
    select
        borough_code,
        borough_name
    from {{ ref('dim_borough') }}
    where
        police_force_name is not null
        and not is_pseudo_borough
),

people as (
    select
        people.borough_code,
        people.financial_year,
        {{ people_in('victim', class=stabbing) }} as stabbed,
        {{ people_in('victim', 'injury_degree', "'Fatal'", class=stabbing) }} as stabbed_killed,
        {{ people_in('victim', 'injury_degree', "'Serious'", class=stabbing) }} as stabbed_seriously,
        {{ people_in('victim', 'sex', "'Male'", class=stabbing) }} as stabbed_males,
        {{ boroughs_of_people('victim', class=stabbing) }} as stabbed_boroughs,
        {{ people_in('victim', 'carnival', "'On a day of Carnival'", class=stabbing) }} as stabbed_at_carnival,
        {{ people_in('victim', class=knife_threat) }} as threatened,
        {{ people_in('victim', 'sex', "'Female'", class=knife_threat) }} as threatened_females,
        {{ people_in('victim', class=young) }} as young,
        {{ people_in('victim', class=young_males) }} as young_males,
        {{ people_in('victim', 'ethnic_appearance', "'African-Caribbean'", class=young_males) }}
            as young_males_african_caribbean,
        {{ people_in('victim', 'ethnic_appearance', "'White European'", class=young_males) }}
            as young_males_white_european,
        {{ people_in('victim', 'ethnic_appearance', "'Arabic'", class=young_males) }} as young_males_arabic,
        {{ people_in('victim', class=serious_violence) }} as victims,
        {{ boroughs_of_people('victim', class=serious_violence) }} as victim_boroughs,
        {{ people_in('victim', 'residence', 'people.borough_name', class=serious_violence) }} as victims_living_here,
        {{ people_in('victim', 'residence', "'Hammersmith and Fulham'", class=serious_violence) }}
            as victims_living_in_hammersmith,
        {{ people_in('victim', 'residence', "'Westminster'", class=serious_violence) }}
            as victims_living_in_westminster,
        {{ people_in('accused', class=serious_violence) }} as accused,
        {{ boroughs_of_people('accused', class=serious_violence) }} as accused_boroughs,
        {{ people_in('accused', 'residence', 'people.borough_name', class=serious_violence) }} as accused_living_here,
        {{ people_in('victim', class=up_to_25) }} as victims_25_and_under,
        {{ people_in('accused', class=up_to_25) }} as accused_25_and_under
    from {{ ref('serious_youth_violence_people_financial_year') }} as people
    left join london
        on
            people.characteristic = 'residence'
            and people.characteristic_value = london.borough_name
    group by people.borough_code, people.financial_year
)

select
    years.borough_code,
    years.borough_name,
    years.financial_year,
    years.months_covered,
    years.serious_youth_violence_offences as serious_youth_violence_offence_count,
    years.serious_youth_violence_outside_carnival_offences as serious_youth_violence_offence_count_outside_carnival,
    people.victims_25_and_under as victim_25_and_under_count,
    people.accused_25_and_under as accused_25_and_under_count,
    years.serious_violence_offences as serious_violence_offence_count,
    years.knife_injury_offences as knife_injury_offence_count,
    people.stabbed as stabbing_victim_count,
    people.stabbed_killed as stabbing_murdered_victim_count,
    people.stabbed_seriously as stabbing_seriously_injured_victim_count,
    people.stabbed_males::numeric / nullif(people.stabbed, 0) as stabbing_victim_male_share,
    people.stabbed_boroughs as stabbing_victim_borough_count,
    people.stabbed_at_carnival as stabbing_victim_count_at_carnival,
    people.threatened as knife_threat_victim_count,
    people.threatened_females as knife_threat_female_victim_count,
    {% for basis in ['offence', 'outcome'] -%}
    case when first_detection.first_year <= years.year_from then coalesce(by_{{ basis }}.detected, 0) end
        as knife_injury_sanction_detections_by_{{ basis }}_date,
    case when first_detection.first_year <= years.year_from then coalesce(by_{{ basis }}.detected, 0) end::numeric
    / nullif(people.stabbed, 0) as knife_injury_sanction_detection_rate_by_{{ basis }}_date,
    {% endfor -%}
    people.young_males::numeric / nullif(people.young, 0) as victim_11_to_25_male_share,
    people.young_males_african_caribbean::numeric / nullif(people.young_males, 0)
        as victim_11_to_25_male_african_caribbean_share,
    people.young_males_white_european::numeric / nullif(people.young_males, 0)
        as victim_11_to_25_male_white_european_share,
    people.young_males_arabic::numeric / nullif(people.young_males, 0) as victim_11_to_25_male_arabic_share,
    people.victims as serious_violence_victim_count,
    people.victim_boroughs as serious_violence_victim_borough_count,
    people.victims_living_here::numeric / nullif(people.victims, 0) as serious_violence_victim_living_here_share,
    people.victims_living_in_hammersmith::numeric / nullif(people.victims, 0)
        as serious_violence_victim_living_in_hammersmith_and_fulham_share,
    people.victims_living_in_westminster::numeric / nullif(people.victims, 0)
        as serious_violence_victim_living_in_westminster_share,
    people.accused as serious_violence_accused_count,
    people.accused_boroughs as serious_violence_accused_borough_count,
    people.accused_living_here::numeric / nullif(people.accused, 0) as serious_violence_accused_living_here_share,
    years.firearm_offences as firearm_offence_count,
    years.shots_fired_offences as shots_fired_offence_count,
    years.robbery_with_knife_injury_offences as robbery_with_knife_injury_count,
    years.gun_robbery_offences as gun_robbery_count,
    years.mobile_phone_robbery_offences as mobile_phone_robbery_count,
    years.is_simulated,
    {{ build_id() }} as build_id
from years
cross join first_detection
left join people
    on
        years.borough_code = people.borough_code
        and years.financial_year = people.financial_year
left join detections_by_offence_date as by_offence
    on
        years.borough_code = by_offence.borough_code
        and years.financial_year = by_offence.financial_year
left join detections_by_outcome_date as by_outcome
    on
        years.borough_code = by_outcome.borough_code
        and years.financial_year = by_outcome.financial_year
