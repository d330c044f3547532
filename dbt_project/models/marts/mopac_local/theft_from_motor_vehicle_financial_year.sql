{{
    config(
        indexes=[
            {'columns': ['borough_code', 'financial_year'], 'unique': true},
        ],
    )
}}

{#- the southern wards: Brompton and Hans Town, Chelsea Riverside, Redcliffe, Royal Hospital, Stanley -#}
{%- set kinds = {
    'saloon': ('vehicle_body', ['Saloon']),
    'estate': ('vehicle_body', ['Estate']),
    'hatchback': ('vehicle_body', ['Hatchback']),
    'van_or_lorry': ('vehicle_body', ['Van', 'Lorry']),
    'motorcycle_or_scooter': ('vehicle_body', ['Motorcycle', 'Scooter or moped']),
    'street': ('location_type', ['Street']),
    'car_park': ('location_type', ['Car park']),
    'driveway': ('location_type', ['Driveway']),
    'southern_wards': ('ward', ['E05009389', 'E05009391', 'E05009402', 'E05009403', 'E05009405']),
    'brompton_and_hans_town': ('ward', ['E05009389']),
} -%}

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
        sum(case when months.month <= newest.newest_whole_month then 1 else 0 end)::integer as months_covered,
        sum(months.offences_as_recorded)::integer as offence_count,
        -- a year in which the outcomes begin is not whole
        {% for basis in ['offence', 'outcome'] -%}
        case
            when count(months.sanction_detections_by_{{ basis }}_date) = count(*)
                then sum(months.sanction_detections_by_{{ basis }}_date)::integer
        end as sanction_detections_by_{{ basis }}_date,
        {% endfor -%}
        {{ any_true('months.is_simulated') }} as is_simulated
    from {{ ref('mopac_local_monthly') }} as months
    left join newest on true
    where
        months.geography_type = 'borough'
        and months.offence_class = 'theft_from_motor_vehicle'
    group by months.borough_code, months.borough_name, months.financial_year
),

changes as (
    {{ changes_between_years(['theft_from_motor_vehicle'], years_back=1) }}
),

kinds as (
    select
        {% for name, (breakdown, found) in kinds.items() -%}
        sum(
            case
                when
                    breakdown = '{{ breakdown }}'
                    and breakdown_code in (
                        '{{ found | join("', '") }}'
                    )
                    then offence_count
                else 0
            end
        )::integer as {{ name }},
        {% endfor -%}
        borough_code,
        financial_year
    from {{ ref('theft_from_motor_vehicle_breakdown') }}
    group by borough_code, financial_year
),

accused as (
    select
        people.borough_code,
        people.financial_year,
        sum(case when people.characteristic = 'all' then people.people_count else 0 end)::integer as accused_count,
        max(case when people.characteristic = 'all' then people.mean_age end) as mean_age,
        sum(
            case
                when people.characteristic = 'sex' and people.characteristic_value = 'Male' then people.people_count
                else 0
            end
        ) as male,
        sum(
            case
                when people.characteristic = 'residence' and people.characteristic_value = people.borough_name
                    then people.people_count
                else 0
            end
        )::integer as living_here,
        sum(
            case
                when people.characteristic = 'residence' and neighbours.neighbour_name is not null
                    then people.people_count
                else 0
            end
        )::integer as living_next_door
    from {{ ref('mopac_local_people_financial_year') }} as people
    left join {{ ref('neighbouring_boroughs') }} as neighbours
        on
            people.borough_code = neighbours.borough_code
            and people.characteristic_value = neighbours.neighbour_name
    where
        people.offence_class = 'theft_from_motor_vehicle'
        and people.role = 'accused'
    group by people.borough_code, people.financial_year
),

with_neighbours_named as (
    select distinct borough_code
    from {{ ref('neighbouring_boroughs') }}
),

-- where the feed of people holds nothing of a year nobody can say that no one was accused
years_of_accused as (
    select distinct financial_year
    from {{ ref('mopac_local_people_financial_year') }}
    where role = 'accused'
)

select
    years.borough_code,
    years.borough_name,
    years.financial_year,
    years.months_covered,
    years.offence_count,
    {{ change_on_year('offence_count', 'year_before', 'changes') }} as change_on_year_before,
    {{ reason_of_no_change_on_year('offence_count', 'year_before', 'changes') }} as change_on_year_before_reason,
    {% for basis in ['offence', 'outcome'] -%}
    years.sanction_detections_by_{{ basis }}_date,
    years.sanction_detections_by_{{ basis }}_date::numeric / nullif(years.offence_count, 0)
        as sanction_detection_rate_by_{{ basis }}_date,
    {% endfor -%}
    {% for name in kinds -%}
    {{ 'kinds.' ~ name ~ ' as ' ~ name ~ '_count,' if name == 'brompton_and_hans_town' }}
    kinds.{{ name }}::numeric / nullif(years.offence_count, 0) as {{ name }}_share,
    {% endfor -%}
    case when years_of_accused.financial_year is not null then coalesce(accused.accused_count, 0) end as accused_count,
    accused.male::numeric / nullif(accused.accused_count, 0) as accused_male_share,
    accused.mean_age as accused_mean_age,
    accused.living_here as accused_living_here_count,
    accused.living_here::numeric / nullif(accused.accused_count, 0) as accused_living_here_share,
    case when with_neighbours_named.borough_code is not null then accused.living_next_door end
        as accused_living_next_door_count,
    case
        when with_neighbours_named.borough_code is not null
            then accused.living_next_door::numeric / nullif(accused.accused_count, 0)
    end as accused_living_next_door_share,
    years.is_simulated,
    {{ build_id() }} as build_id
from years
left join years as year_before
    on
        years.borough_code = year_before.borough_code
        and {{ add_years('years.year_from', -1) }} = year_before.year_from
left join changes on {{ are_of_year('changes') }}
left join kinds
    on
        years.borough_code = kinds.borough_code
        and years.financial_year = kinds.financial_year
left join accused
    on
        years.borough_code = accused.borough_code
        and years.financial_year = accused.financial_year
left join years_of_accused on years.financial_year = years_of_accused.financial_year
left join with_neighbours_named on years.borough_code = with_neighbours_named.borough_code
