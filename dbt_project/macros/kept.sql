{#-
    Views and seeds follow from the project alone, and a change of the project builds everything anew. In any other
    build those that are there stay as they are: making one again takes as long as a small mart. A view goes with a
    table that it reads when that is made again, and is then not there.
-#}
{% macro is_kept() -%}
    {%- set existing = load_cached_relation(this) -%}
    {{ return(existing is not none and not should_full_refresh()) }}
{%- endmacro %}


{% materialization view, adapter='postgres' %}
    {%- if not is_kept() -%} {{ return(dbt.materialization_view_default()) }} {%- endif -%}
    {%- call noop_statement('main', 'KEPT') -%} -- kept as it is {%- endcall -%}
    {{ return({'relations': [this.incorporate(type='view')]}) }}
{% endmaterialization %}


{% materialization seed, adapter='postgres' %}
    {%- if not is_kept() -%} {{ return(dbt.materialization_seed_default()) }} {%- endif -%}
    {%- call noop_statement('main', 'KEPT') -%} -- kept as it is {%- endcall -%}
    {#- dbt looks for the rows that were loaded -#}
    {%- do store_result('agate_table', response='KEPT') -%}
    {{ return({'relations': [this.incorporate(type='table')]}) }}
{% endmaterialization %}


{#-
    In any other build a table that is there keeps its place and gets other rows. To make it again beside the old one,
    dbt would check its contract, make its indexes and comments, rename both and drop the old one, and with that every
    view that reads it, which it would have to make again too: three times as many questions and statements, whatever
    the table holds. Where a model has other columns than its table, the table is made again all the same.
-#}
{% materialization table, adapter='postgres' %}
    {%- set kept = load_cached_relation(this) -%}
    {%- if not is_kept() or not kept.is_table -%} {{ return(dbt.materialization_table_default()) }} {%- endif -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- set made = make_temp_relation(this) -%}
    {%- call statement('made') -%} create temporary table {{ made }} on commit drop as ({{ sql }}) {%- endcall -%}
    {%- set columns = columns_of_both(made, kept) -%}
    {%- if columns is none -%}
        {%- do run_query('drop table ' ~ made) -%}
        {{ return(dbt.materialization_table_default()) }}
    {%- endif -%}
    {%- call statement('main') -%}
    truncate {{ kept }};

    insert into {{ kept }} ({{ columns }})
    select {{ columns }} from {{ made }}
    {%- endcall -%}
    {%- do persist_docs(kept, model) -%}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [kept]}) }}
{% endmaterialization %}


{#- The columns of two tables as a list, where both have the same ones of the same types; else nothing. -#}
{% macro columns_of_both(made, kept) -%}
    {%- set asked -%}
    select
        case
            when bool_and(one.atttypid is not distinct from other.atttypid)
                then string_agg(quote_ident(one.attname), ', ' order by one.attnum)
        end as columns
    from (
        select * from pg_attribute where attrelid = to_regclass('{{ made }}') and attnum > 0 and not attisdropped
    ) as one
    full join (
        select * from pg_attribute where attrelid = to_regclass('{{ kept }}') and attnum > 0 and not attisdropped
    ) as other on one.attname = other.attname
    {%- endset -%}
    {{ return(run_query(asked).columns[0].values()[0]) }}
{%- endmacro %}
