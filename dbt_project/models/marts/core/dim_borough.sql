with listed as (
    select
        borough_code,
        borough_name,
        police_force_name,
        is_pseudo_borough,
        true as is_known
    from {{ ref('boroughs') }}
),

unlisted as (
    select distinct
        names.borough_code,
        areas.borough_name,
        'Metropolitan Police Service' as police_force_name,
        true as is_pseudo_borough,
        false as is_known
    from {{ ref('int_borough_names') }} as names
    inner join (
        select
            folded_borough_name,
            max(borough_name) as borough_name
        from {{ ref('int_mps__areas') }}
        group by folded_borough_name
    ) as areas on names.folded_name = areas.folded_borough_name
    where not names.is_known
),

members as (
    select {{ surrogate_key(['borough_code']) }} as borough_key, listed.* from listed
    union all
    select {{ surrogate_key(['borough_code']) }} as borough_key, unlisted.* from unlisted
    union all
    select
        {{ unknown_key() }} as borough_key,
        'UNKNOWN' as borough_code,
        'Not known' as borough_name,
        null as police_force_name,
        false as is_pseudo_borough,
        false as is_known
    union all
    select
        {{ not_applicable_key() }} as borough_key,
        'OUTSIDE LONDON' as borough_code,
        'Outside London' as borough_name,
        null as police_force_name,
        false as is_pseudo_borough,
        false as is_known
)

select
    borough_key,
    borough_code,
    borough_name,
    police_force_name,
    is_pseudo_borough,
    is_known,
    {{ build_id() }} as build_id
from members
