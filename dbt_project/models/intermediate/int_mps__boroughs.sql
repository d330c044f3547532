with printed as (
    select distinct
        borough_name,
        folded_borough_name
    from {{ ref('int_mps__areas') }}
)

select
    printed.borough_name,
    names.borough_code,
    names.borough_key
from printed
inner join {{ ref('int_borough_names') }} as names on printed.folded_borough_name = names.folded_name
