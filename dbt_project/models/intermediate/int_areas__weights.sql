with generations as (
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
        from {{ ref('int_areas__of_points') }}
        union
        select distinct
            area_type,
            boundary_year,
            is_simulated
        from {{ ref('int_areas__parts') }}
    ) as every_generation
),

-- what lies whole in one of the new areas
whole as (
    select
        area_type,
        to_year,
        from_area_code,
        to_area_code,
        is_simulated
    from {{ ref('int_areas__whole') }}
    where change_indicator in ('U', 'M')
),

-- Records that tell both areas. Those of one point on the map go one way together, and so do those of one small area
-- where a look-up says the ward: they are one observation, however many records there are.
pairs as (
    select
        earlier.area_type,
        generations.to_year,
        earlier.area_code as from_area_code,
        later.area_code as to_area_code,
        earlier.is_simulated,
        earlier.coded_by = 'boundary' and later.coded_by = 'boundary' as is_dual_coded,
        case
            when earlier.coded_by = 'boundary' and later.coded_by = 'boundary'
                then earlier.longitude || ' ' || earlier.latitude
            else earlier.lsoa_code
        end as place,
        earlier.record_count::double precision as counted
    from {{ ref('int_areas__of_points') }} as earlier
    inner join generations
        on
            earlier.area_type = generations.area_type
            and earlier.is_simulated = generations.is_simulated
            and earlier.boundary_year = generations.from_year
    inner join {{ ref('int_areas__of_points') }} as later
        on
            earlier.longitude = later.longitude
            and earlier.latitude = later.latitude
            and earlier.lsoa_code = later.lsoa_code
            and earlier.is_simulated = later.is_simulated
            and earlier.area_type = later.area_type
            and generations.to_year = later.boundary_year
    left join whole
        on
            earlier.area_code = whole.from_area_code
            and generations.to_year = whole.to_year
            and earlier.is_simulated = whole.is_simulated
    where whole.from_area_code is null
),

places as (
    select
        area_type,
        to_year,
        from_area_code,
        is_simulated,
        place,
        sum(counted) as counted
    from pairs
    group by area_type, to_year, from_area_code, is_simulated, place
),

-- as many records of one size as would tell as much
observed as (
    select
        area_type,
        to_year,
        from_area_code,
        is_simulated,
        sum(counted) as counted,
        power(sum(counted), 2) / sum(power(counted, 2)) as observations
    from places
    group by area_type, to_year, from_area_code, is_simulated
),

shares as (
    select
        pairs.area_type,
        pairs.to_year,
        pairs.from_area_code,
        pairs.to_area_code,
        pairs.is_simulated,
        not {{ any_true('not pairs.is_dual_coded') }} over (
            partition by pairs.area_type, pairs.to_year, pairs.from_area_code, pairs.is_simulated
        ) as is_dual_coded,
        pairs.counted / observed.counted as share,
        observed.observations
    from (
        select
            area_type,
            to_year,
            from_area_code,
            to_area_code,
            is_simulated,
            not {{ any_true('not is_dual_coded') }} as is_dual_coded,
            sum(counted) as counted
        from pairs
        group by area_type, to_year, from_area_code, to_area_code, is_simulated
    ) as pairs
    inner join observed
        on
            pairs.area_type = observed.area_type
            and pairs.to_year = observed.to_year
            and pairs.from_area_code = observed.from_area_code
            and pairs.is_simulated = observed.is_simulated
),

weights as (
    select
        area_type,
        to_year,
        from_area_code,
        to_area_code,
        1::double precision as weight,
        1::double precision as weight_low,
        1::double precision as weight_high,
        null::double precision as observations,
        'authority' as basis,
        is_simulated
    from whole
    union all
    select
        area_type,
        to_year,
        from_area_code,
        to_area_code,
        share as weight,
        {{ share_low('share', 'observations') }} as weight_low,
        {{ share_high('share', 'observations') }} as weight_high,
        observations,
        case when is_dual_coded then 'dual_coded' else 'estimated' end as basis,
        is_simulated
    from shares
),

boroughs as (
    select
        area_code,
        borough_code
    from {{ ref('int_areas__parts') }}
    union
    select
        ward_code as area_code,
        borough_code
    from {{ ref('wards_of_the_borough') }}
)

select
    weights.area_type,
    -- the register names a change of areas by their kind and the first year of the new ones
    weights.area_type || '_' || weights.to_year as change_code,
    weights.from_area_code,
    weights.to_area_code,
    boroughs.borough_code,
    weights.weight,
    weights.weight_low,
    weights.weight_high,
    weights.observations,
    weights.basis,
    weights.is_simulated
from weights
inner join boroughs on weights.to_area_code = boroughs.area_code
