{#-
    One row a key, and no part of the key missing. Returns the keys that break it. Of an incremental fact only keys that
    the build wrote can have become double. A view makes a row double by a join, so both have the build of the one.
-#}
{% test primary_key(model, columns) %}
select {{ columns | join(', ') }}, count(*) as rows_with_this_key
from {{ rows_to_test(model) if is_view_of_mart(model) else model }} as tested
{%- if is_incremental_model(model) %}
where
    ({{ columns | join(', ') }}) in (select {{ columns | join(', ') }} from {{ rows_to_test(model) }} as written)
    or (build_id > {{ newest_build('published') }} and ({{ columns | join(' is null or ') }} is null))
{%- endif %}
group by {{ columns | join(', ') }}
having count(*) > 1 or {{ columns | join(' is null or ') }} is null
{% endtest %}
