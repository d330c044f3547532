with listed as (
    select
        borough_code,
        {{ fold_label('borough_name') }} as folded_name
    from {{ ref('boroughs') }}
    union
    select
        borough_code,
        {{ fold_label('published_name') }} as folded_name
    from {{ ref('borough_spellings') }}
),

-- a name that is new to us is no borough of London; its offences still belong to London's total
unlisted as (
    select distinct
        'UNLISTED ' || areas.folded_borough_name as borough_code,
        areas.folded_borough_name as folded_name
    from {{ ref('int_mps__areas') }} as areas
    left join listed on areas.folded_borough_name = listed.folded_name
    where listed.borough_code is null
)

select
    folded_name,
    borough_code,
    {{ surrogate_key(['borough_code']) }} as borough_key,
    true as is_known
from listed
union all
select
    folded_name,
    borough_code,
    {{ surrogate_key(['borough_code']) }} as borough_key,
    false as is_known
from unlisted
