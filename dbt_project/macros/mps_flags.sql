{#-
    Flags of the MPS as counts that compare_months reads. `flags` maps a flag as the file prints it (folded) to its
    class in our words, its series in the register, and whether it is that series as a whole.
-#}
{% macro flags_of_the_mps(flags, class_column) -%}
    select
        monthly.geography_type,
        monthly.geography_code,
        monthly.geography_name,
        monthly.borough_code,
        monthly.borough_name,
        null::text as ward_code,
        null::text as ward_name,
        monthly.month,
        classes.{{ class_column }},
        classes.series,
        classes.is_parent,
        classes.subject,
        'mps_other_crime' as feed,
        monthly.offence_count as flagged_offences_as_recorded,
        monthly.flag as flag_as_published,
        monthly.is_simulated
    from {{ ref('int_mps__flags_monthly') }} as monthly
    inner join (
        values
        {% for flag, (class, series, is_parent) in flags.items() -%}
        (
            '{{ flag }}', '{{ class }}', '{{ series }}', {{ is_parent | lower }}, '{{ class | replace("_", " ") }}'
        ){{ ',' if not loop.last }}
        {% endfor %}
    ) as classes (flag, {{ class_column }}, series, is_parent, subject)
        on monthly.flag = classes.flag
{%- endmacro %}
