select
    labels.outcome_code,
    labels.outcome_name,
    outcomes.outcome_key
from {{ ref('int_police__outcome_labels') }} as labels
inner join {{ ref('int_outcomes') }} as outcomes
    on
        labels.outcome_code = outcomes.outcome_code
        and {{ fold_label('labels.outcome_name') }} = outcomes.folded_name
