{#- One row a value of a list that a feed has joined by |; a row whose list is missing gives none. -#}
{% macro each_of_list(column) -%} unnest(string_to_array({{ column }}, '|')) {%- endmacro %}


{#- How many values such a list has; 0 where it is missing. -#}
{% macro length_of_list(column) -%} coalesce(array_length(string_to_array({{ column }}, '|'), 1), 0) {%- endmacro %}
