-- Which classes of the marts count by the labels of a change: labels of published offences as dim_offence knows them,
-- those of other feeds as the seed recording_labels says, and names of our own series and classes as they are.
with changes as (
    select
        change_id,
        {{ feed_of_the_marts('feed') }} as feed,
        series as label,
        parent_series as whole_label,
        evidence
    from {{ source('quality', 'recording_change') }}
    where
        kind <> 'real'
        and state <> 'gone'
        and not {{ is_feed_of_wards('feed') }}
),

classes_named as (
    {{ classes_of_evidence('changes') }}
),

pairs as (
    {{ code_map_of_evidence('changes') }}
),

every_label as (
    select
        change_id,
        label
    from changes
    union
    select
        change_id,
        label
    from classes_named
    union
    select
        change_id,
        from_label as label
    from pairs
    union
    select
        change_id,
        to_label as label
    from pairs
),

listed as (
    select
        feed,
        {{ fold_label('whole') }} as whole,
        {{ fold_label('label') }} as label,
        series,
        class_name,
        is_parent
    from {{ ref('recording_labels') }}
),

-- the labels of a change and the whole that they are classes of
told as (
    select
        changes.change_id,
        changes.feed,
        every_label.label,
        {{ fold_label('every_label.label') }} as folded,
        {{ fold_label('changes.whole_label') }} as whole,
        false as is_of_whole
    from changes
    inner join every_label on changes.change_id = every_label.change_id
    union
    select
        change_id,
        feed,
        whole_label as label,
        {{ fold_label('whole_label') }} as folded,
        null as whole,
        true as is_of_whole
    from changes
    -- how records are captured is no class of what they count
    where not {{ is_of_capture('evidence') }}
),

-- a label that is not named stands under * of its whole; of a whole only its label is known
counted as (
    select
        told.change_id,
        told.label,
        told.feed,
        told.is_of_whole,
        told.folded = told.whole as is_itself_whole,
        listed.series,
        replace(listed.class_name, '*', {{ class_of_label('told.label') }}) as class_name,
        listed.is_parent
    from told
    inner join listed
        on
            told.feed = listed.feed
            and (
                (
                    told.folded = listed.label
                    and (told.is_of_whole or told.folded = told.whole or told.whole = listed.whole)
                )
                or (
                    listed.label = '*'
                    and (told.is_of_whole or told.whole = listed.whole)
                    and not exists (
                        select 1
                        from listed as named
                        where
                            named.feed = told.feed
                            and named.label = told.folded
                    )
                )
            )
    where listed.series is not null
),

-- a label is that of an offence, or of a category with all of its offences
published as (
    select
        told.change_id,
        told.label,
        offences.burglary_class
    from told
    inner join {{ ref('dim_offence') }} as offences
        on
            (
                told.folded = {{ fold_label('offences.minor_name') }}
                and told.whole = {{ fold_label('offences.major_name') }}
            )
            or told.folded = {{ fold_label('offences.major_name') }}
    where not told.is_of_whole
),

series_of_the_marts as (
    select distinct series
    from {{ ref('recording_regimes') }}
),

ours as (
    select
        told.change_id,
        told.label,
        told.is_of_whole,
        series_of_the_marts.series,
        {{ class_of_label('told.label') }} = series_of_the_marts.series as is_series,
        {{ class_of_label('told.label') }} as class_name
    from told
    inner join series_of_the_marts
        on series_of_the_marts.series in ({{ class_of_label('told.label') }}, {{ class_of_label('told.whole') }})
)

select
    change_id,
    label,
    is_of_whole,
    series,
    class_name,
    is_parent
from counted
union
-- what concerns all that is counted concerns every class of it
select
    change_id,
    label,
    is_of_whole,
    series,
    null as class_name,
    false as is_parent
from counted
where
    is_parent
    and is_itself_whole
union
-- what is not level in a part is not level in all of it
select
    counted.change_id,
    counted.label,
    counted.is_of_whole,
    counted.series,
    null as class_name,
    true as is_parent
from counted
where
    counted.is_of_whole
    and exists (
        select 1
        from listed as wholes
        where
            wholes.feed = counted.feed
            and wholes.series = counted.series
            and wholes.is_parent
    )
union
select
    change_id,
    label,
    false as is_of_whole,
    'burglary' as series,
    burglary_class as class_name,
    false as is_parent
from published
where burglary_class in ('residential', 'business_and_community')
union
-- a series as a whole, with its classes
select
    ours.change_id,
    ours.label,
    ours.is_of_whole,
    ours.series,
    null as class_name,
    parts.is_parent
from ours
cross join (values (true), (false)) as parts (is_parent)
where
    ours.is_series
    and (parts.is_parent or not ours.is_of_whole)
union
-- a class of a series, unless the label is a published one
select
    ours.change_id,
    ours.label,
    ours.is_of_whole,
    ours.series,
    ours.class_name,
    false as is_parent
from ours
where
    not ours.is_series
    and not exists (
        select 1
        from published
        where
            published.change_id = ours.change_id
            and published.label = ours.label
    )
