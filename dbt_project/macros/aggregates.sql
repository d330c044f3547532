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


{#- Statistics for the planner: dbt does not gather them. A view has none. -#}
{% macro analyze_table() -%}
    {%- if config.get('materialized') != 'view' %} analyze {{ this }} {% endif -%}
{%- endmacro %}


{#- The value that stands most often in the group, missing ones left out; of two as frequent, the first. -#}
{% macro most_frequent(column) -%} mode() within group (order by {{ column }}) {%- endmacro %}
