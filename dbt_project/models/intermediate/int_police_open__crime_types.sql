with published as (
    select distinct crime_type from {{ ref('stg_police_open__street') }}
),

listed as (
    select
        offence_code,
        {{ fold_label('minor_label') }} as folded_label
    from {{ ref('offence_labels') }}
    where label_generation = 'police_open'
),

coded as (
    select
        published.crime_type,
        coalesce(listed.offence_code, 'unlisted.police_open.' || {{ fold_label('published.crime_type') }})
            as offence_code,
        listed.offence_code is not null as is_known
    from published
    left join listed on {{ fold_label('published.crime_type') }} = listed.folded_label
)

select
    crime_type,
    offence_code,
    {{ surrogate_key(['offence_code']) }} as offence_key,
    is_known
from coded
