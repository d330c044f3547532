{#-
    The rows of a model that a test must look at. Of an incremental fact they are those written since the last
    published build: the others passed the same tests then, and reading all of them would cost every night its history.
    A view of a mart shows the rows of a fact, each with the build that wrote it, so the same holds for it.
    A change of the project builds everything anew, so its tests read everything.
-#}
{% macro rows_to_test(model) -%}
    {%- if is_incremental_model(model) or is_view_of_mart(model) -%}
        (select * from {{ model }} where build_id > {{ newest_build('published') }})
    {%- else -%}
        {{ model }}
    {%- endif -%}
{%- endmacro %}


{#- Whether a relation is an incremental model, by the project's own account. -#}
{% macro is_incremental_model(relation) -%}
    {%- set found = namespace(is_incremental=false) -%}
    {%- if execute -%}
        {%- for node in graph.nodes.values()
            if node.resource_type == 'model' and node.schema == relation.schema and node.alias == relation.identifier -%}
            {%- set found.is_incremental = node.config.materialized == 'incremental' -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(found.is_incremental) }}
{%- endmacro %}


{#- Whether a relation is a view in a mart's schema, by the project's own account. -#}
{% macro is_view_of_mart(relation) -%}
    {%- set found = namespace(is_view=false) -%}
    {%- if execute -%}
        {%- for node in graph.nodes.values()
            if node.resource_type == 'model' and node.schema == relation.schema and node.alias == relation.identifier -%}
            {%- set found.is_view = node.config.materialized == 'view' and 'marts' in node.fqn -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(found.is_view) }}
{%- endmacro %}


{#- The published table that a built one becomes: build_core.dim_ward is core.dim_ward. Nothing where there is none. -#}
{% macro published_relation(model) -%}
    {{ return(adapter.get_relation(model.database, model.schema | replace('build_', '', 1), model.identifier)) }}
{%- endmacro %}
