with population as (
    select
        *,
        row_number() over (partition by lsoa_code order by population_year desc) as place
    from {{ ref('stg_reference__lsoa_population') }}
),

deprivation as (
    select
        lsoa_code,
        max(case when index_year = 2015 then imd_rank end) as imd_2015_rank,
        max(case when index_year = 2015 then imd_decile end) as imd_2015_decile,
        max(case when index_year = 2019 then imd_rank end) as imd_2019_rank
    from {{ ref('stg_reference__deprivation') }}
    group by lsoa_code
),

members as (
    select
        {{ surrogate_key(['lsoas.lsoa_code']) }} as lsoa_key,
        lsoas.lsoa_code,
        lsoas.lsoa_name,
        lsoas.boundary_vintage,
        case
            when lsoas.boundary_vintage = '2011' then lsoas.lsoa_code
            when lsoas.boundary_vintage = '2001' then successors.lsoa_2011_code
        end as lsoa_2011_code,
        successors.change_indicator as change_2001_to_2011,
        lsoas_2021.change_indicator as change_2011_to_2021,
        lsoas_2021.comparable_lsoa_code,
        lsoas.borough_code is not null as is_in_london,
        lsoas.borough_code,
        lsoas.district_name,
        coalesce(ward_in_use.ward_code, successors.ward_code, lsoas_2021.ward_code) as ward_code,
        ward_in_use.lookup_year as ward_lookup_year,
        population.msoa_code,
        population.persons_count,
        population.population_year,
        deprivation.imd_2015_rank,
        deprivation.imd_2015_decile,
        deprivation.imd_2019_rank,
        lsoas.is_simulated
    from {{ ref('int_lsoas') }} as lsoas
    left join {{ ref('int_lsoa_ward_in_use') }} as ward_in_use on lsoas.lsoa_code = ward_in_use.lsoa_code
    left join {{ ref('int_lsoa_2001_successors') }} as successors on lsoas.lsoa_code = successors.lsoa_2001_code
    left join {{ ref('int_lsoa_2021') }} as lsoas_2021 on lsoas.lsoa_code = lsoas_2021.lsoa_code
    left join population on lsoas.lsoa_code = population.lsoa_code and population.place = 1
    left join deprivation on lsoas.lsoa_code = deprivation.lsoa_code
)

select
    members.lsoa_key,
    members.lsoa_code,
    members.lsoa_name,
    members.boundary_vintage,
    members.lsoa_2011_code,
    members.change_2001_to_2011,
    members.change_2011_to_2021,
    members.comparable_lsoa_code,
    members.is_in_london,
    case when members.is_in_london then coalesce(boroughs.borough_key, 0) else -1 end::bigint as borough_key,
    members.borough_code,
    coalesce(boroughs.borough_name, members.district_name) as district_name,
    case when members.is_in_london then coalesce(wards.ward_key, 0) else -1 end::bigint as ward_key,
    members.ward_code,
    members.ward_lookup_year,
    members.msoa_code,
    members.persons_count,
    members.population_year,
    members.imd_2015_rank,
    members.imd_2015_decile,
    members.imd_2019_rank,
    members.is_simulated,
    {{ build_id() }} as build_id
from members
left join {{ ref('dim_borough') }} as boroughs on members.borough_code = boroughs.borough_code
left join {{ ref('dim_ward') }} as wards on members.ward_code = wards.ward_code
union all
select
    {{ unknown_key() }} as lsoa_key,
    'UNKNOWN' as lsoa_code,
    'Not known' as lsoa_name,
    'not known' as boundary_vintage,
    null as lsoa_2011_code,
    null as change_2001_to_2011,
    null as change_2011_to_2021,
    null as comparable_lsoa_code,
    false as is_in_london,
    0 as borough_key,
    null as borough_code,
    null as district_name,
    0 as ward_key,
    null as ward_code,
    null as ward_lookup_year,
    null as msoa_code,
    null as persons_count,
    null as population_year,
    null as imd_2015_rank,
    null as imd_2015_decile,
    null as imd_2019_rank,
    false as is_simulated,
    {{ build_id() }} as build_id
