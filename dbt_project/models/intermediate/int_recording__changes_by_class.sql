-- The changes of rule of a series, each said of the series as a whole and of its classes.
with changes as (
    select
        series,
        valid_from as changed_on,
        treatment_of_parent,
        treatment_of_children
    from {{ ref('dim_recording_regime') }}
    where treatment_of_parent is not null
)

select
    series,
    changed_on,
    true as is_parent,
    treatment_of_parent as treatment
from changes
union all
select
    series,
    changed_on,
    false as is_parent,
    treatment_of_children as treatment
from changes
