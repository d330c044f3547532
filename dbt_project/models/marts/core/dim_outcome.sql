with members as (
    select
        outcome_key,
        outcome_code,
        outcome_name,
        outcome_group_name,
        outcome_framework,
        is_sanction_detection,
        is_known
    from {{ ref('int_outcomes') }}
    union all
    select
        {{ unknown_key() }} as outcome_key,
        'UNKNOWN' as outcome_code,
        'Not known' as outcome_name,
        'Not known' as outcome_group_name,
        'not known' as outcome_framework,
        null as is_sanction_detection,
        false as is_known
    union all
    select
        {{ not_applicable_key() }} as outcome_key,
        'NOT APPLICABLE' as outcome_code,
        'Not applicable' as outcome_name,
        'Not applicable' as outcome_group_name,
        'not applicable' as outcome_framework,
        null as is_sanction_detection,
        false as is_known
)

select
    outcome_key,
    outcome_code,
    outcome_name,
    outcome_group_name,
    outcome_framework,
    is_sanction_detection,
    is_known,
    {{ build_id() }} as build_id
from members
