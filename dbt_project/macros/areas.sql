{#-
    Whether a part of an area lies within that of another: all its corners do, or lie on its line. PostgreSQL's own
    `@>` of two polygons fails where they have a line in common, which areas that were merged always have.
-#}
{% macro is_within(inner, outer) -%}
    (
        {{ outer }}.holes is null
        and not exists (
            select 1
            from unnest({{ inner }}.corners) as corners (corner)
            where not {{ outer }}.outline @> corners.corner
        )
    )
{%- endmacro %}


{#- The year that a generation of boundaries is called by. -#}
{% macro year_of_boundary(column) -%} extract(year from {{ column }})::integer {%- endmacro %}
