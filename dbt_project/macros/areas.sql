{#- Whether a part of an area lies within that of another; its lines may run along those of the other. -#}
{% macro is_within(inner, outer) -%}
    ({{ outer }}.holes is null and {{ outer }}.outline @> {{ inner }}.outline)
{%- endmacro %}


{#- The year that a generation of boundaries is called by. -#}
{% macro year_of_boundary(column) -%} extract(year from {{ column }})::integer {%- endmacro %}
