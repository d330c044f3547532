with look_ups as (
    select
        ward_code,
        max(borough_code) as borough_code,
        min(lookup_year) as first_lookup_year,
        max(lookup_year) as last_lookup_year,
        {{ any_true('is_simulated') }} as is_simulated
    from {{ ref('stg_reference__lsoa_ward') }}
    group by ward_code
),

-- the name in the newest look-up is the one in use
look_up_names as (
    select
        ward_code,
        ward_name,
        row_number() over (partition by ward_code order by lookup_year desc, ward_name asc) as place
    from {{ ref('stg_reference__lsoa_ward') }}
),

wards_of_crime as (
    select
        areas.ward_code,
        max(areas.ward_name) as ward_name,
        max(names.borough_code) as borough_code,
        {{ any_true('areas.is_simulated') }} as is_simulated
    from {{ ref('int_mps__areas') }} as areas
    left join {{ ref('int_borough_names') }} as names on areas.folded_borough_name = names.folded_name
    where areas.ward_code is not null
    group by areas.ward_code
),

codes as (
    select ward_code from look_ups
    union
    select ward_code from wards_of_crime
    union
    select ward_code from {{ ref('wards_of_the_borough') }}
),

members as (
    select
        {{ surrogate_key(['codes.ward_code']) }} as ward_key,
        codes.ward_code,
        coalesce(seed.ward_name, look_up_names.ward_name, wards_of_crime.ward_name) as ward_name,
        coalesce(seed.borough_code, look_ups.borough_code, wards_of_crime.borough_code) as borough_code,
        case
            when seed.boundary_to is not null then 'in force from ' || seed.boundary_from || ' to ' || seed.boundary_to
            when seed.boundary_from is not null then 'in force from ' || seed.boundary_from
            when look_ups.ward_code is not null
                then 'in the look-ups of ' || look_ups.first_lookup_year || ' to ' || look_ups.last_lookup_year
            else 'not in any look-up'
        end as boundary_vintage,
        seed.boundary_from as boundary_valid_from,
        seed.boundary_to as boundary_valid_to,
        look_ups.first_lookup_year,
        look_ups.last_lookup_year,
        coalesce(look_ups.is_simulated, wards_of_crime.is_simulated, false) as is_simulated
    from codes
    left join {{ ref('wards_of_the_borough') }} as seed on codes.ward_code = seed.ward_code
    left join look_ups on codes.ward_code = look_ups.ward_code
    left join look_up_names on codes.ward_code = look_up_names.ward_code and look_up_names.place = 1
    left join wards_of_crime on codes.ward_code = wards_of_crime.ward_code
),

members_and_special as (
    select
        members.*,
        coalesce(boroughs.borough_key, 0) as borough_key,
        boroughs.borough_name
    from members
    left join {{ ref('dim_borough') }} as boroughs on members.borough_code = boroughs.borough_code
    union all
    select
        {{ unknown_key() }} as ward_key,
        'UNKNOWN' as ward_code,
        'Not known' as ward_name,
        null as borough_code,
        'not known' as boundary_vintage,
        null as boundary_valid_from,
        null as boundary_valid_to,
        null as first_lookup_year,
        null as last_lookup_year,
        false as is_simulated,
        0 as borough_key,
        null as borough_name
    union all
    select
        {{ not_applicable_key() }} as ward_key,
        'NOT APPLICABLE' as ward_code,
        'Not applicable' as ward_name,
        null as borough_code,
        'not applicable' as boundary_vintage,
        null as boundary_valid_from,
        null as boundary_valid_to,
        null as first_lookup_year,
        null as last_lookup_year,
        false as is_simulated,
        -1 as borough_key,
        null as borough_name
)

select
    ward_key,
    ward_code,
    ward_name,
    borough_key::bigint as borough_key,
    borough_code,
    borough_name,
    boundary_vintage,
    boundary_valid_from,
    boundary_valid_to,
    first_lookup_year,
    last_lookup_year,
    is_simulated,
    {{ build_id() }} as build_id
from members_and_special
