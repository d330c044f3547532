{#- Key of a day in dim_date: 20170401. A month's key is that of its first day. -#}
{% macro date_key(column) -%}
    (extract(year from {{ column }}) * 10000 + extract(month from {{ column }}) * 100 + extract(day from {{ column }}))::integer
{%- endmacro %}


{% macro first_of_month(column) -%} date_trunc('month', {{ column }})::date {%- endmacro %}


{% macro last_of_month(column) -%} ({{ first_of_month(column) }} + interval '1 month' - interval '1 day')::date {%- endmacro %}


{#- The newest month that is over at the end of a day. -#}
{% macro newest_whole_month(column) -%}
    ({{ first_of_month(column ~ " + interval '1 day'") }} - interval '1 month')::date
{%- endmacro %}


{#- First day of the financial year (1 April) that a day lies in. -#}
{% macro financial_year_start(column) -%}
    make_date(
        (extract(year from {{ column }}) - case when extract(month from {{ column }}) < 4 then 1 else 0 end)::integer, 4, 1
    )
{%- endmacro %}


{#- Financial year as people write it: '2016/17'. -#}
{% macro financial_year(column) -%}
    {%- set start = financial_year_start(column) -%}
    to_char({{ start }}, 'YYYY') || '/' || to_char({{ start }} + interval '1 year', 'YY')
{%- endmacro %}


{#- Months from April (1) to March (12). -#}
{% macro financial_month_number(column) -%}
    ((extract(month from {{ column }})::integer + 8) % 12 + 1)
{%- endmacro %}


{% macro add_years(column, years) -%} ({{ column }} + interval '{{ years }} year')::date {%- endmacro %}


{#- The wall clock in London at a moment: stop-and-search time stamps are UTC. -#}
{% macro london_time(column) -%} ({{ column }} at time zone 'Europe/London') {%- endmacro %}


{#- Whether the clock in London showed the hour of a moment twice, and the moment is the first of the two. -#}
{% macro is_hour_shown_twice(column) -%}
    coalesce({{ london_time(column) }} = {{ london_time('(' ~ column ~ " + interval '1 hour')") }}, false)
{%- endmacro %}


{% macro hour_of(column) -%} extract(hour from {{ column }})::integer {%- endmacro %}


{#- One row a day between two dates, both included; the column is called `date`. -#}
{% macro every_day(from_date, to_date) -%}
    select day::date as date from generate_series('{{ from_date }}'::date, '{{ to_date }}'::date, interval '1 day') as day
{%- endmacro %}


{#- A day as people write it: 1 April 2017. -#}
{% macro day_in_words(column) -%} to_char({{ column }}, 'FMDD FMMonth YYYY') {%- endmacro %}


{#- A month as people write it: April 2017. -#}
{% macro month_in_words(column) -%} to_char({{ column }}, 'FMMonth YYYY') {%- endmacro %}


{#- One row a whole number between two, both included. -#}
{% macro whole_numbers(first, last, name) -%}
    select {{ name }} from generate_series({{ first }}, {{ last }}) as {{ name }}
{%- endmacro %}


{% macro weekday_name(column) -%} to_char({{ column }}, 'FMDay') {%- endmacro %}
