-- What was found in the counting and what people decided on it, as the marts name series and classes.
with findings as (
    select
        change_id,
        {{ feed_of_the_marts('feed') }} as feed,
        feed like '% by ward%' as is_of_wards,
        geography,
        effective_month as changed_on,
        coalesce({{ month_in_evidence('latest_month') }}, effective_month) as latest_month,
        kind,
        coalesce(nature, '') as nature,
        state,
        register_id,
        treatment,
        series as label,
        parent_series as whole_label,
        {{ is_in_evidence('bridged_parent') }} or coalesce(treatment = 'bridge', false) as is_whole_bridged,
        evidence
    from {{ source('quality', 'recording_change') }}
    where
        kind <> 'real'
        and state <> 'gone'
),

classes_named as (
    {{ classes_of_evidence('findings') }}
),

every_label as (
    select
        change_id,
        label
    from findings
    union
    select
        change_id,
        label
    from classes_named
),

labels as (
    select
        found.change_id,
        found.whole_label,
        found.is_whole_bridged,
        every_label.label,
        count(*) over (partition by found.change_id) as label_count
    from findings as found
    inner join every_label on found.change_id = every_label.change_id
    where not found.is_of_wards
),

offences as (
    select
        major_name,
        {{ fold_label('major_name') }} as folded_major,
        {{ fold_label('minor_name') }} as folded_minor,
        {%- for offence_type, name, definition, series in offence_types() %}
        coalesce({{ definition }}, false) as {{ definition }},
        {%- endfor %}
        burglary_class
    from {{ ref('dim_offence') }}
),

-- a label is that of an offence, or of a category with all of its offences
offences_of_labels as (
    select distinct
        labels.change_id,
        labels.label,
        labels.label_count,
        labels.is_whole_bridged,
        offences.*
    from labels
    inner join offences
        on
            (
                {{ fold_label('labels.label') }} = offences.folded_minor
                and {{ fold_label('labels.whole_label') }} = offences.folded_major
            )
            or {{ fold_label('labels.label') }} = offences.folded_major
),

majors as (
    select
        {%- for offence_type, name, definition, series in offence_types() %}
        not {{ any_true('not ' ~ definition) }} as {{ definition }},
        {%- endfor %}
        folded_major
    from offences
    group by folded_major
),

-- A series or class that holds all that moved is left as it was (is_level), where the whole of it is bridged.
of_published_labels as (
    select
        change_id,
        'burglary' as series,
        false as is_parent,
        burglary_class as class_name,
        is_whole_bridged and label_count > 1 and count(distinct label) = label_count as is_level
    from offences_of_labels
    where burglary_class in ('residential', 'business_and_community')
    group by change_id, burglary_class, label_count, is_whole_bridged
    {%- for offence_type, name, definition, series in offence_types() %}
    union all
    select
        found.change_id,
        '{{ series }}' as series,
        true as is_parent,
        null as class_name,
        found.is_whole_bridged
        and (
            {{ any_true('majors.' ~ definition) }}
            or (found.label_count > 1 and count(distinct found.label) = found.label_count)
        ) as is_level
    from offences_of_labels as found
    inner join majors on found.folded_major = majors.folded_major
    where found.{{ definition }}
    group by found.change_id, found.label_count, found.is_whole_bridged
    {%- endfor %}
),

series_of_the_marts as (
    select distinct series
    from {{ ref('recording_regimes') }}
),

of_our_names as (
    -- a series as a whole, with its classes
    select
        labels.change_id,
        series_of_the_marts.series,
        parts.is_parent,
        null as class_name,
        false as is_level
    from labels
    inner join series_of_the_marts on {{ class_of_label('labels.label') }} = series_of_the_marts.series
    cross join (values (true), (false)) as parts (is_parent)
    union all
    -- a class of a series, unless the label is a published one
    select
        labels.change_id,
        series_of_the_marts.series,
        false as is_parent,
        {{ class_of_label('labels.label') }} as class_name,
        false as is_level
    from labels
    inner join series_of_the_marts on {{ class_of_label('labels.whole_label') }} = series_of_the_marts.series
    left join offences_of_labels as published
        on
            labels.change_id = published.change_id
            and labels.label = published.label
    where
        {{ class_of_label('labels.label') }} <> series_of_the_marts.series
        and published.change_id is null
    union all
    -- and the series that it is a class of
    select
        labels.change_id,
        series_of_the_marts.series,
        true as is_parent,
        null as class_name,
        labels.is_whole_bridged as is_level
    from labels
    inner join series_of_the_marts on {{ class_of_label('labels.whole_label') }} = series_of_the_marts.series
    where {{ class_of_label('labels.label') }} <> series_of_the_marts.series
),

-- a fault of a delivery is one of all that it holds, a ward's boundary one of all that is counted by ward
of_everything as (
    select
        found.change_id,
        case when found.is_of_wards then 'offences_by_ward' end as series,
        parts.is_parent,
        null as class_name,
        false as is_level
    from findings as found
    cross join (values (true), (false)) as parts (is_parent)
    where
        (found.is_of_wards and not parts.is_parent)
        or (not found.is_of_wards and lower(found.label) in ('all', 'all offences'))
),

targets as (
    select * from of_published_labels
    union
    select * from of_our_names
    union
    select * from of_everything
),

boroughs as (
    {{ boroughs_of_geography('findings') }}
)

select
    findings.change_id,
    'ledger:' || findings.change_id as change_code,
    findings.feed,
    targets.series,
    targets.is_parent,
    targets.class_name,
    targets.is_level,
    boroughs.borough_code,
    findings.changed_on,
    findings.latest_month,
    findings.kind,
    findings.nature,
    findings.state,
    findings.register_id,
    findings.treatment,
    findings.label
from findings
inner join targets on findings.change_id = targets.change_id
inner join boroughs on findings.change_id = boroughs.change_id
