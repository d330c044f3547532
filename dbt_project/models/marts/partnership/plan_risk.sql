select
    risk_id,
    risk_name,
    what_may_happen,
    priorities_affected,
    due_from as due_from_date,
    due_as_printed,
    {{ build_id() }} as build_id
from {{ ref('plan_risks') }}
