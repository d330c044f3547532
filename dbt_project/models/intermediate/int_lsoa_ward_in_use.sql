with look_ups as (
    select * from {{ ref('stg_reference__lsoa_ward') }}
),

-- the look-up of the year we ask for, or else the latest before it, or else the earliest
years_ranked as (
    select
        lookup_year,
        row_number() over (
            order by
                case when lookup_year <= {{ var('ward_lookup_year') }} then 0 else 1 end,
                abs(lookup_year - {{ var('ward_lookup_year') }})
        ) as place
    from (select distinct lookup_year from look_ups) as years
)

select
    look_ups.lsoa_code,
    look_ups.lsoa_name,
    look_ups.ward_code,
    look_ups.borough_code,
    look_ups.lookup_year,
    look_ups.is_simulated
from look_ups
inner join years_ranked on look_ups.lookup_year = years_ranked.lookup_year
where years_ranked.place = 1
