-- of areas that were changed otherwise, in part, nobody can say: they have no row
with pairs as (
    select
        whole.from_area_code,
        whole.to_area_code,
        whole.change_indicator,
        ward_in_use.ward_code
    from {{ ref('int_areas__whole') }} as whole
    left join {{ ref('int_lsoa_ward_in_use') }} as ward_in_use on whole.from_area_code = ward_in_use.lsoa_code
    where
        whole.area_type = 'lsoa'
        and whole.to_year = 2021
)

select
    from_area_code as lsoa_code,
    max(change_indicator) as change_indicator,
    case when max(change_indicator) = 'S' then from_area_code else max(to_area_code) end as comparable_lsoa_code,
    null as ward_code
from pairs
group by from_area_code
union all
select
    to_area_code as lsoa_code,
    max(change_indicator) as change_indicator,
    case when max(change_indicator) = 'S' then max(from_area_code) else to_area_code end as comparable_lsoa_code,
    -- where areas were merged, the ward is certain only if all of them lie in one
    case when count(distinct ward_code) = 1 and count(*) = count(ward_code) then max(ward_code) end as ward_code
from pairs
where change_indicator <> 'U'
group by to_area_code
