with ages as (
    {{ whole_numbers(0, 130, 'age') }}
)

select
    ages.age,
    bands.age_band_key
from ages
inner join {{ ref('dim_age_band') }} as bands
    on
        ages.age >= bands.age_from
        and (bands.age_to is null or ages.age <= bands.age_to)
