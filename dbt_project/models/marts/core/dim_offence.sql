with members as (
    select
        {{ surrogate_key(['offence_code']) }} as offence_key,
        offence_code,
        label_generation,
        major_name,
        minor_name,
        comparable_parent_code,
        comparable_parent_name,
        burglary_class,
        valid_from,
        valid_to,
        is_known
    from {{ ref('int_offences') }}
    union all
    select
        {{ unknown_key() }},
        'unknown',
        'unknown',
        'Not known',
        'Not known',
        'unknown',
        'Not known',
        null,
        null,
        null,
        false
)

select
    offence_key,
    offence_code,
    label_generation,
    major_name,
    minor_name,
    comparable_parent_code,
    comparable_parent_name,
    burglary_class,
    valid_from,
    valid_to,
    is_known,
    {{ build_id() }} as build_id
from members
