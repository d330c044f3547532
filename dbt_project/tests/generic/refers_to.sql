{#-
    Every value of the column is a member of a dimension. Like dbt's `relationships`, but the distinct values are
    looked up and not each row, and a missing value is a fault too (unknown is member 0). Older rows of an incremental
    fact are asked only about members that the dimension had in the last published build and has no more.
-#}
{% test refers_to(model, column_name, to, field) %}
with used as (
    select distinct {{ column_name }} as used_key from {{ rows_to_test(model) }} as tested
)

select used.used_key
from used
left join {{ to }} as member on used.used_key = member.{{ field }}
where member.{{ field }} is null
{%- if is_incremental_model(model) and published_relation(to) %}
union all
select gone.{{ field }} as used_key
from {{ published_relation(to) }} as gone
left join {{ to }} as member on gone.{{ field }} = member.{{ field }}
where
    member.{{ field }} is null
    and exists (select 1 from {{ model }} as fact where fact.{{ column_name }} = gone.{{ field }})
{%- endif %}
{% endtest %}
