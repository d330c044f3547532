with labels as (
    select * from {{ ref('int_mps__labels') }}
),

listed as (
    select
        label_generation,
        offence_code,
        {{ fold_label('major_label') }} as folded_major,
        {{ fold_label('minor_label') }} as folded_minor
    from {{ ref('offence_labels') }}
    where label_generation <> 'police_open'
),

matches as (
    select
        labels.geography_level,
        labels.month,
        labels.major_category,
        labels.minor_category,
        labels.folded_major,
        labels.folded_minor,
        listed.label_generation,
        listed.offence_code
    from labels
    left join listed
        on
            labels.folded_major = listed.folded_major
            and labels.folded_minor = listed.folded_minor
),

-- A file speaks one generation of labels, and some labels belong to several: the generation that knows most of the
-- file's labels is the file's. Files meet at month boundaries, so that is told month by month.
generation_counts as (
    select
        geography_level,
        month,
        label_generation,
        count(distinct offence_code) as known_labels
    from matches
    where label_generation is not null
    group by geography_level, month, label_generation
),

generations_ranked as (
    select
        geography_level,
        month,
        label_generation,
        row_number() over (
            partition by geography_level, month
            order by known_labels desc, label_generation desc
        ) as place
    from generation_counts
),

-- a label of another generation is still known: better its own offence than none
matches_ranked as (
    select
        matches.*,
        row_number() over (
            partition by matches.geography_level, matches.month, matches.major_category, matches.minor_category
            order by
                case when matches.label_generation = generations_ranked.label_generation then 0 else 1 end,
                matches.label_generation desc
        ) as place
    from matches
    left join generations_ranked
        on
            matches.geography_level = generations_ranked.geography_level
            and matches.month = generations_ranked.month
            and generations_ranked.place = 1
),

coded as (
    select
        geography_level,
        month,
        major_category,
        minor_category,
        coalesce(offence_code, 'unlisted.' || folded_major || '.' || folded_minor) as offence_code,
        offence_code is not null as is_known
    from matches_ranked
    where place = 1
)

select
    geography_level,
    month,
    major_category,
    minor_category,
    offence_code,
    {{ surrogate_key(['offence_code']) }} as offence_key,
    is_known
from coded
