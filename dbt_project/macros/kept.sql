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
