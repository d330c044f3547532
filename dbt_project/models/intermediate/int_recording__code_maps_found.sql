-- Code maps of changes that people confirmed, the detector's estimates or people's own, as the marts name classes.
with confirmed as (
    select
        change_id,
        geography,
        parent_series,
        evidence
    from {{ source('quality', 'recording_change') }}
    where
        state = 'confirmed'
        and kind <> 'real'
        and treatment = 'bridge'
),

pairs as (
    {{ code_map_of_evidence('confirmed') }}
),

classes as (
    select
        change_id,
        label,
        series,
        class_name
    from {{ ref('int_recording__classes_of_labels') }}
    where
        class_name is not null
        and not is_of_whole
),

-- names of one class in several files are one class
named as (
    select
        pairs.change_id,
        pairs.area,
        from_classes.series,
        from_classes.class_name as from_class,
        to_classes.class_name as to_class,
        least(sum(pairs.weight), 1) as weight,
        least(sum(pairs.weight_low), 1) as weight_low,
        least(sum(pairs.weight_high), 1) as weight_high,
        -- the weakest ground, in the order of the alphabet
        max(pairs.basis) as basis
    from pairs
    inner join classes as from_classes
        on
            pairs.change_id = from_classes.change_id
            and pairs.from_label = from_classes.label
    inner join classes as to_classes
        on
            pairs.change_id = to_classes.change_id
            and pairs.to_label = to_classes.label
            and from_classes.series = to_classes.series
    group by pairs.change_id, pairs.area, from_classes.series, from_classes.class_name, to_classes.class_name
),

-- what is not said to go elsewhere stays
stays as (
    select
        named.change_id,
        named.area,
        named.series,
        named.from_class,
        named.from_class as to_class,
        greatest(1 - sum(named.weight), 0) as weight,
        greatest(1 - sum(named.weight_high), 0) as weight_low,
        greatest(1 - sum(named.weight_low), 0) as weight_high,
        max(named.basis) as basis
    from named
    group by named.change_id, named.area, named.series, named.from_class
    having not {{ any_true('named.from_class = named.to_class') }}
),

boroughs as (
    {{ boroughs_of_geography('confirmed') }}
),

maps as (
    select * from named
    union all
    select * from stays
)

-- a borough's own shares, and those of all areas together for boroughs that have none
select
    'ledger:' || maps.change_id as change_code,
    maps.series,
    maps.from_class,
    maps.to_class,
    coalesce(maps.area, boroughs.borough_code) as borough_code,
    maps.weight,
    maps.weight_low,
    maps.weight_high,
    maps.basis
from maps
left join boroughs
    on
        maps.change_id = boroughs.change_id
        and maps.area is null
where
    maps.area is not null
    or not exists (
        select 1
        from maps as own
        where
            own.change_id = maps.change_id
            and own.area = boroughs.borough_code
    )
