{{
    config(
        materialized='incremental',
        incremental_strategy='replace_all',
        on_schema_change='fail',
    )
}}

with burglaries as (
    select
        boroughs.borough_code,
        monthly.is_simulated,
        {{ burglary_class_old_definition('offences.burglary_class', 'monthly.month', 'places.location_group_name') }}
            as from_class,
        {{ burglary_class_new_definition('offences.burglary_class', 'monthly.month', 'places.location_group_name') }}
            as to_class,
        monthly.offence_count
    from {{ ref('int_offences__monthly') }} as monthly
    inner join {{ ref('dim_offence') }} as offences on monthly.offence_key = offences.offence_key
    inner join {{ ref('dim_location_type') }} as places on monthly.location_type_key = places.location_type_key
    inner join {{ ref('dim_borough') }} as boroughs on monthly.borough_key = boroughs.borough_key
    where
        offences.is_burglary
        -- what is restated is what was recorded under the old rule
        and monthly.month < {{ day_of_the_burglary_rule() }}
        and not boroughs.is_pseudo_borough
),

-- a burglary whose class by the new rule is not known says nothing of the share
other_buildings as (
    select
        borough_code,
        is_simulated,
        sum(offence_count)::double precision as counted,
        sum(case when to_class = 'residential' then offence_count else 0 end)::double precision as moved
    from burglaries
    where
        from_class = 'business_and_community'
        and to_class in ('residential', 'business_and_community')
    group by borough_code, is_simulated
),

shares as (
    select
        borough_code,
        is_simulated,
        moved / counted as share,
        {{ share_low('moved / counted', 'counted') }} as share_low,
        {{ share_high('moved / counted', 'counted') }} as share_high
    from other_buildings
    where counted > 0
),

dual_coded as (
    select
        'burglary_2017' as change_code,
        'burglary' as series,
        classes.from_class,
        classes.to_class,
        shares.borough_code,
        case classes.kind when 'kept' then 1 when 'moved' then shares.share else 1 - shares.share end as weight,
        case classes.kind when 'kept' then 1 when 'moved' then shares.share_low else 1 - shares.share_high end
            as weight_low,
        case classes.kind when 'kept' then 1 when 'moved' then shares.share_high else 1 - shares.share_low end
            as weight_high,
        'dual_coded' as basis,
        shares.is_simulated
    from shares
    cross join (
        values
        ('residential', 'residential', 'kept'),
        ('business_and_community', 'residential', 'moved'),
        ('business_and_community', 'business_and_community', 'left')
    ) as classes (from_class, to_class, kind)
),

of_the_register as (
    select distinct
        maps.change_code,
        maps.series,
        maps.from_class,
        maps.to_class,
        maps.weight,
        maps.weight_low,
        maps.weight_high,
        maps.weight_basis as basis
    from {{ ref('recording_code_maps') }} as maps
    inner join {{ ref('recording_changes') }} as changes on maps.change_code = changes.change_code
    where
        maps.series is not null
        and changes.status = 'active'
),

said as (
    select
        change_code,
        series,
        from_class,
        to_class,
        null::text as borough_code,
        weight,
        weight_low,
        weight_high,
        basis
    from of_the_register
    union all
    select
        change_code,
        series,
        from_class,
        to_class,
        borough_code,
        weight,
        weight_low,
        weight_high,
        basis
    from {{ ref('int_recording__code_maps_found') }}
),

-- a class that only gains keeps all of its own
kept as (
    select
        gaining.change_code,
        gaining.series,
        gaining.to_class as from_class,
        gaining.to_class,
        gaining.borough_code,
        1 as weight,
        1 as weight_low,
        1 as weight_high,
        min(gaining.basis) as basis
    from said as gaining
    left join said as giving
        on
            gaining.change_code = giving.change_code
            and gaining.series = giving.series
            and gaining.to_class = giving.from_class
    where giving.change_code is null
    group by gaining.change_code, gaining.series, gaining.to_class, gaining.borough_code
),

-- areas that were redrawn: what they counted, of whatever class
areas as (
    select
        weights.change_code,
        case weights.area_type when 'lsoa' then 'records_by_lsoa' else 'offences_by_ward' end as series,
        null as from_class,
        null as to_class,
        weights.borough_code,
        weights.weight,
        weights.weight_low,
        weights.weight_high,
        weights.basis,
        weights.is_simulated,
        weights.from_area_code,
        weights.to_area_code
    from {{ ref('int_areas__weights') }} as weights
    inner join {{ ref('recording_changes') }} as changes
        on
            weights.change_code = changes.change_code
            and changes.status = 'active'
),

of_classes as (
    select * from dual_coded
    union all
    select
        *,
        null::boolean as is_simulated
    from said
    union all
    select
        *,
        null::boolean as is_simulated
    from kept
),

weights as (
    select
        *,
        null as from_area_code,
        null as to_area_code
    from of_classes
    union all
    select * from areas
),

keyed as (
    select
        {{ surrogate_key([
            'change_code', 'series', 'from_class', 'to_class', 'from_area_code', 'to_area_code', 'borough_code',
            'is_simulated',
        ]) }} as recording_code_weight_key,
        change_code,
        series,
        from_class,
        to_class,
        from_area_code,
        to_area_code,
        borough_code,
        weight::double precision as weight,
        weight_low::double precision as weight_low,
        weight_high::double precision as weight_high,
        basis,
        is_simulated
    from weights
)

select
    keyed.*,
    {{ build_that_first_wrote('keyed', ['recording_code_weight_key', 'weight', 'weight_low', 'weight_high', 'basis']) }}
        as build_id
from keyed
