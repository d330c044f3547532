{#-
    Every value of the column is a member of a dimension. Like dbt's `relationships`, but the distinct values are
    looked up and not each row, and a missing value is a fault too (unknown is member 0).
-#}
{% test refers_to(model, column_name, to, field) %}
with used as (
    select distinct {{ column_name }} as used_key from {{ model }}
)

select used.used_key
from used
left join {{ to }} as member on used.used_key = member.{{ field }}
where member.{{ field }} is null
{% endtest %}
