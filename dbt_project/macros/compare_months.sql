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

    Zeros are put together with what was counted and added up, not joined to it: the planner takes such a CTE for a
    few rows, and its join would compare every row of an area with every other.
-#}
{% macro every_month(relation, class_columns, measure, feed, also=[], only=none) -%}
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
            areas.{{ column }},
            {%- endfor %}
            {%- for column in class_columns %}
            classes.{{ column }},
            {%- endfor %}
            months.month,
            {%- for column in counts %}
            0 as {{ column }},
            {%- endfor %}
            false as is_found,
            months.is_simulated
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
    ) as found_and_zeros
    group by {{ (areas + class_columns) | join(', ') }}, month
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
    counts that holds the figure by the rule of today, where somebody can say it, for months whose figure as
    recorded may not be compared with today's. `only` is a condition on the rows to write: those of other months are
    there to compare with.

    The regime follows the date of the rule, not the label: the labels of the Metropolitan Police change at a
    file's boundary three months before the rule of April 2017.
-#}
{% macro compare_months(
    class_column, measure, subject=none, subject_column=none, whole=none, whole_column=none,
    published_by_mps=false, also=[], restated=none, only=none
) -%}
    {%- set areas = area_columns() -%}
    {%- set value = measure ~ '_as_recorded' -%}
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
        regimes.regime_key,
        case
            when counts.is_parent then regimes.is_parent_comparable_today else regimes.is_children_comparable_today
        end as is_comparable_today,
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

-- the changes of rule between a month and the same month of the year before
changes_over_the_year as (
    select
        months.series,
        months.month,
        changes.is_parent,
        max(changes.changed_on) as changed_on,
        {{ any_true("changes.treatment = 'break'") }} as is_break
    from (select distinct series, month from counts) as months
    inner join {{ ref('int_recording__changes_by_class') }} as changes
        on
            months.series = changes.series
            and {{ add_years('months.month', -1) }} < changes.changed_on
            and months.month >= changes.changed_on
    group by months.series, months.month, changes.is_parent
),

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

compared as (
    select
        this_year.*,
        notes.note,
        last_year.{{ value }} as measure_a_year_before,
        changes.changed_on,
        coalesce(changes.is_break, false) as is_over_a_break,
        not this_year.is_parent and not coalesce(changes_of_whole.is_break, false) as is_whole_unbroken,
        coalesce(last_year.is_simulated <> this_year.is_simulated, false) as is_mixed
    from counts_with_regime as this_year
    left join counts_with_regime as last_year
        on
            this_year.geography_type = last_year.geography_type
            and this_year.geography_code = last_year.geography_code
            and this_year.{{ class_column }} = last_year.{{ class_column }}
            and {{ add_years('this_year.month', -1) }} = last_year.month
    left join changes_over_the_year as changes
        on
            this_year.series = changes.series
            and this_year.month = changes.month
            and this_year.is_parent = changes.is_parent
    left join changes_over_the_year as changes_of_whole
        on
            this_year.series = changes_of_whole.series
            and this_year.month = changes_of_whole.month
            and changes_of_whole.is_parent
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
    case when is_comparable_today then {{ value }}{{ ' else ' ~ restated if restated }} end as {{ measure }}_comparable,
    coalesce(regime_key, {{ unknown_key() }}) as regime_key,
    case
        when is_over_a_break or regime_key is null then 'break'
        when is_newest_month or is_unfinished then 'provisional'
        when changed_on is not null then 'bridged'
        else 'comparable'
    end as comparability,
    {{ sentences([
        'regime_caveat',
        'note',
        "case when is_newest_month then '" ~ (
            'The newest month published: later files usually restate it a little.' if published_by_mps
            else 'The newest whole month: records that come late still change it.'
        ) ~ "' end",
        "case when is_unfinished then 'The month is not over: the files delivered so far end on ' || "
        ~ day_in_words('last_day') ~ " || '.' end",
    ]) }} as caveat,
    case
        when not is_over_a_break and regime_key is not null and not is_mixed and not is_unfinished
            then {{ value }} - measure_a_year_before
    end as change_on_same_month_last_year,
    case
        when is_over_a_break
            then
                'The way of counting changed on ' || {{ day_in_words('changed_on') }} || ', between the two months:'
                || ' a difference would show the rule and not ' || {{ subject_text }} || '.'
                {%- if whole_text %}
                || case when is_whole_unbroken then ' ' || {{ whole_text }} || ' may be compared.' else '' end
                {%- endif %}
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
{%- if only %}
where {{ only }}
{%- endif %}
{%- endmacro %}
