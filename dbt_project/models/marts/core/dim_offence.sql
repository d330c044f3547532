with members as (
    select
        {{ surrogate_key(['offence_code']) }} as offence_key,
        offence_code,
        label_generation,
        home_office_code,
        home_office_name,
        major_name,
        minor_name,
        comparable_parent_code,
        comparable_parent_name,
        burglary_class,
        valid_from,
        valid_to,
        {%- for definition in offence_definitions() %}
        {{ definition }},
        {%- endfor %}
        is_known
    from {{ ref('int_offences') }}
    union all
    select
        {{ unknown_key() }} as offence_key,
        'unknown' as offence_code,
        'unknown' as label_generation,
        null as home_office_code,
        null as home_office_name,
        'Not known' as major_name,
        'Not known' as minor_name,
        'unknown' as comparable_parent_code,
        'Not known' as comparable_parent_name,
        null as burglary_class,
        null as valid_from,
        null as valid_to,
        {%- for definition in offence_definitions() %}
        null as {{ definition }},
        {%- endfor %}
        false as is_known
)

select
    offence_key,
    offence_code,
    label_generation,
    home_office_code,
    home_office_name,
    major_name,
    minor_name,
    comparable_parent_code,
    comparable_parent_name,
    burglary_class,
    valid_from,
    valid_to,
    {%- for definition in offence_definitions() %}
    {{ definition }},
    {%- endfor %}
    is_known,
    {{ build_id() }} as build_id
from members
