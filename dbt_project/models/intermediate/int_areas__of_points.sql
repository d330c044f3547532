with points as (
    select * from {{ ref('int_areas__points') }}
),

-- the box around all boundaries spares looking for London's other points
held as (
    select
        is_simulated,
        min(((box(outline))[1])[0]) as west,
        min(((box(outline))[1])[1]) as south,
        max(((box(outline))[0])[0]) as east,
        max(((box(outline))[0])[1]) as north
    from {{ ref('int_areas__parts') }}
    group by is_simulated
),

within as (
    select
        points.longitude,
        points.latitude,
        points.lsoa_code,
        points.record_count,
        points.is_simulated,
        parts.area_type,
        parts.boundary_year,
        parts.area_code,
        'boundary' as coded_by,
        -- a point on the line between two areas lies in one of them
        row_number() over (
            partition by
                points.longitude,
                points.latitude,
                points.lsoa_code,
                points.is_simulated,
                parts.area_type,
                parts.boundary_year
            order by parts.area_code
        ) as place
    from points
    inner join held
        on
            points.is_simulated = held.is_simulated
            and points.longitude between held.west and held.east
            and points.latitude between held.south and held.north
    inner join {{ ref('int_areas__parts') }} as parts
        on
            points.is_simulated = parts.is_simulated
            and parts.outline @> point(points.longitude, points.latitude)
    where not coalesce(point(points.longitude, points.latitude) <@ any(parts.holes), false)
),

-- of wards whose boundaries nobody sent, the ward that a look-up gives to the point's small area
look_ups as (
    select
        look_ups.lsoa_code,
        look_ups.ward_code,
        {{ year_of_boundary('wards.boundary_from') }} as boundary_year,
        look_ups.is_simulated,
        row_number() over (
            partition by look_ups.lsoa_code, {{ year_of_boundary('wards.boundary_from') }}, look_ups.is_simulated
            order by look_ups.lookup_year desc
        ) as place
    from {{ ref('stg_reference__lsoa_ward') }} as look_ups
    inner join {{ ref('wards_of_the_borough') }} as wards on look_ups.ward_code = wards.ward_code
)

select
    longitude,
    latitude,
    lsoa_code,
    record_count,
    is_simulated,
    area_type,
    boundary_year,
    area_code,
    coded_by
from within
where place = 1
union all
select
    points.longitude,
    points.latitude,
    points.lsoa_code,
    points.record_count,
    points.is_simulated,
    'wards' as area_type,
    look_ups.boundary_year,
    look_ups.ward_code as area_code,
    'look_up' as coded_by
from points
inner join look_ups
    on
        points.lsoa_code = look_ups.lsoa_code
        and points.is_simulated = look_ups.is_simulated
        and look_ups.place = 1
left join within
    on
        points.longitude = within.longitude
        and points.latitude = within.latitude
        and points.lsoa_code = within.lsoa_code
        and points.is_simulated = within.is_simulated
        and within.area_type = 'wards'
        and look_ups.boundary_year = within.boundary_year
        and within.place = 1
where within.area_code is null
