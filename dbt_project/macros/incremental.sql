{#-
    Incremental facts are rebuilt by whole months: what a delivery speaks for (quality.delivery_coverage) is what
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
