with parts as (
    select * from {{ ref('int_areas__parts') }}
),

areas as (
    select
        area_type,
        boundary_year,
        area_code,
        is_simulated,
        count(*) as part_count,
        lead(boundary_year) over (partition by area_type, area_code, is_simulated order by boundary_year)
            as kept_to_year
    from parts
    group by area_type, boundary_year, area_code, is_simulated
),

generations as (
    select
        area_type,
        is_simulated,
        boundary_year as from_year,
        lead(boundary_year) over (partition by area_type, is_simulated order by boundary_year) as to_year
    from (
        select distinct
            area_type,
            boundary_year,
            is_simulated
        from areas
    ) as every_generation
),

-- an area that keeps its code has not changed: the Office for National Statistics gives a new one to those that have
kept as (
    select
        areas.area_type,
        generations.to_year,
        areas.area_code as from_area_code,
        areas.area_code as to_area_code,
        'U' as change_indicator,
        areas.is_simulated
    from areas
    inner join generations
        on
            areas.area_type = generations.area_type
            and areas.boundary_year = generations.from_year
            and areas.kept_to_year = generations.to_year
            and areas.is_simulated = generations.is_simulated
),

neighbours as (
    select
        generations.area_type,
        generations.from_year,
        generations.to_year,
        earlier.area_code as from_area_code,
        later.area_code as to_area_code,
        {{ is_within('earlier', 'later') }} as is_merged,
        {{ is_within('later', 'earlier') }} as is_split,
        generations.is_simulated
    from generations
    inner join parts as earlier
        on
            generations.area_type = earlier.area_type
            and generations.from_year = earlier.boundary_year
            and generations.is_simulated = earlier.is_simulated
    inner join parts as later
        on
            generations.area_type = later.area_type
            and generations.to_year = later.boundary_year
            and generations.is_simulated = later.is_simulated
            and earlier.outline && later.outline
    left join kept as earlier_kept
        on
            earlier.area_code = earlier_kept.from_area_code
            and generations.to_year = earlier_kept.to_year
            and generations.is_simulated = earlier_kept.is_simulated
    left join kept as later_kept
        on
            later.area_code = later_kept.to_area_code
            and generations.to_year = later_kept.to_year
            and generations.is_simulated = later_kept.is_simulated
    where
        earlier_kept.to_year is null
        and later_kept.to_year is null
),

-- an area lies within another if all its parts do
merged_or_split as (
    select
        neighbours.area_type,
        neighbours.to_year,
        neighbours.from_area_code,
        neighbours.to_area_code,
        case
            when sum(case when neighbours.is_merged then 1 else 0 end) = max(earlier.part_count) then 'M'
            when sum(case when neighbours.is_split then 1 else 0 end) = max(later.part_count) then 'S'
        end as change_indicator,
        neighbours.is_simulated
    from neighbours
    inner join areas as earlier
        on
            neighbours.area_type = earlier.area_type
            and neighbours.from_year = earlier.boundary_year
            and neighbours.from_area_code = earlier.area_code
            and neighbours.is_simulated = earlier.is_simulated
    inner join areas as later
        on
            neighbours.area_type = later.area_type
            and neighbours.to_year = later.boundary_year
            and neighbours.to_area_code = later.area_code
            and neighbours.is_simulated = later.is_simulated
    group by
        neighbours.area_type, neighbours.to_year, neighbours.from_area_code, neighbours.to_area_code,
        neighbours.is_simulated
)

select * from kept
union all
select * from merged_or_split
where change_indicator is not null
