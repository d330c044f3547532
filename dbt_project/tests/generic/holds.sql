{#- Every row fulfils a condition. -#}
{% test holds(model, condition) %}
select * from {{ rows_to_test(model) }} as tested where not coalesce(({{ condition }}), false)
{% endtest %}
