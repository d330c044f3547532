with lsoas as (
    select *
    from {{ ref('dim_lsoa') }}
    where boundary_vintage = '2011' and borough_key not in (0, -1)
),

said as (
    select
        borough_key,
        population_year as reference_year,
        persons_count,
        null::integer as tenth_of_deprivation,
        is_simulated
    from lsoas
    where persons_count is not null
    union all
    select
        borough_key,
        2015 as reference_year,
        null as persons_count,
        imd_2015_decile as tenth_of_deprivation,
        is_simulated
    from lsoas
    where imd_2015_decile is not null
    union all
    -- that edition comes without tenths; England has 32,844 LSOAs of 2011
    select
        borough_key,
        2019 as reference_year,
        null as persons_count,
        ceil(imd_2019_rank * 10 / 32844.0)::integer as tenth_of_deprivation,
        is_simulated
    from lsoas
    where imd_2019_rank is not null
),

by_borough as (
    select
        borough_key,
        reference_year,
        greatest(count(persons_count), count(tenth_of_deprivation))::integer as lsoa_count,
        sum(persons_count)::integer as population,
        case
            when count(tenth_of_deprivation) > 0
                then count(case when tenth_of_deprivation = 1 then 1 end)::integer
        end as most_deprived_tenth_lsoa_count,
        {{ any_true('is_simulated') }} as is_simulated
    from said
    group by borough_key, reference_year
)

select
    by_borough.borough_key,
    boroughs.borough_code,
    boroughs.borough_name,
    by_borough.reference_year,
    {{ financial_year('make_date(by_borough.reference_year, 12, 31)') }} as financial_year,
    by_borough.lsoa_count,
    by_borough.population,
    by_borough.most_deprived_tenth_lsoa_count,
    by_borough.most_deprived_tenth_lsoa_count::numeric / by_borough.lsoa_count as most_deprived_tenth_lsoa_share,
    by_borough.is_simulated,
    {{ build_id() }} as build_id
from by_borough
inner join {{ ref('dim_borough') }} as boroughs on by_borough.borough_key = boroughs.borough_key
