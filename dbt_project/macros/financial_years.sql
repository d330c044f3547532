{#-
    Marts of people and places in a financial year are rebuilt by whole years, because who or what comes twice can be
    told from all of a year only: the years with a record that a new delivery brought, replaced or withdrew, as a list
    of literals. For `people` see `periods_of_changed_records`.
-#}
{% macro changed_financial_years(feeds, lookups=[], people=[]) -%}
    {%- set years -%}
    select distinct {{ financial_year('changed.period') }} as financial_year
    from ({{ periods_of_changed_records(feeds, lookups, people) }}) as changed
    {%- endset -%}
    {{ listed(years) }}
{%- endmacro %}


{#-
    The years from the first with such a record to the newest of the feeds: of a mart in which a year depends on what
    came before it.
-#}
{% macro financial_years_since_change(feeds, lookups=[]) -%}
    {%- set years -%}
    select distinct {{ financial_year('months.month') }} as financial_year
    from (
        select
            least(min(changed.period), max(newest.newest_month)) as first_month,
            greatest(max(changed.period), max(newest.newest_month)) as last_month
        from {{ ref('int_partner_feeds__newest_months') }} as newest
        left join ({{ periods_of_changed_records(feeds, lookups) }}) as changed on true
        where newest.feed in ('{{ feeds | join("', '") }}')
    ) as span
    cross join generate_series(span.first_month, span.last_month, interval '1 month') as months (month)
    {%- endset -%}
    {{ listed(years) }}
{%- endmacro %}


{#- The months of those years, by which facts are indexed. -#}
{% macro months_of_changed_financial_years(feeds, lookups=[], people=[]) -%}
    {%- set months -%}
    select distinct (years.april + months.number * interval '1 month')::date::text as month
    from (
        select {{ financial_year_start('changed.period') }} as april
        from ({{ periods_of_changed_records(feeds, lookups, people) }}) as changed
        group by {{ financial_year_start('changed.period') }}
    ) as years
    cross join generate_series(0, 11) as months (number)
    {%- endset -%}
    {{ listed(months) }}
{%- endmacro %}


{#-
    Incremental strategy `replace_changed_financial_years`: meta.rebuilds says which `feeds`, `lookups` and feeds of
    `people` change the model, and with `later_years` that later years change as well.
-#}
{% macro get_incremental_replace_changed_financial_years_sql(arg_dict) -%}
    {%- set rebuilds = config.get('meta')['rebuilds'] -%}
    {%- set columns = get_quoted_csv(arg_dict['dest_columns'] | map(attribute='name')) -%}
    delete from {{ arg_dict['target_relation'] }}
    where
        financial_year in (
            {% if rebuilds.get('later_years') -%}
            {{ financial_years_since_change(rebuilds.feeds, rebuilds.get('lookups', [])) }}
            {%- else -%}
            {{ changed_financial_years(rebuilds.feeds, rebuilds.get('lookups', []), rebuilds.get('people', [])) }}
            {%- endif %}
        );

    insert into {{ arg_dict['target_relation'] }} ({{ columns }})
    select {{ columns }} from {{ arg_dict['temp_relation'] }}
{%- endmacro %}
