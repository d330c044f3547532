{#-
    One row a key, and no part of the key missing. Returns the keys that break it. Of an incremental fact only keys that
    the build wrote can have become double. A view makes a row double by a join, so both have the build of the one.
    The two faults of a fact are asked apart: with an `or` between them the planner would look through the list of
    written keys for every row, once it is too long to be held in memory.
-#}
{% test primary_key(model, columns) %}
{%- set key = columns | join(', ') -%}
{%- set lacks_a_part = columns | join(' is null or ') ~ ' is null' -%}
{%- if is_incremental_model(model) %}
select {{ key }}, count(*) as rows_with_this_key
from {{ model }} as tested
where ({{ key }}) in (select {{ key }} from {{ rows_to_test(model) }} as written)
group by {{ key }}
having count(*) > 1
union all
select {{ key }}, count(*) as rows_with_this_key
from {{ rows_to_test(model) }} as written
where {{ lacks_a_part }}
group by {{ key }}
{%- else %}
select {{ key }}, count(*) as rows_with_this_key
from {{ rows_to_test(model) if is_view_of_mart(model) else model }} as tested
group by {{ key }}
having count(*) > 1 or {{ lacks_a_part }}
{%- endif %}
{% endtest %}
