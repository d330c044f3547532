{#-
    Comparing financial years in a wide mart, one row a borough and year. The model has a CTE `years` with
    borough_code, year_from (1 April), months_covered, is_simulated and its counts, reads it a second time as the
    year to compare with, and joins the changes of rule between the two.
-#}


{#-
    The changes in counting of some series since the year so many before began, by the register and by what people
    decided, of a borough in a feed: (year_from, borough_code, series, changed_on, is_break). Of the series as a whole,
    or of a class; where a class is bridged by shares, its figures as recorded may not be compared either.
-#}
{% macro changes_between_years(series, years_back, feed='police_offences', class_name=none) -%}
    select
        met.year_from,
        met.borough_code,
        met.series,
        max(case when met.is_break then met.changed_on end) as changed_on,
        {{ any_true('met.is_break') }} as is_break
    from (
        select
            starts.year_from,
            starts.borough_code,
            changes.series,
            changes.changed_on,
            {%- if class_name %}
            changes.treatment = 'break' or changes.change_code in (
                select maps.change_code
                from {{ ref('recording_code_weight') }} as maps
                where
                    maps.series in ('{{ series | join("', '") }}')
                    and (maps.from_class <> maps.to_class or maps.weight_low < 1)
            ) as is_break,
            {%- else %}
            changes.treatment = 'break' as is_break,
            {%- endif %}
            {{ any_true("changes.treatment = 'rejected'") }} over (
                partition by starts.year_from, starts.borough_code, changes.series, changes.change_code
            ) as is_rejected
        from (select distinct years.year_from, years.borough_code from years) as starts
        inner join {{ ref('int_recording__changes_by_class') }} as changes
            on
                {% if class_name -%}
                not changes.is_parent
                and (changes.class_name is null or changes.class_name = '{{ class_name }}')
                {%- else -%}
                changes.is_parent
                {%- endif %}
                and changes.series in ('{{ series | join("', '") }}')
                and changes.treatment in ('bridge', 'break', 'rejected')
                and (changes.borough_code is null or starts.borough_code = changes.borough_code)
                and (changes.feed is null or changes.feed = '{{ feed }}')
                and {{ add_years('starts.year_from', -years_back) }} < changes.changed_on
                and {{ add_years('starts.year_from', 1) }} > changes.changed_on
    ) as met
    where not met.is_rejected
    group by met.year_from, met.borough_code, met.series
{%- endmacro %}


{#- Condition that joins such changes to their year. -#}
{% macro are_of_year(changes) -%}
    years.year_from = {{ changes }}.year_from
    and years.borough_code = {{ changes }}.borough_code
{%- endmacro %}


{#- Change of a count as a share of what it was (0.47: 47 % more), where the two years may be compared. -#}
{% macro change_on_year(count, earlier, changes) -%}
    case
        when
            years.months_covered = 12
            and {{ earlier }}.months_covered = 12
            and years.is_simulated = {{ earlier }}.is_simulated
            and not coalesce({{ changes }}.is_break, false)
            then years.{{ count }}::numeric / nullif({{ earlier }}.{{ count }}, 0) - 1
    end
{%- endmacro %}


{#- Why change_on_year gives nothing; empty where it gives a figure. -#}
{% macro reason_of_no_change_on_year(count, earlier, changes) -%}
    case
        when coalesce({{ changes }}.is_break, false)
            then
                'The way of counting changed on ' || {{ day_in_words(changes ~ '.changed_on') }}
                || ', between the two years: a difference would show the rule.'
        when {{ earlier }}.months_covered is null
            then 'The files delivered so far do not hold the year to compare with.'
        when years.months_covered < 12
            then 'Only ' || years.months_covered || ' of the 12 months of this year are covered.'
        when {{ earlier }}.months_covered < 12
            then 'Only ' || {{ earlier }}.months_covered || ' of the 12 months of the year to compare with are covered.'
        when years.is_simulated <> {{ earlier }}.is_simulated
            then 'One of the two years is simulated, the other is not.'
        when {{ earlier }}.{{ count }} = 0
            then 'There was none in the year to compare with.'
    end
{%- endmacro %}


{#- What people must be told of the recording of some series, as a whole, in a year: (year_from, series, note). -#}
{% macro notes_of_years(series) -%}
    select
        starts.year_from,
        notes.series,
        {{ join_texts('notes.note', ' ') }} as note
    from (select distinct years.year_from from years) as starts
    inner join {{ ref('recording_notes') }} as notes
        on
            notes.class_name is null
            and notes.borough_code is null
            and notes.series in ('{{ series | join("', '") }}')
            and {{ add_years('starts.year_from', 1) }} > notes.from_month
            and starts.year_from <= notes.to_month
    group by starts.year_from, notes.series
{%- endmacro %}
