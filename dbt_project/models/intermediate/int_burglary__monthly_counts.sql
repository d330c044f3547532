with burglary as (
    select
        crime.geography_level,
        crime.month,
        crime.borough_key,
        crime.ward_key,
        crime.offence_count,
        crime.is_simulated,
        offences.burglary_class,
        offences.minor_name as label_as_published
    from {{ ref('fct_recorded_crime_monthly') }} as crime
    inner join {{ ref('dim_offence') }} as offences on crime.offence_key = offences.offence_key
    where offences.burglary_class is not null
),

by_area as (
    select
        burglary.geography_level as geography_type,
        case when burglary.geography_level = 'ward' then wards.ward_code else boroughs.borough_code end
            as geography_code,
        case when burglary.geography_level = 'ward' then wards.ward_name else boroughs.borough_name end
            as geography_name,
        boroughs.borough_code,
        boroughs.borough_name,
        case when burglary.geography_level = 'ward' then wards.ward_code end as ward_code,
        case when burglary.geography_level = 'ward' then wards.ward_name end as ward_name,
        burglary.month,
        burglary.burglary_class,
        burglary.label_as_published,
        burglary.offence_count,
        burglary.is_simulated
    from burglary
    inner join {{ ref('dim_borough') }} as boroughs on burglary.borough_key = boroughs.borough_key
    inner join {{ ref('dim_ward') }} as wards on burglary.ward_key = wards.ward_key
    where
        not boroughs.is_pseudo_borough
        -- a ward that no one knows is no place to report on; its offences are in the borough's figure
        and (burglary.geography_level = 'borough' or burglary.ward_key <> 0)
),

-- London is what the file holds, the airports' pseudo-boroughs included
london as (
    select
        'london' as geography_type,
        'E12000007' as geography_code,
        'London' as geography_name,
        null as borough_code,
        null as borough_name,
        null as ward_code,
        null as ward_name,
        month,
        burglary_class,
        label_as_published,
        offence_count,
        is_simulated
    from burglary
    where geography_level = 'borough'
),

areas as (
    select * from by_area
    union all
    select * from london
),

classes as (
    select
        geography_type,
        geography_code,
        geography_name,
        borough_code,
        borough_name,
        ward_code,
        ward_name,
        month,
        burglary_class,
        label_as_published,
        offence_count,
        is_simulated
    from areas
    where burglary_class in ('residential', 'business_and_community')
    union all
    -- a burglary label that is new to us counts here, and in neither class, until it is listed
    select
        geography_type,
        geography_code,
        geography_name,
        borough_code,
        borough_name,
        ward_code,
        ward_name,
        month,
        'all' as burglary_class,
        label_as_published,
        offence_count,
        is_simulated
    from areas
)

select
    geography_type,
    geography_code,
    geography_name,
    borough_code,
    borough_name,
    ward_code,
    ward_name,
    month,
    burglary_class,
    sum(offence_count)::integer as offences_as_recorded,
    {{ join_texts('label_as_published', ' + ') }} as label_as_published,
    {{ any_true('is_simulated') }} as is_simulated
from classes
group by
    geography_type, geography_code, geography_name, borough_code, borough_name, ward_code, ward_name, month,
    burglary_class
