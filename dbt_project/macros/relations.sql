{#-
    What dbt asks and tells the database of each relation, in place of dbt-postgres's own macros of these names. Some
    two hundred nodes ask and tell every night, whatever they hold.
-#}


{#-
    The columns of a relation with their types, from the catalog's own table: information_schema joins a dozen of them
    and looks at every right, which takes several times as long.
-#}
{% macro postgres__get_columns_in_relation(relation) -%}
    {%- call statement('get_columns_in_relation', fetch_result=True) -%}
    select
        attname as column_name,
        format_type(atttypid, null) as data_type,
        information_schema._pg_char_max_length(atttypid, atttypmod) as character_maximum_length,
        information_schema._pg_numeric_precision(atttypid, atttypmod) as numeric_precision,
        information_schema._pg_numeric_scale(atttypid, atttypmod) as numeric_scale
    from pg_attribute
    where
        attrelid = to_regclass('{{ relation }}')
        and attnum > 0
        and not attisdropped
    order by attnum
    {%- endcall -%}
    {{ return(sql_convert_columns_in_relation(load_result('get_columns_in_relation').table)) }}
{%- endmacro %}


{#-
    Writes the descriptions of a table and its columns as comments, in one go. A table that was there before has them
    from the build that made it: there only those are written that have changed since.
-#}
{% macro postgres__persist_docs(relation, model, for_relation, for_columns) -%}
    {%- set of_relation = for_relation and config.persist_relation_docs() -%}
    {%- set of_columns = for_columns and config.persist_column_docs() -%}
    {%- set standing = comments_of(relation) if (of_relation or of_columns) and is_kept() else {} -%}
    {%- set comments = [] -%}
    {%- if of_relation and model.description != standing.get('', '') -%}
        {%- do comments.append(alter_relation_comment(relation, model.description)) -%}
    {%- endif -%}
    {%- for name, column in model.columns.items() if of_columns and column.description != standing.get(name, '') -%}
        {%- do comments.append(
            'comment on column ' ~ relation ~ '.' ~ adapter.quote(name) ~ ' is '
            ~ postgres_escape_comment(column.description) ~ ';'
        ) -%}
    {%- endfor -%}
    {%- if comments -%} {%- do run_query(comments | join('\n')) -%} {%- endif -%}
{%- endmacro %}


{#- The comments that a table has, by the name of the column; its own by no name. -#}
{% macro comments_of(relation) -%}
    {%- set asked -%}
    select
        coalesce(columns.attname, '') as name,
        described.description
    from pg_description as described
    left join pg_attribute as columns
        on
            described.objoid = columns.attrelid
            and described.objsubid = columns.attnum
            and columns.attnum > 0
    where
        described.objoid = '{{ relation }}'::regclass
        and described.classoid = 'pg_class'::regclass
    {%- endset -%}
    {%- set found = {} -%}
    {%- for row in run_query(asked) -%} {%- do found.update({row[0] or '': row[1]}) -%} {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}


{#-
    Whether a model's columns are those of its contract is asked where its table is made. What is put into a table that
    is there must have the table's columns (on_schema_change: fail), so asking again, for which PostgreSQL plans the
    whole model, could tell nothing new.
-#}
{% macro postgres__get_assert_columns_equivalent(sql) -%}
    {%- if not is_incremental() -%} {{ assert_columns_equivalent(sql) }} {%- endif -%}
{%- endmacro %}
