{#-
    Folds a published label so that its spellings meet: case, repeated spaces, "&" and "and", "St." and "St",
    "M/V" and "motor vehicle", "Bldg" and "building", a hyphen between spaces. Labels that a publisher cut off at
    50 characters are listed, cut, in the seed offence_labels.
-#}
{% macro fold_label(column) -%}
    {%- set steps = namespace(text="replace(lower(" ~ column ~ "), '&', ' and ')") -%}
    {%- for pattern, replacement in [
        ('\\mm/v\\M', 'motor vehicle'),
        ('\\mbldg\\M\\.?', 'building'),
        ('\\mst\\.', 'st'),
        (' - ', ' '),
        ('\\s+', ' '),
    ] -%}
        {%- set steps.text = "regexp_replace(" ~ steps.text ~ ", '" ~ pattern ~ "', '" ~ replacement ~ "', 'g')" -%}
    {%- endfor -%}
    trim({{ steps.text }})
{%- endmacro %}


{#- The borough's or district's part of an LSOA's name: "Brent 033D" gives "Brent". -#}
{% macro district_of_lsoa_name(column) -%}
    regexp_replace({{ column }}, '\s+\d{3}[A-Z]$', '')
{%- endmacro %}
