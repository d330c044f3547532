with regimes as (
    select * from {{ ref('recording_regimes') }}
),

-- What a later change does to a series counts for all months before it: one break is enough.
seen_from_today as (
    select
        regimes.regime_code,
        coalesce({{ any_true("later.treatment_of_parent = 'break'") }}, false) as parent_broken,
        coalesce({{ any_true("later.treatment_of_children = 'break'") }}, false) as children_broken
    from regimes
    left join regimes as later on regimes.series = later.series and regimes.valid_from < later.valid_from
    group by regimes.regime_code
)

select
    {{ surrogate_key(['regimes.regime_code']) }} as regime_key,
    regimes.regime_code,
    regimes.series,
    regimes.regime_name,
    regimes.valid_from,
    regimes.valid_to,
    regimes.treatment_of_parent,
    regimes.treatment_of_children,
    not seen_from_today.parent_broken as is_parent_comparable_today,
    not seen_from_today.children_broken as is_children_comparable_today,
    regimes.authority,
    regimes.authority_grade,
    regimes.definition,
    regimes.caveat_parent,
    regimes.caveat_children,
    {{ build_id() }} as build_id
from regimes
inner join seen_from_today on regimes.regime_code = seen_from_today.regime_code
union all
select
    {{ unknown_key() }} as regime_key,
    'unknown' as regime_code,
    'unknown' as series,
    'Not known' as regime_name,
    null as valid_from,
    null as valid_to,
    null as treatment_of_parent,
    null as treatment_of_children,
    false as is_parent_comparable_today,
    false as is_children_comparable_today,
    null as authority,
    null as authority_grade,
    null as definition,
    null as caveat_parent,
    null as caveat_children,
    {{ build_id() }} as build_id
