with members as (
    select
        {{ surrogate_key(['agency_code', 'valid_from']) }} as agency_key,
        agency_code,
        name_in_feed,
        agency_name,
        agency_kind_name,
        valid_from,
        valid_to,
        valid_to is null as is_current,
        authority_grade,
        source
    from {{ ref('agencies') }}
    union all
    select
        {{ unknown_key() }} as agency_key,
        'unknown' as agency_code,
        null as name_in_feed,
        'Not known' as agency_name,
        null as agency_kind_name,
        null as valid_from,
        null as valid_to,
        false as is_current,
        null as authority_grade,
        null as source
    union all
    select
        {{ not_applicable_key() }} as agency_key,
        'not_applicable' as agency_code,
        null as name_in_feed,
        'Not applicable' as agency_name,
        null as agency_kind_name,
        null as valid_from,
        null as valid_to,
        false as is_current,
        null as authority_grade,
        null as source
)

select
    agency_key,
    agency_code,
    name_in_feed,
    agency_name,
    agency_kind_name,
    valid_from,
    valid_to,
    is_current,
    authority_grade,
    source,
    {{ build_id() }} as build_id
from members
