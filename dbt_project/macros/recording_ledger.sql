{#- What is read of the evidence of quality.recording_change, a JSON object. -#}


{#- Whether the evidence has a value of that name. -#}
{% macro is_in_evidence(name) -%} coalesce(evidence ->> '{{ name }}', '') <> '' {%- endmacro %}


{% macro month_in_evidence(name) -%} nullif(evidence ->> '{{ name }}', '')::date {%- endmacro %}


{#- The labels of the evidence's classes, one row each, of a relation with change_id and evidence. -#}
{% macro classes_of_evidence(relation) -%}
    select
        {{ relation }}.change_id,
        classes.label
    from {{ relation }}
    cross join jsonb_array_elements_text(
        case
            when jsonb_typeof({{ relation }}.evidence -> 'classes') = 'array' then {{ relation }}.evidence -> 'classes'
            else '[]'::jsonb
        end
    ) as classes (label)
{%- endmacro %}


{#- The code map that the detector estimated or people gave, one row a pair of labels, of a relation with change_id and evidence. -#}
{% macro code_map_of_evidence(relation) -%}
    select
        {{ relation }}.change_id,
        pairs.pair ->> 'from_class' as from_label,
        pairs.pair ->> 'to_class' as to_label,
        coalesce(pairs.pair ->> 'weight_basis', 'estimated') as basis,
        nullif(pairs.pair ->> 'area', '') as area,
        (pairs.pair ->> 'weight')::double precision as weight,
        (pairs.pair ->> 'weight_low')::double precision as weight_low,
        (pairs.pair ->> 'weight_high')::double precision as weight_high
    from {{ relation }}
    cross join jsonb_array_elements(
        case
            when jsonb_typeof({{ relation }}.evidence -> 'code_map') = 'array' then {{ relation }}.evidence -> 'code_map'
            else '[]'::jsonb
        end
    ) as pairs (pair)
{%- endmacro %}


{#- The boroughs of a geography, one row each and NULL for all, of a relation with change_id and geography. -#}
{% macro boroughs_of_geography(relation) -%}
    select
        {{ relation }}.change_id,
        nullif(codes.code, 'all') as borough_code
    from {{ relation }}
    cross join regexp_split_to_table(coalesce(nullif({{ relation }}.geography, ''), 'all'), '\s*,\s*') as codes (code)
{%- endmacro %}


{#- The feed of the marts: "police_offences by ward of E09000020" is part of police_offences. -#}
{% macro feed_of_the_marts(column) -%} split_part({{ column }}, ' ', 1) {%- endmacro %}


{#- A published label as the code of a class. -#}
{% macro class_of_label(column) -%} replace({{ fold_label(column) }}, ' ', '_') {%- endmacro %}


{#- Whether a feed of the detector is of places: "police_offences by ward of E09000020". -#}
{% macro is_feed_of_wards(column) -%} {{ column }} like '% by ward%' {%- endmacro %}


{#- Whether a change was seen in how records are captured only: empty fields, lag, places that are not found. -#}
{% macro is_of_capture(evidence) -%} coalesce({{ evidence }} -> 'signals' = '["capture"]'::jsonb, false) {%- endmacro %}
