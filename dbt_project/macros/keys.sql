{#-
    A bigint made from the natural key: the same in every build and on every machine, so facts built at different
    times agree. 0 is kept for "unknown" and -1 for "not applicable".
-#}
{% macro surrogate_key(columns) -%}
    {%- set parts = [] -%}
    {%- for column in columns -%}
        {%- do parts.append("coalesce(" ~ column ~ "::text, '')") -%}
    {%- endfor -%}
    ('x' || left(md5({{ parts | join(" || '|' || ") }}), 16))::bit(64)::bigint
{%- endmacro %}


{% macro unknown_key() -%} 0::bigint {%- endmacro %}


{% macro not_applicable_key() -%} (-1)::bigint {%- endmacro %}


{#- The build that writes the row. -#}
{% macro build_id() -%} {{ var('build_id') | int }}::bigint {%- endmacro %}


{#- Key of the borough that the warehouse serves, for records of feeds that name no borough. -#}
{% macro home_borough_key() -%} {{ surrogate_key(["'" ~ var('home_borough_code') ~ "'"]) }} {%- endmacro %}
