with listed as (
    select
        borough_code,
        borough_name,
        police_force_name,
        is_pseudo_borough,
        true as is_known
    from {{ ref('boroughs') }}
),

published_names as (
    select
        folded_borough_name,
        max(borough_name) as borough_name
    from {{ ref('int_mps__areas') }}
    group by folded_borough_name
),

unlisted as (
    select distinct
        names.borough_code,
        published_names.borough_name,
        'Metropolitan Police Service' as police_force_name,
        true as is_pseudo_borough,
        false as is_known
    from {{ ref('int_borough_names') }} as names
    inner join published_names on names.folded_name = published_names.folded_borough_name
    where not names.is_known
),

members as (
    select
        {{ surrogate_key(['borough_code']) }} as borough_key,
        borough_code,
        borough_name,
        police_force_name,
        is_pseudo_borough,
        is_known
    from listed
    union all
    select
        {{ surrogate_key(['borough_code']) }} as borough_key,
        borough_code,
        borough_name,
        police_force_name,
        is_pseudo_borough,
        is_known
    from unlisted
    union all
    -- where people live that are recorded here: no boroughs, but answers all the same
    select
        {{ surrogate_key(['borough_code']) }} as borough_key,
        borough_code,
        residence_name as borough_name,
        null as police_force_name,
        false as is_pseudo_borough,
        true as is_known
    from {{ ref('places_of_residence') }}
    where borough_code not in ('UNKNOWN', 'OUTSIDE LONDON')
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
