{{
    config(
        indexes=[
            {'columns': ['ward_code', 'financial_year'], 'unique': true},
            {'columns': ['borough_code', 'financial_year']},
        ],
    )
}}

{%- set counts = [
    'domestic_abuse_count', 'sexual_offences_count', 'non_domestic_violence_with_injury_count', 'hate_crime_count',
    'burglary_count', 'robbery_count', 'knife_offence_count', 'theft_from_motor_vehicle_count',
] -%}

with months as (
    select * from {{ ref('int_offences__wards_monthly') }}
),

years as (
    select
        borough_key,
        ward_key,
        {{ financial_year('month') }} as financial_year,
        sum(notifiable_count)::integer as offence_count,
        {%- for count in counts %}
        sum({{ count }})::integer as {{ count }},
        {%- endfor %}
        {{ any_true('is_simulated') }} as is_simulated
    from months
    group by borough_key, ward_key, {{ financial_year('month') }}
),

-- the whole borough, with what lies in no ward that we know
borough_years as (
    select
        months.borough_key,
        {{ financial_year('months.month') }} as financial_year,
        count(distinct case when months.month <= newest.newest_whole_month then months.month end)::integer
            as months_covered,
        sum(months.notifiable_count)::integer as offence_count
    from months
    left join {{ ref('int_partner_feeds__newest_months') }} as newest on newest.feed = 'police_offences'
    group by months.borough_key, {{ financial_year('months.month') }}
),

-- wards as the one look-up draws them that serves all years
residents as (
    select
        ward_key,
        count(*)::integer as lsoa_count,
        sum(persons_count)::integer as population,
        max(population_year) as population_year,
        case when count(imd_2015_decile) > 0 then count(case when imd_2015_decile = 1 then 1 end)::integer end
            as most_deprived_tenth_lsoa_count,
        min(imd_2015_rank) as most_deprived_lsoa_rank
    from {{ ref('dim_lsoa') }}
    where boundary_vintage = '2011' and ward_key not in (0, -1)
    group by ward_key
),

asb_years as (
    select
        ward_code,
        financial_year,
        sum(case when asb_class = 'police_all' then records_as_recorded end)::integer as asb_report_count,
        sum(case when asb_class = 'landlord_all' then records_as_recorded end)::integer as landlord_asb_case_count,
        sum(case when asb_class = 'council_all' then records_as_recorded end)::integer as council_action_count,
        {{ any_true('is_simulated') }} as is_simulated
    from {{ ref('asb_monthly') }}
    where geography_type = 'ward'
    group by ward_code, financial_year
)

select
    years.ward_key,
    wards.ward_code,
    wards.ward_name,
    wards.borough_code,
    wards.borough_name,
    years.financial_year,
    make_date(left(years.financial_year, 4)::integer, 4, 1) as financial_year_from_date,
    borough_years.months_covered,
    residents.population,
    residents.population_year,
    residents.lsoa_count,
    residents.most_deprived_tenth_lsoa_count,
    residents.most_deprived_lsoa_rank,
    years.offence_count,
    years.offence_count::numeric / nullif(borough_years.offence_count, 0) as share_of_borough_offences,
    rank() over (
        partition by years.borough_key, years.financial_year order by years.offence_count desc
    )::integer as rank_by_offences,
    case
        when borough_years.months_covered = 12 then 1000.0 * years.offence_count / nullif(residents.population, 0)
    end as offences_per_1000_residents,
    {%- for count in counts %}
    years.{{ count }}{{ ' as sexual_offence_count' if count == 'sexual_offences_count' }},
    {%- endfor %}
    asb_years.asb_report_count,
    asb_years.landlord_asb_case_count,
    asb_years.council_action_count,
    years.is_simulated or coalesce(asb_years.is_simulated, false) as is_simulated,
    {{ build_id() }} as build_id
from years
inner join {{ ref('dim_ward') }} as wards on years.ward_key = wards.ward_key
inner join borough_years
    on
        years.borough_key = borough_years.borough_key
        and years.financial_year = borough_years.financial_year
left join residents on years.ward_key = residents.ward_key
left join asb_years
    on
        wards.ward_code = asb_years.ward_code
        and years.financial_year = asb_years.financial_year
-- what lies in no ward that we know is in the borough's figures
where years.ward_key not in (0, -1)
