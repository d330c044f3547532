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


{#-
    The build that writes the row, as the statement that writes it finds it in the ledger: asked apart it would be one
    question more for every model.
-#}
{% macro build_id() -%}
    (select coalesce(max(build.build_id), 0) from quality.build as build where build.state = 'running')
{%- endmacro %}


{#-
    Number of the newest build in a state, 0 where there is none. Asked of the ledger and not handed over as a variable:
    with other variables every night dbt would read the whole project anew. By its name and not as a source, which
    would put the ledger above every model in the lineage.
-#}
{% macro newest_build(state) -%}
    {%- if execute -%}
        {%- set found = run_query("select coalesce(max(build_id), 0) from quality.build where state = '" ~ state ~ "'") -%}
        {{ found.columns[0].values()[0] }}
    {%- else -%}
        0
    {%- endif -%}
{%- endmacro %}


{#- Key of the borough that the warehouse serves, for records of feeds that name no borough. -#}
{% macro home_borough_key() -%} {{ surrogate_key(["'" ~ var('home_borough_code') ~ "'"]) }} {%- endmacro %}
