-- Spellings in small letters, as printed and folded: a record's name is looked up by lower() alone, which is cheap.
with spellings as (
    select
        borough_code,
        borough_name as residence_name
    from {{ ref('boroughs') }}
    union all
    select
        borough_code,
        published_name as residence_name
    from {{ ref('borough_spellings') }}
    union all
    select
        borough_code,
        residence_name
    from {{ ref('places_of_residence') }}
),

folded as (
    select
        lower(residence_name) as folded_name,
        borough_code
    from spellings
    union
    select
        {{ fold_label('residence_name') }} as folded_name,
        borough_code
    from spellings
)

select
    folded.folded_name,
    boroughs.borough_code,
    boroughs.borough_key
from folded
inner join {{ ref('dim_borough') }} as boroughs on folded.borough_code = boroughs.borough_code
