{#- Distinct texts of a group in alphabetical order, joined by a separator. -#}
{% macro join_texts(column, separator) -%}
    string_agg(distinct {{ column }}, '{{ separator }}')
{%- endmacro %}


{#- Sentences one after another; missing ones are left out. -#}
{% macro sentences(columns) -%}
    nullif(concat_ws(' ', {{ columns | join(', ') }}), '')
{%- endmacro %}


{#- True where any row of the group is. -#}
{% macro any_true(column) -%} bool_or({{ column }}) {%- endmacro %}


{#- Statistics for the planner: dbt does not gather them. A view has none. -#}
{% macro analyze_table() -%}
    {%- if config.get('materialized') != 'view' %} analyze {{ this }} {% endif -%}
{%- endmacro %}
