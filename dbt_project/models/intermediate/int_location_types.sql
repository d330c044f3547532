with listed as (
    select
        lower(location_type_name) as folded_name,
        location_type_name,
        location_group_name,
        is_outdoors,
        true as is_known
    from {{ ref('location_types') }}
),

-- a kind of place that is new to us is let in under its own name, in no group
unlisted as (
    select
        lower(labels.location_type) as folded_name,
        max(labels.location_type) as location_type_name,
        'Not known' as location_group_name,
        null::boolean as is_outdoors,
        false as is_known
    from {{ ref('int_police__offence_labels') }} as labels
    left join listed on lower(labels.location_type) = listed.folded_name
    where
        listed.folded_name is null
        and labels.location_type <> ''
    group by lower(labels.location_type)
),

members as (
    select * from listed
    union all
    select * from unlisted
)

select
    {{ surrogate_key(['folded_name']) }} as location_type_key,
    folded_name,
    location_type_name,
    location_group_name,
    is_outdoors,
    is_known
from members
