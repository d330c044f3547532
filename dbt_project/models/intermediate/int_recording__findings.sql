-- What was found in the counting and what people decided on it, as the marts name series and classes.
with findings as (
    select
        change_id,
        {{ feed_of_the_marts('feed') }} as feed,
        {{ is_feed_of_wards('feed') }} as is_of_wards,
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
        {%- for offence_type, name, definition, series in offence_types() %}
        coalesce({{ definition }}, false) as {{ definition }},
        {%- endfor %}
        {{ fold_label('major_name') }} as folded_major,
        {{ fold_label('minor_name') }} as folded_minor
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
    {%- for offence_type, name, definition, series in offence_types() %}
    {{ 'union all' if not loop.first }}
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

-- A class that counts all labels that moved is left as it was, and so is all that is counted, where it is bridged.
of_classes as (
    select
        counted.change_id,
        counted.series,
        counted.is_parent,
        counted.class_name,
        labels.is_whole_bridged and labels.label_count > 1 and count(distinct labels.label) = labels.label_count
            as is_level
    from {{ ref('int_recording__classes_of_labels') }} as counted
    inner join labels
        on
            counted.change_id = labels.change_id
            and counted.label = labels.label
    where not counted.is_of_whole
    group by
        counted.change_id, counted.series, counted.is_parent, counted.class_name, labels.is_whole_bridged,
        labels.label_count
    union all
    select
        counted.change_id,
        counted.series,
        counted.is_parent,
        counted.class_name,
        found.is_whole_bridged as is_level
    from {{ ref('int_recording__classes_of_labels') }} as counted
    inner join findings as found on counted.change_id = found.change_id
    where counted.is_of_whole
),

-- a fault of a delivery is one of all that it holds
of_everything as (
    select
        found.change_id,
        null as series,
        parts.is_parent,
        null as class_name,
        false as is_level
    from findings as found
    cross join (values (true), (false)) as parts (is_parent)
    where
        not found.is_of_wards
        and lower(found.label) in ('all', 'all offences')
),

-- a ward's boundary is one of all that is counted by ward
of_wards as (
    select
        found.change_id,
        by_ward.series,
        false as is_parent,
        null as class_name,
        false as is_level
    from findings as found
    cross join (values ('offences_by_ward'), ('records_by_ward')) as by_ward (series)
    where found.is_of_wards
),

every_target as (
    select * from of_published_labels
    union all
    select * from of_classes
    union all
    select * from of_everything
    union all
    select * from of_wards
),

targets as (
    select
        change_id,
        series,
        is_parent,
        class_name,
        not {{ any_true('not is_level') }} as is_level
    from every_target
    group by change_id, series, is_parent, class_name
),

boroughs as (
    {{ boroughs_of_geography('findings') }}
),

-- a name of a ward is one of its borough's, by whatever code it went
names_of_wards as (
    select
        findings.change_id,
        every_label.label,
        wards.ward_code
    from findings
    inner join every_label on findings.change_id = every_label.change_id
    inner join boroughs on findings.change_id = boroughs.change_id
    left join {{ ref('dim_ward') }} as wards
        on
            boroughs.borough_code = wards.borough_code
            and {{ fold_label('every_label.label') }} = {{ fold_label('wards.ward_name') }}
    where findings.is_of_wards
),

-- one that is not known may be any of them
wards as (
    select distinct
        change_id,
        ward_code
    from names_of_wards
    where
        change_id not in (
            select unknown.change_id
            from names_of_wards as unknown
            where unknown.ward_code is null
        )
)

select
    findings.change_id,
    'ledger:' || findings.change_id as change_code,
    -- a boundary is one and the same for whoever counts by ward
    case when not findings.is_of_wards then findings.feed end as feed,
    targets.series,
    targets.is_parent,
    targets.class_name,
    targets.is_level,
    boroughs.borough_code,
    wards.ward_code,
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
left join wards on findings.change_id = wards.change_id
