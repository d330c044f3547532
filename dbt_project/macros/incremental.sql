{#-
    Incremental facts of feeds that speak for months are rebuilt by whole months: what a delivery speaks for (quality.delivery_coverage) is what
    it may have changed, be it by new, restated or withdrawn rows. A month is rebuilt when a delivery that covers it
    was not yet seen by the build that last wrote this very table, so a build that was held, failed half-way or
    skipped this model leaves nothing behind. Rows carry that build in build_id.
-#}
{% macro new_deliveries(feeds) -%}
    select delivery.delivery_id
    from {{ source('quality', 'delivery') }} as delivery
    where
        delivery.state = 'admitted'
        and delivery.feed in ('{{ feeds | join("', '") }}')
        and not exists (
            select 1
            from {{ source('quality', 'build_delivery') }} as seen
            where
                seen.delivery_id = delivery.delivery_id
                and seen.build_id = (select max(this_table.build_id) from {{ this }} as this_table)
        )
{%- endmacro %}


{#-
    Scopes and months of `feed` to build again: (scope, period). Beside those of new deliveries, the ones that no
    delivery speaks for any more (real files end the simulated ones of all months), so that their rows go. With
    `lookups`, everything is built again when a delivery of one of those feeds is new, because it may move any row.
-#}
{% macro changed_periods(feed, lookups=[]) -%}
    select
        coverage.scope,
        coverage.period
    from {{ source('quality', 'delivery_coverage') }} as coverage
    where coverage.feed = '{{ feed }}'
    group by coverage.scope, coverage.period
    having
        not {{ any_true('coverage.is_current') }}
        or {{ any_true('coverage.is_current and coverage.delivery_id in (' ~ new_deliveries([feed]) ~ ')') }}
        {%- if lookups %}
        or exists ({{ new_deliveries(lookups) }})
        {%- endif %}
{%- endmacro %}


{#-
    Incremental strategy `replace_changed_periods`: deletes the changed months and puts the new rows in, in the
    transaction of the model. dbt's delete+insert would keep a month whose rows were all withdrawn.
    The model says in meta.rebuilds which feed changes it and how scope and period are called in it.
-#}
{% macro get_incremental_replace_changed_periods_sql(arg_dict) -%}
    {%- set rebuilds = config.get('meta')['rebuilds'] -%}
    {%- set columns = get_quoted_csv(arg_dict['dest_columns'] | map(attribute='name')) -%}
    delete from {{ arg_dict['target_relation'] }}
    where
        {% if rebuilds.scope_column -%}
        ({{ rebuilds.scope_column }}, {{ rebuilds.period_column }}) in (
            {{ changed_periods(rebuilds.feed, rebuilds.get('lookups', [])) }}
        )
        {%- else -%}
        {{ rebuilds.period_column }} in (
            select changed.period from ({{ changed_periods(rebuilds.feed, rebuilds.get('lookups', [])) }}) as changed
        )
        {%- endif %};

    insert into {{ arg_dict['target_relation'] }} ({{ columns }})
    select {{ columns }} from {{ arg_dict['temp_relation'] }}
{%- endmacro %}


{#-
    Numbers of those deliveries, as a list. With the numbers in its hands, and not a subquery, the planner knows how
    few rows they brought and finds them by index. A model asks for them in several places and is given one answer.
-#}
{% macro new_delivery_ids(feeds) -%}
    {{ (answer(new_deliveries(feeds)) if execute else []) | join(', ') or 'null' }}
{%- endmacro %}


{#- What a query of one column gives, asked once for each reading of a model however often the model wants it. -#}
{% macro answer(query) -%}
    {%- set known = load_result(query) -%}
    {%- if known is none -%}
        {%- call statement(query, fetch_result=True, auto_begin=False) -%} {{ query }} {%- endcall -%}
        {%- set known = load_result(query) -%}
    {%- endif -%}
    {#- dbt gives a result out once -#}
    {%- do store_result(query, response=known.response, agate_table=known.table) -%}
    {{ return(known.table.columns[0].values()) }}
{%- endmacro %}


{#- Feeds that say in which ward and borough an area lies: a new one may move any record. -#}
{% macro place_lookups() -%}
    {{ return(['reference_lsoa_ward', 'reference_lsoa_2001_2011', 'reference_lsoa_population', 'reference_boundaries']) }}
{%- endmacro %}


{#-
    Incremental facts of feeds that send record after record are rebuilt by record: `key` of every record that a new
    delivery brought, replaced or withdrew, read from raw because staging shows only what is current. With `lookups`,
    every record is built again when a delivery of one of those feeds is new.
-#}
{% macro changed_records(feeds, key, lookups=[]) -%}
    {%- set is_everything = lookups and new_delivery_ids(lookups) != 'null' -%}
    {%- for feed in feeds %}
    {%- if is_everything %}
    select record.{{ key }} from {{ source('raw', feed) }} as record
    {%- else %}
    {%- set deliveries = new_delivery_ids([feed]) %}
    select record.{{ key }} from {{ source('raw', feed) }} as record where record.delivery_id in ({{ deliveries }})
    union
    select record.{{ key }} from {{ source('raw', feed) }} as record
    where record.withdrawn_delivery_id in ({{ deliveries }})
    {%- endif %}
    {%- if not loop.last %}
    union
    {%- endif %}
    {%- endfor %}
{%- endmacro %}


{#-
    Incremental strategy `replace_changed_records`: deletes the rows of changed records and puts the new ones in.
    meta.rebuilds says which `feeds` (and `lookups`) change the model and by which `key` of raw. Its rows are found by
    `key_column` (surrogate key of `key`, so that one index serves) or by `key`. With `relatives`, rows that were made
    anew because of another record are replaced as well; with `follows`, those of which that model has written the row
    anew, be they in this one or not.
-#}
{% macro get_incremental_replace_changed_records_sql(arg_dict) -%}
    {%- set rebuilds = config.get('meta')['rebuilds'] -%}
    {%- set columns = get_quoted_csv(arg_dict['dest_columns'] | map(attribute='name')) -%}
    delete from {{ arg_dict['target_relation'] }}
    where
        {{ rebuilds.get('key_column') or rebuilds.key }} in (
            select {% if rebuilds.get('key_column') %}{{ surrogate_key(['changed.' ~ rebuilds.key]) }}
            {%- else %}changed.{{ rebuilds.key }}{% endif %}
            from ({{ changed_records(rebuilds.feeds, rebuilds.key, rebuilds.get('lookups', [])) }}) as changed
        )
        {%- if rebuilds.get('relatives') %}
        or {{ rebuilds.key_column }} in (select made.{{ rebuilds.key_column }} from {{ arg_dict['temp_relation'] }} as made)
        {%- endif %}
        {%- if rebuilds.get('follows') %}
        or {{ rebuilds.key_column }} in ({{ rows_written_since(rebuilds.follows, rebuilds.key_column) }})
        {%- endif %};

    insert into {{ arg_dict['target_relation'] }} ({{ columns }})
    select {{ columns }} from {{ arg_dict['temp_relation'] }}
{%- endmacro %}


{#- Keys of rows that a model which this one follows has written since this one was. -#}
{% macro rows_written_since(followed, key) -%}
    select followed.{{ key }}
    from {{ ref(followed) }} as followed
    where
        followed.build_id > (select coalesce(max(this_table.build_id), 0) from {{ this }} as this_table)
{%- endmacro %}


{#- What a query of one column gives, as a list of literals: the planner then knows how few there are. -#}
{% macro listed(query) -%}
    {%- set found = answer(query) if execute else [] -%}
    {{ ("'" ~ found | join("', '") ~ "'") if found else 'null' }}
{%- endmacro %}


{#-
    Months of what new deliveries brought, replaced or withdrew, a row each or several. Records of the feeds of `people`
    stand in the month of their offence, as `fct_offence` has it.
-#}
{% macro periods_of_changed_records(feeds, lookups=[], people=[]) -%}
    {{ changed_records(feeds, 'period', lookups) }}
    {%- if people %}
    union
    select crime.month from {{ ref('fct_offence') }} as crime
    where
        crime.recorded_offence_key in (
            select {{ surrogate_key(['changed.offence_id_police']) }}
            from ({{ changed_records(people, 'offence_id_police') }}) as changed
        )
    {%- endif %}
{%- endmacro %}


{#- Those months as a list of literals. -#}
{% macro changed_months(feeds, lookups=[], people=[]) -%}
    {%- set months -%}
    select distinct changed.period::text as month
    from ({{ periods_of_changed_records(feeds, lookups, people) }}) as changed
    {%- endset -%}
    {{ listed(months) }}
{%- endmacro %}


{#-
    Incremental strategy `replace_changed_months`: meta.rebuilds says which `feeds`, `lookups` and feeds of `people`
    change the model.
-#}
{% macro get_incremental_replace_changed_months_sql(arg_dict) -%}
    {%- set rebuilds = config.get('meta')['rebuilds'] -%}
    {%- set columns = get_quoted_csv(arg_dict['dest_columns'] | map(attribute='name')) -%}
    delete from {{ arg_dict['target_relation'] }}
    where
        month in (
            {{ changed_months(rebuilds.feeds, rebuilds.get('lookups', []), rebuilds.get('people', [])) }}
        );

    insert into {{ arg_dict['target_relation'] }} ({{ columns }})
    select {{ columns }} from {{ arg_dict['temp_relation'] }}
{%- endmacro %}
