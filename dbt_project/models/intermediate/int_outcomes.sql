with listed as (
    select
        outcome_code,
        outcome_name,
        outcome_group_name,
        outcome_framework,
        is_sanction_detection,
        true as is_known
    from {{ ref('outcomes') }}
),

-- an outcome is known by its code; another wording of it is a member of its own, so that a change shows
recorded as (
    select
        labels.outcome_code,
        {{ fold_label('labels.outcome_name') }} as folded_name,
        max(labels.outcome_name) as outcome_name
    from {{ ref('int_police__outcome_labels') }} as labels
    group by labels.outcome_code, {{ fold_label('labels.outcome_name') }}
),

unlisted as (
    select
        recorded.outcome_code,
        recorded.outcome_name,
        coalesce(same_code.outcome_group_name, 'Not known') as outcome_group_name,
        coalesce(same_code.outcome_framework, 'not known') as outcome_framework,
        same_code.is_sanction_detection,
        false as is_known
    from recorded
    left join listed
        on
            recorded.outcome_code = listed.outcome_code
            and recorded.folded_name = {{ fold_label('listed.outcome_name') }}
    left join listed as same_code on recorded.outcome_code = same_code.outcome_code
    where listed.outcome_code is null
),

members as (
    select * from listed
    union all
    select * from unlisted
)

select
    {{ surrogate_key(['outcome_code', fold_label('outcome_name')]) }} as outcome_key,
    outcome_code,
    outcome_name,
    {{ fold_label('outcome_name') }} as folded_name,
    outcome_group_name,
    outcome_framework,
    is_sanction_detection,
    is_known
from members
