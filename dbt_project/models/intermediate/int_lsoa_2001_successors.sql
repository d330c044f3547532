with successors as (
    select
        pairs.lsoa_2001_code,
        pairs.lsoa_2011_code,
        pairs.change_indicator,
        ward_in_use.ward_code
    from {{ ref('stg_reference__lsoa_2001_2011') }} as pairs
    left join {{ ref('int_lsoa_ward_in_use') }} as ward_in_use on pairs.lsoa_2011_code = ward_in_use.lsoa_code
)

-- where an area was split, its ward is certain only if all its parts lie in one
select
    lsoa_2001_code,
    max(change_indicator) as change_indicator,
    count(*) as successor_count,
    case when count(*) = 1 then max(lsoa_2011_code) end as lsoa_2011_code,
    case when count(distinct ward_code) = 1 and count(*) = count(ward_code) then max(ward_code) end as ward_code
from successors
group by lsoa_2001_code
