with printed as (
    select distinct
        geography_level,
        month,
        major_category,
        minor_category
    from {{ ref('stg_mps__recorded_crime') }}
),

categories as (
    select distinct
        major_category,
        minor_category
    from printed
),

folded as (
    select
        major_category,
        minor_category,
        {{ fold_label('major_category') }} as folded_major,
        {{ fold_label('minor_category') }} as folded_minor
    from categories
)

select
    printed.geography_level,
    printed.month,
    printed.major_category,
    printed.minor_category,
    folded.folded_major,
    folded.folded_minor
from printed
inner join folded
    on
        printed.major_category = folded.major_category
        and printed.minor_category = folded.minor_category
