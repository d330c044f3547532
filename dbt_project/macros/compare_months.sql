{#-
    The area columns of every monthly mart, in their order.
-#}
{% macro area_columns() -%}
    {{ return(['geography_type', 'geography_code', 'geography_name', 'borough_code', 'borough_name', 'ward_code', 'ward_name']) }}
{%- endmacro %}


{#-
    The rows of `relation`, which holds borough_key and ward_key, as rows about areas: each once for its borough
    and once for its ward. A ward that no one knows is no place to report on; its rows are in the borough's figure.
    `keep` names the columns of the relation that are passed on behind the area columns.
-#}
{% macro area_levels(relation, keep) -%}
    select
        levels.geography_type,
        case when levels.geography_type = 'ward' then wards.ward_code else boroughs.borough_code end as geography_code,
        case when levels.geography_type = 'ward' then wards.ward_name else boroughs.borough_name end as geography_name,
        boroughs.borough_code,
        boroughs.borough_name,
        case when levels.geography_type = 'ward' then wards.ward_code end as ward_code,
        case when levels.geography_type = 'ward' then wards.ward_name end as ward_name,
        {%- for column in keep %}
        {{ relation }}.{{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ relation }}
    inner join {{ ref('dim_borough') }} as boroughs on {{ relation }}.borough_key = boroughs.borough_key
    inner join {{ ref('dim_ward') }} as wards on {{ relation }}.ward_key = wards.ward_key
    cross join (values ('borough'), ('ward')) as levels (geography_type)
    where
        not boroughs.is_pseudo_borough
        and {{ relation }}.borough_key not in ({{ unknown_key() }}, {{ not_applicable_key() }})
        and (
            levels.geography_type = 'borough'
            or {{ relation }}.ward_key not in ({{ unknown_key() }}, {{ not_applicable_key() }})
        )
{%- endmacro %}


{#-
    Every area and class of `relation` in every month from the first one held to the newest of the feed, with 0
    where nothing was counted: the files of a partner name only what there was. The relation holds the area columns,
    month, `class_columns`, <measure>_as_recorded, the further counts of `also` and is_simulated, one row an area,
    class and month. `only` is a condition on area and class columns, where not every class is wanted of every area.
    Where only some `months` are counted (see compared_months.sql), areas and classes are those that the mart holds,
    with `part` (a condition) those of one part of it.

    Zeros are put together with what was counted and added up, not joined to it: the planner takes such a CTE for a
    few rows, and its join would compare every row of an area with every other.
-#}
{% macro every_month(relation, class_columns, measure, feed, also=[], only=none, months=none, part='true') -%}
    {%- set areas = area_columns() -%}
    {%- set counts = [measure ~ '_as_recorded'] + also -%}
    select
        {%- for column in areas + class_columns %}
        {{ column }},
        {%- endfor %}
        month,
        {%- for column in counts %}
        sum({{ column }})::integer as {{ column }},
        {%- endfor %}
        coalesce({{ any_true('case when is_found then is_simulated end') }}, {{ any_true('is_simulated') }})
            as is_simulated,
        '{{ feed }}' as feed
    from (
        select
            {%- for column in areas + class_columns %}
            {{ column }},
            {%- endfor %}
            month,
            {%- for column in counts %}
            {{ column }},
            {%- endfor %}
            true as is_found,
            is_simulated
        from {{ relation }}
        {%- if only %}
        where {{ only }}
        {%- endif %}
        union all
        select
            {%- for column in areas %}
            {{ 'areas' if months is none else 'known' }}.{{ column }},
            {%- endfor %}
            {%- for column in class_columns %}
            {{ 'classes' if months is none else 'known' }}.{{ column }},
            {%- endfor %}
            months.month,
            {%- for column in counts %}
            0 as {{ column }},
            {%- endfor %}
            false as is_found,
            {{ 'months' if months is none else 'known' }}.is_simulated
        {%- if months is not none %}
        from (
            select
                {{ (areas + class_columns) | join(', ') }},
                {{ any_true(any_true('is_simulated')) }} over () as is_simulated
            from {{ this }}
            where
                {{ part }}
                and month = (select max(month) from {{ this }} where {{ part }})
            group by {{ (areas + class_columns) | join(', ') }}
        ) as known
        cross join (
            select every_month.month
            from unnest(array[{{ months }}]::date[]) as every_month (month)
            where
                every_month.month >= (select min(month) from {{ this }} where {{ part }})
                and every_month.month <= greatest(
                    (select max(month) from {{ relation }}),
                    (select newest_month from {{ ref('int_partner_feeds__newest_months') }} where feed = '{{ feed }}')
                )
        ) as months
        {%- else %}
        from (select distinct {{ areas | join(', ') }} from {{ relation }}) as areas
        cross join (select distinct {{ class_columns | join(', ') }} from {{ relation }}) as classes
        cross join (
            select
                every_month.month::date as month,
                span.is_simulated
            from (
                select
                    min(month) as first_month,
                    max(month) as last_month,
                    {{ any_true('is_simulated') }} as is_simulated
                from {{ relation }}
            ) as span
            left join {{ ref('int_partner_feeds__newest_months') }} as newest on newest.feed = '{{ feed }}'
            cross join generate_series(
                span.first_month, greatest(span.last_month, newest.newest_month), interval '1 month'
            ) as every_month (month)
        ) as months
        {%- if only %}
        where {{ only }}
        {%- endif %}
        {%- endif %}
    ) as found_and_zeros
    group by {{ (areas + class_columns) | join(', ') }}, month
{%- endmacro %}


{#-
    Wards in the months before they were drawn, of which nothing was recorded: rows for the figures that the wards of
    those months are put into. `relation` is shaped as for compare_months, with `class_column`, and holds what was
    counted; `nulls` names its further columns, with their types.
-#}
{% macro wards_before_they_were_drawn(relation, class_column, nulls) -%}
    select
        'ward' as geography_type,
        wards.ward_code as geography_code,
        wards.ward_name as geography_name,
        wards.borough_code,
        wards.borough_name,
        wards.ward_code,
        wards.ward_name,
        held.month,
        held.{{ class_column }},
        {%- for column, type in nulls.items() %}
        null::{{ type }} as {{ column }},
        {%- endfor %}
        held.is_simulated
    from (
        select distinct
            maps.to_area_code,
            counted.month,
            counted.{{ class_column }},
            counted.is_simulated
        from {{ relation }} as counted
        inner join {{ ref('recording_code_weight') }} as maps
            on
                maps.series = 'offences_by_ward'
                and counted.geography_code = maps.from_area_code
                and counted.is_simulated = maps.is_simulated
    ) as held
    inner join {{ ref('dim_ward') }} as wards on held.to_area_code = wards.ward_code
    where
        not exists (
            select 1
            from {{ relation }} as there
            where
                held.to_area_code = there.geography_code
                and held.month = there.month
        )
{%- endmacro %}


{#- What a note is about, as one text; London has no borough. -#}
{% macro note_key(relation, class_column) -%}
    {{ relation }}.series || '|' || {{ relation }}.{{ class_column }} || '|' || {{ relation }}.month || '|'
    || coalesce({{ relation }}.borough_code, '')
{%- endmacro %}


{#-
    What an analyst must know before comparing a month with the same month of the year before, for any monthly
    count. The model shapes its counts in a CTE called `counts`, which holds one row an area, class and month:
    the area columns, month, `class_column`, series (of dim_recording_regime), is_parent (whether the row is the
    series as a whole or a class within it), <measure>_as_recorded, is_simulated, the columns of `also`, and feed,
    unless `published_by_mps`. A month without a row counts as not covered. The macro writes the rest of the query.

    `subject` is what is counted, as it stands in a sentence, and `whole` what the parent is called; where they
    differ from row to row, `subject_column` and `whole_column` name columns of counts. `restated` is a column of
    counts that holds the figure by the rule of today, where records say it, for months before the change of the
    register that `restated_over` names. `only` is a condition on the rows to write: those of other months are
    there to compare with.

    The regime follows the date of the rule, not the label: the labels of the Metropolitan Police change at a
    file's boundary three months before the rule of April 2017. What each change does to a row is worked out in
    macros/comparability.sql.
-#}
{% macro compare_months(
    class_column, measure, subject=none, subject_column=none, whole=none, whole_column=none,
    published_by_mps=false, also=[], restated=none, restated_over=none, only=none
) -%}
    {%- set areas = area_columns() -%}
    {%- set value = measure ~ '_as_recorded' -%}
    {%- set comparable = measure ~ '_comparable' -%}
    {%- set subject_text = subject_column if subject_column else "'" ~ subject ~ "'" -%}
    {%- set whole_text = whole_column if whole_column else ("'" ~ whole ~ "'" if whole) -%}
{#- Newest months: of the MPS by the level of the file, of a partner by the day of its last extract. -#}
newest_months as (
    {%- if published_by_mps %}
    select
        geography_level,
        month as newest_whole_month,
        null::date as last_day
    from {{ ref('int_mps__coverage') }}
    where is_newest_month
    {%- else %}
    select
        feed,
        newest_whole_month,
        last_day
    from {{ ref('int_partner_feeds__newest_months') }}
    {%- endif %}
),

counts_with_regime as (
    select
        counts.*,
        {{ cell_key('counts', 'counts.' ~ class_column, 'counts.month') }} as cell_key,
        {{ cell_key('counts', 'counts.' ~ class_column, add_years('counts.month', -1)) }} as cell_key_a_year_before,
        {{ kind_key('counts', class_column, published_by_mps) }} as kind_key,
        regimes.regime_key,
        case when counts.is_parent then regimes.caveat_parent else regimes.caveat_children end as regime_caveat,
        coalesce(counts.month = newest_months.newest_whole_month, false) as is_newest_month,
        coalesce(counts.month > newest_months.newest_whole_month, false) as is_unfinished,
        newest_months.last_day
    from counts
    left join {{ ref('dim_recording_regime') }} as regimes
        on
            counts.series = regimes.series
            and counts.month >= regimes.valid_from
            and (regimes.valid_to is null or counts.month <= regimes.valid_to)
    left join newest_months
        on
            {%- if published_by_mps %}
            newest_months.geography_level = case when counts.geography_type = 'ward' then 'ward' else 'borough' end
            and counts.month = newest_months.newest_whole_month
            {%- else %}
            counts.feed = newest_months.feed
            {%- endif %}
),

{{ effects_of_changes(class_column, published_by_mps, restated_over) }}

{{ estimates_by_the_rule_of_today('counts_with_regime', class_column, value) }}

-- One text as the key: of several columns the planner, who takes these for a row or two, would join by one only and
-- compare the notes of a class with all its rows.
notes as (
    select
        {{ note_key('described', class_column) }} as note_key,
        {{ join_texts('notes.note', ' ') }} as note
    from (select distinct series, {{ class_column }}, month, borough_code from counts) as described
    inner join {{ ref('recording_notes') }} as notes
        on
            described.series = notes.series
            and (notes.class_name is null or described.{{ class_column }} = notes.class_name)
            and described.month between notes.from_month and notes.to_month
            and (notes.borough_code is null or described.borough_code = notes.borough_code)
    group by {{ note_key('described', class_column) }}
),

-- how each figure may be told by the rule of today: as it was recorded, from the records themselves, or estimated
with_changes as (
    select
        counts_with_regime.*,
        effects.broken_on,
        effects.bridged_by_estimate_on,
        coalesce(effects.is_bridged, false) as is_bridged,
        coalesce(effects.is_whole_broken, false) as is_whole_broken,
        coalesce(effects.is_suspected, false) as is_suspected,
        coalesce(effects.is_rejected, false) as is_change_rejected,
        coalesce(effects.is_relabelled, false) as is_relabelled,
        effects.change_caveat,
        effects.estimated_by,
        case
            when counts_with_regime.regime_key is null then 'nobody_can_say'
            when coalesce(effects.open_after, 0) = 0 then 'as_recorded'
            {%- if restated %}
            when effects.open_after = effects.restated_after and counts_with_regime.{{ restated }} is not null
                then 'restated'
            {%- endif %}
            when effects.estimated_by is not null and estimates.cell_key is not null then 'estimated'
            else 'nobody_can_say'
        end as how,
        estimates.estimate,
        estimates.estimate_low,
        estimates.estimate_high,
        estimates.basis as basis_of_estimate
    from counts_with_regime
    left join effects on counts_with_regime.kind_key || '|' || counts_with_regime.month = effects.effect_key
    left join estimates on counts_with_regime.cell_key = estimates.cell_key
),

valued as (
    select
        *,
        {%- for bound in ['', '_low', '_high'] %}
        (
            case how
                when 'as_recorded' then {{ value }}
                {%- if restated %}
                when 'restated' then {{ restated }}
                {%- endif %}
                when 'estimated' then estimate{{ bound }}
            end
        )::numeric as comparable{{ bound }},
        {%- endfor %}
        case
            when how = 'estimated' then basis_of_estimate
            when {{ value }} is null then null
            when how = 'as_recorded' then case when is_relabelled then 'authority' else 'as_recorded' end
            when how = 'restated' then 'dual_coded'
        end as comparable_basis
    from with_changes
),

compared as (
    select
        this_year.*,
        notes.note,
        last_year.{{ value }} as measure_a_year_before,
        this_year.broken_on is not null as is_over_a_break,
        this_year.bridged_by_estimate_on is not null as is_over_an_estimate,
        not this_year.is_parent and not this_year.is_whole_broken as is_whole_unbroken,
        coalesce(last_year.is_simulated <> this_year.is_simulated, false) as is_mixed,
        -- Where both months are estimated by one share, what is unknown of it counts for their difference only.
        -- Else one of the two is exact, or they are apart: the least that one may be less the most of the other.
        case
            when this_year.is_unfinished or last_year.is_simulated <> this_year.is_simulated then null
            else coalesce(differences.difference, this_year.comparable - last_year.comparable)
        end as comparable_change,
        case
            when this_year.is_unfinished or last_year.is_simulated <> this_year.is_simulated then null
            else coalesce(differences.difference_low, this_year.comparable_low - last_year.comparable_high)
        end as comparable_change_low,
        case
            when this_year.is_unfinished or last_year.is_simulated <> this_year.is_simulated then null
            else coalesce(differences.difference_high, this_year.comparable_high - last_year.comparable_low)
        end as comparable_change_high
    from valued as this_year
    left join valued as last_year on this_year.cell_key_a_year_before = last_year.cell_key
    left join differences
        on
            this_year.cell_key = differences.cell_key
            and this_year.how = 'estimated'
            and last_year.how = 'estimated'
    left join notes on {{ note_key('this_year', class_column) }} = notes.note_key
)

select
    {%- for column in areas %}
    {{ column }},
    {%- endfor %}
    {{ class_column }},
    month,
    {{ date_key('month') }} as month_key,
    {{ financial_year('month') }} as financial_year,
    {{ value }},
    {%- for bound in ['', '_low', '_high'] %}
    comparable{{ bound }}::numeric(12, 1) as {{ comparable ~ bound }},
    {%- endfor %}
    comparable_basis,
    coalesce(regime_key, {{ unknown_key() }}) as regime_key,
    case
        when is_over_a_break or regime_key is null then 'break'
        when is_newest_month or is_unfinished or is_suspected then 'provisional'
        when is_bridged or (how = 'estimated' and {{ value }} is null) then 'bridged'
        else 'comparable'
    end as comparability,
    is_parent as is_whole_series,
    is_newest_month,
    is_unfinished,
    {{ sentences([
        'case when not is_change_rejected then regime_caveat end',
        'change_caveat',
        estimate_in_words(value),
        'note',
        "case when is_newest_month then '" ~ (
            'The newest month published: later files usually restate it a little.' if published_by_mps
            else 'The newest whole month: records that come late still change it.'
        ) ~ "' end",
        "case when is_unfinished then 'The month is not over: the files delivered so far end on ' || "
        ~ day_in_words('last_day') ~ " || '.' end",
    ]) }} as caveat,
    case
        when
            not is_over_a_break
            and not is_over_an_estimate
            and regime_key is not null
            and not is_mixed
            and not is_unfinished
            then {{ value }} - measure_a_year_before
    end as change_on_same_month_last_year,
    comparable_change::numeric(12, 1) as comparable_change_on_same_month_last_year,
    comparable_change_low::numeric(12, 1) as comparable_change_on_same_month_last_year_low,
    comparable_change_high::numeric(12, 1) as comparable_change_on_same_month_last_year_high,
    case
        when is_over_a_break or is_over_an_estimate
            then
                'The way of counting changed on ' || {{ day_in_words('coalesce(broken_on, bridged_by_estimate_on)') }}
                || ', between the two months: a difference would show the rule and not ' || {{ subject_text }} || '.'
                {%- if whole_text %}
                || case when is_whole_unbroken then ' ' || {{ whole_text }} || ' may be compared.' else '' end
                {%- endif %}
                || case
                    when comparable_change is not null then ' The change by the rule of today stands beside it.'
                    else ''
                end
        when regime_key is null
            then 'By which rule this is counted is not registered: nobody can say whether the two months agree.'
        when measure_a_year_before is null
            then
                'No figure for the same month of the year before: '
                {%- if published_by_mps %}
                || 'it was not published for this area.'
                {%- else %}
                || 'the files delivered so far do not hold it.'
                {%- endif %}
        when is_mixed
            then 'One of the two months is simulated, the other is not.'
        when is_unfinished
            then 'The month is not over: the files delivered so far end on ' || {{ day_in_words('last_day') }} || '.'
    end as change_reason,
    {%- for column in also %}
    {{ column }},
    {%- endfor %}
    is_simulated,
    {{ build_id() }} as build_id
from compared
-- a ward before it was drawn, of whose figure nobody can say anything
where
    not (geography_type = 'ward' and {{ value }} is null and comparable is null)
    {%- if only %}
    and ({{ only }})
    {%- endif %}
{%- endmacro %}
