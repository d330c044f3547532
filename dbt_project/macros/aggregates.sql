{#- Distinct texts of a group in alphabetical order, joined by a separator. -#}
{% macro join_texts(column, separator) -%}
    string_agg(distinct {{ column }}, '{{ separator }}')
{%- endmacro %}


{#- Sentences one after another; missing ones are left out. -#}
{% macro sentences(columns) -%}
    nullif(concat_ws(' ', {{ columns | join(', ') }}), '')
{%- endmacro %}


{#- Texts of a group in the order of another column, joined by a separator; missing ones are left out. -#}
{% macro join_in_order(column, separator, by_column) -%}
    string_agg({{ column }}, '{{ separator }}' order by {{ by_column }})
{%- endmacro %}


{#- True where any row of the group is. -#}
{% macro any_true(column) -%} bool_or({{ column }}) {%- endmacro %}


{#-
    Statistics for the planner: dbt does not gather them. A view has none. Of a table that is kept they are gathered
    anew where the build changed a twentieth of its rows; what adds up over many nights the server sees to itself.
-#}
{% macro analyze_table() -%}
    {%- if config.get('materialized') != 'view' and is_worth_analyzing() %} analyze {{ this }} {% endif -%}
{%- endmacro %}


{#- Whether the transaction that is running made the table or changed enough of it. -#}
{% macro is_worth_analyzing() -%}
    {%- if not execute or not is_incremental() -%} {{ return(true) }} {%- endif -%}
    {%- set changed -%}
    select coalesce(sum(written.n_tup_ins + written.n_tup_del), 0) * 20 >= max(tables.reltuples)
    from pg_class as tables
    left join pg_stat_xact_user_tables as written on tables.oid = written.relid
    where tables.oid = '{{ this }}'::regclass
    {%- endset -%}
    {{ return(run_query(changed).columns[0].values()[0]) }}
{%- endmacro %}


{#- The value that stands most often in the group, missing ones left out; of two as frequent, the first. -#}
{% macro most_frequent(column) -%} mode() within group (order by {{ column }}) {%- endmacro %}


{#- Rows of the group that fulfil a condition; one that is not known does not. -#}
{% macro count_where(condition) -%} (count(*) filter (where {{ condition }}))::integer {%- endmacro %}


{#- Share, 0 to 1, of the rows within `base` (all, if none is named) that fulfil a condition; NULL without a base. -#}
{% macro share_where(condition, base='true') -%}
    (
        (count(*) filter (where ({{ base }}) and ({{ condition }})))::numeric
        / nullif(count(*) filter (where {{ base }}), 0)
    )::numeric(7, 6)
{%- endmacro %}


{#- The middle value of a column over the rows that fulfil a condition, missing values left out. -#}
{% macro median_where(column, condition) -%}
    (percentile_cont(0.5) within group (order by {{ column }}) filter (where {{ condition }}))::numeric(8, 1)
{%- endmacro %}
