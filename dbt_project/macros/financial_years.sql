{#-
    Marts of people and places in a financial year are rebuilt by whole years, because who or what comes twice can be
    told from all of a year only: the years with a record that a new delivery brought, replaced or withdrew.
-#}
{% macro changed_financial_years(feeds, lookups=[]) -%}
    select {{ financial_year('changed.period') }} as financial_year
    from ({{ changed_records(feeds, 'period', lookups) }}) as changed
{%- endmacro %}


{#- The months of those years, by which facts are indexed. -#}
{% macro months_of_changed_financial_years(feeds, lookups=[]) -%}
    select calendar.month
    from {{ ref('dim_date') }} as calendar
    where
        calendar.date = calendar.month
        and calendar.financial_year in ({{ changed_financial_years(feeds, lookups) }})
{%- endmacro %}


{#-
    Incremental strategy `replace_changed_financial_years`: meta.rebuilds says which feeds and lookups change the model.
-#}
{% macro get_incremental_replace_changed_financial_years_sql(arg_dict) -%}
    {%- set rebuilds = config.get('meta')['rebuilds'] -%}
    {%- set columns = get_quoted_csv(arg_dict['dest_columns'] | map(attribute='name')) -%}
    delete from {{ arg_dict['target_relation'] }}
    where financial_year in ({{ changed_financial_years(rebuilds.feeds, rebuilds.get('lookups', [])) }});

    insert into {{ arg_dict['target_relation'] }} ({{ columns }})
    select {{ columns }} from {{ arg_dict['temp_relation'] }}
{%- endmacro %}
