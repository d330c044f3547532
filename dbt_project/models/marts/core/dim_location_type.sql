with members as (
    select
        location_type_key,
        location_type_name,
        location_group_name,
        is_outdoors,
        is_known
    from {{ ref('int_location_types') }}
    union all
    select
        {{ unknown_key() }} as location_type_key,
        'Not known' as location_type_name,
        'Not known' as location_group_name,
        null as is_outdoors,
        false as is_known
    union all
    select
        {{ not_applicable_key() }} as location_type_key,
        'Not applicable' as location_type_name,
        'Not applicable' as location_group_name,
        null as is_outdoors,
        false as is_known
)

select
    location_type_key,
    location_type_name,
    location_group_name,
    is_outdoors,
    is_known,
    {{ build_id() }} as build_id
from members
