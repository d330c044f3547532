{#-
    Monthly marts are rebuilt by months: those of what new deliveries brought, replaced or withdrew, the same months a
    year later (a row says how it differs from the year before), and those that were or are the newest, because their
    rows say so. Every area and class has a row in every month, so a mart is built whole where one of them appears or
    goes, where history begins with another month, where what is known of changes in counting is another (see
    comparability.sql), and where most months changed anyway.

    meta.rebuilds of such a mart says which `feeds`, `lookups` and feeds of `people` change it, and
    - `newest`: the feeds whose newest month its rows depend on;
    - `class`: its column of the class, and `counts`: the columns of which one is above 0 where anything was found;
    - `outcomes`: true where it counts by the month of the outcome too, and `first_column` the column that is empty
      before the first one;
    - `looks_back`: true where what is counted in a month depends on the 12 months before it;
    - `follows`: a model of which the months of rewritten rows are counted anew;
    - `part_of`: what tells parts of the mart that have areas and classes of their own (an expression).
-#}


{#- The months to write, as a list of literals; nothing where the mart is built whole. -#}
{% macro months_to_write() -%}
    {%- if not execute or not is_incremental() -%} {{ return(none) }} {%- endif -%}
    {%- set rebuilds = config.get('meta')['rebuilds'] -%}
    {%- set found = run_query(question_of_months(rebuilds)).columns[0].values() -%}
    {%- if not found or found[0] == 'all' -%} {{ return(none) }} {%- endif -%}
    {{ return("'" ~ found | join("', '") ~ "'") }}
{%- endmacro %}


{% macro question_of_months(rebuilds) -%}
    {%- set feeds = rebuilds.feeds -%}
    {%- set people = rebuilds.get('people', []) -%}
    {%- set lookups = rebuilds.get('lookups', []) -%}
    with mart as (
        select
            max(months) as months,
            max(last_month) as last_month,
            max(first_month) as settled_from
        from (
            select
                count(*) as months,
                min(month) as first_month,
                max(month) as last_month
            from {{ this }}
            where geography_type = 'borough'
            group by geography_code, {{ rebuilds.class }}
        ) as series
    ),

    -- the newest whole month of each feed when the mart was last written, and now
    newest_whole_months as (
        select {{ newest_whole_month('max(coverage.period)') }} as month
        from {{ source('quality', 'delivery_coverage') }} as coverage
        inner join {{ source('quality', 'build_delivery') }} as seen on coverage.delivery_id = seen.delivery_id
        where
            coverage.feed in ('{{ rebuilds.newest | join("', '") }}')
            and seen.build_id = (select max(build_id) from {{ this }})
        group by coverage.feed
        union all
        select newest_whole_month
        from {{ ref('int_partner_feeds__newest_months') }}
        where feed in ('{{ rebuilds.newest | join("', '") }}')
    ),

    changed as (
        select periods.period as month
        from ({{ periods_of_changed_records(feeds, lookups, people) }}) as periods
        {%- if rebuilds.get('outcomes') %}
        union
        select outcomes.outcome_month
        from {{ ref('fct_offence_outcome') }} as outcomes
        where
            outcomes.recorded_offence_key in (
                select {{ surrogate_key(['changed.offence_id_police']) }}
                from ({{ changed_records(feeds, 'offence_id_police', lookups) }}) as changed
            )
        {%- endif %}
    ),

    of_counts as (
        select changed.month
        from changed
        {%- if rebuilds.get('looks_back') %}
        union
        select (changed.month + later.months * interval '1 month')::date
        from changed
        cross join generate_series(1, 12) as later (months)
        {%- endif %}
        {%- if rebuilds.get('follows') %}
        union
        select followed.month
        from {{ ref(rebuilds.follows) }} as followed
        where followed.build_id > (select max(this_table.build_id) from {{ this }} as this_table)
        {%- endif %}
    ),

    written as (
        select month from of_counts
        union
        select {{ add_years('month', 1) }} from of_counts
        union
        select months.month::date
        from (select min(month) as month from newest_whole_months) as first_standing
        cross join mart
        cross join generate_series(
            first_standing.month,
            greatest(
                mart.last_month,
                (
                    select max(newest_month)
                    from {{ ref('int_partner_feeds__newest_months') }}
                    where feed in ('{{ rebuilds.newest | join("', '") }}')
                )
            ),
            interval '1 month'
        ) as months (month)
    )

    select case when whole.is_whole then 'all' else written.month::text end as month
    from written
    cross join (
        select
            coalesce(
                mart.months is null
                or (select min(month) from of_counts) <= mart.settled_from
                or (select count(*) from written where month <= mart.last_month) * 2 > mart.months
                or {{ is_ledger_changed(feeds + people + rebuilds.newest) }}
                or {{ are_shares_changed(rebuilds.class) }}
                {%- if rebuilds.get('first_column') %}
                or coalesce((select min(month) from of_counts) <= (
                    select min(month) from {{ this }} where {{ rebuilds.first_column }} is not null
                ), true)
                {%- endif %},
                false
            ) as is_whole
        from mart
    ) as whole
    group by 1
    order by 1
{%- endmacro %}


{#- A condition: that a column lies in months, which is always so where everything is built. -#}
{% macro in_months(column, months) -%}
    {%- if months is none -%} true {%- else -%} {{ column }} in ({{ months }}) {%- endif -%}
{%- endmacro %}


{#- The months whose counts are needed to write `months`: those and the same months a year before. -#}
{% macro with_year_before(months) -%}
    {%- if months is none -%} {{ return(none) }} {%- endif -%}
    {%- set wanted -%}
    select distinct months.month::text as month
    from unnest(array[{{ months }}]::date[]) as written (month)
    cross join lateral (values (written.month), ({{ add_years('written.month', -1) }})) as months (month)
    order by 1
    {%- endset -%}
    {{ return(listed(wanted)) }}
{%- endmacro %}


{#- The months on which the counts of `months` depend, where they look 12 months back. -#}
{% macro with_months_before(months) -%}
    {%- if months is none -%} {{ return(none) }} {%- endif -%}
    {%- set wanted -%}
    select distinct (counted.month - back.months * interval '1 month')::date::text as month
    from unnest(array[{{ months }}]::date[]) as counted (month)
    cross join generate_series(0, 12) as back (months)
    order by 1
    {%- endset -%}
    {{ return(listed(wanted)) }}
{%- endmacro %}


{#-
    Whether the rows of some months, just made, leave the areas, classes and kind of data of the mart as they are. Only
    then do its other months stay as they are.
-#}
{% macro is_grid_kept(mart, made, months, rebuilds) -%}
    {%- set class = rebuilds.class -%}
    {%- set part = rebuilds.get('part_of', "''::text") -%}
    {%- set is_found -%}
    ({% for count in rebuilds.counts %}{{ count }} > 0{{ ' or ' if not loop.last }}{% endfor %})
    {%- endset -%}
    {%- set question -%}
    with newest as (
        select
            {{ area_columns() | join(', ') }},
            {{ class }},
            {{ part }} as part,
            is_simulated
        from {{ mart }}
        where
            (month, {{ part }}) in (
                select max(month), {{ part }} from {{ mart }} where geography_type = 'borough' group by {{ part }}
            )
    ),

    made as (
        select
            {{ area_columns() | join(', ') }},
            {{ class }},
            {{ part }} as part,
            {{ is_found }} as is_found,
            is_simulated
        from {{ made }}
    )

    select
        not exists (
            select {{ area_columns() | join(', ') }}, {{ class }} from made
            except
            select {{ area_columns() | join(', ') }}, {{ class }} from newest
        )
        and not exists (
            select 1
            from (select distinct geography_type, geography_code, part from newest) as area
            left join lateral (
                select true as is_there
                from {{ mart }} as kept
                where
                    kept.geography_type = area.geography_type
                    and kept.geography_code = area.geography_code
                    and {{ part }} = area.part
                    and kept.month not in ({{ months }})
                    and {{ is_found }}
                limit 1
            ) as found on true
            where
                found.is_there is null
                and (area.geography_type, area.geography_code, area.part) not in (
                    select made.geography_type, made.geography_code, made.part from made where made.is_found
                )
        )
        and not exists (
            select 1
            from (select distinct {{ class }} as class from newest) as one
            left join lateral (
                select true as is_there
                from {{ mart }} as kept
                where
                    kept.{{ class }} = one.class
                    and kept.month not in ({{ months }})
                    and {{ is_found }}
                limit 1
            ) as found on true
            where
                found.is_there is null
                and one.class not in (select made.{{ class }} from made where made.is_found)
        )
        and not exists (
            select {{ any_true('is_simulated') }} from newest
            except
            select is_simulated from made
        )
        and (select count(distinct is_simulated) from made) = 1 as is_kept
    {%- endset -%}
    {{ return(run_query(question).columns[0].values()[0]) }}
{%- endmacro %}


{#- Incremental strategy `replace_compared_months`, as said at the top. -#}
{% macro get_incremental_replace_compared_months_sql(arg_dict) -%}
    {%- set mart = arg_dict['target_relation'] -%}
    {%- set made = arg_dict['temp_relation'] -%}
    {%- set rebuilds = config.get('meta')['rebuilds'] -%}
    {%- set columns = get_quoted_csv(arg_dict['dest_columns'] | map(attribute='name')) -%}
    {%- set months = months_to_write() -%}
    {%- if months is none %}
    truncate {{ mart }};

    insert into {{ mart }} ({{ columns }})
    select {{ columns }} from {{ made }}
    {%- elif is_grid_kept(mart, made, months, rebuilds) %}
    delete from {{ mart }}
    where month in ({{ months }});

    insert into {{ mart }} ({{ columns }})
    select {{ columns }} from {{ made }}
    {%- else %}
    {#- the model, read once more while the mart is empty, is the whole of it -#}
    {%- do run_query('truncate ' ~ mart) %}
    insert into {{ mart }} ({{ columns }})
    select {{ columns }} from ({{ render(model.raw_code) }}) as whole_mart
    {%- endif %}
{%- endmacro %}
