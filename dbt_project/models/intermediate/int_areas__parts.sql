{#- PostgreSQL's own polygons tell which points lie in them: no extension is needed, and degrees serve as they are. -#}
with parts as (
    select
        boundaries.area_type,
        boundaries.boundary_year,
        boundaries.area_code,
        boundaries.area_name,
        boundaries.borough_code,
        boundaries.is_simulated,
        part.rings
    from {{ ref('stg_reference__boundaries') }} as boundaries
    cross join
        lateral jsonb_array_elements(
            case boundaries.shape
                when 'Polygon' then jsonb_build_array(boundaries.coordinates::jsonb)
                else boundaries.coordinates::jsonb
            end
        ) as part (rings)
)

select
    parts.area_type,
    parts.boundary_year,
    parts.area_code,
    parts.area_name,
    parts.borough_code,
    translate((parts.rings -> 0)::text, '[]', '()')::polygon as outline,
    (
        select array_agg(translate(corner.place::text, '[]', '()')::point)
        from jsonb_array_elements(parts.rings -> 0) as corner (place)
    ) as corners,
    (
        select array_agg(translate(hole.ring::text, '[]', '()')::polygon)
        from jsonb_array_elements(parts.rings - 0) as hole (ring)
    ) as holes,
    parts.is_simulated
from parts
