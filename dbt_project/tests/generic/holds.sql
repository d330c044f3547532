{#- Every row fulfils a condition. -#}
{% test holds(model, condition) %}
select * from {{ model }} where not coalesce(({{ condition }}), false)
{% endtest %}
