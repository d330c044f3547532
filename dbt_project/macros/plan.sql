{#- Rounds as the plan prints: to its decimals, half away from zero. The value must be numeric. -#}
{% macro round_as_printed(value, decimals) -%} round({{ value }}, {{ decimals }}) {%- endmacro %}


{#- A number as people read it, with as many decimals: 19,974 or 1.7. -#}
{% macro printed_number(value, decimals) -%}
    to_char(
        round({{ value }}, {{ decimals }}),
        'FM999,999,999,990' || case when {{ decimals }} > 0 then '.' || repeat('0', {{ decimals }}) else '' end
    )
{%- endmacro %}


{#- Whose plan it is: rows of this borough are read. -#}
{% macro is_home_borough() -%} borough_code = '{{ var('home_borough_code') }}' {%- endmacro %}


{#-
    Figures of the plan from a yearly mart, one row a figure and financial year: `lines` says for each figure which
    column holds its measure. Which figure that is, and of which year, is no concern of the mart. `caveat` names the
    column that says why there is no measure, where the mart has one.
-#}
{% macro figures_of(mart, lines, where=none, is_simulated='marts.is_simulated', caveat=none) -%}
    select
        lines.figure_id,
        marts.financial_year,
        lines.measured_value,
        {{ 'marts.' ~ caveat if caveat else 'null::text' }} as caveat,
        {{ is_simulated }} as is_simulated
    from (
        select * from {{ ref(mart) }}
        where {{ where or is_home_borough() }}
    ) as marts
    cross join lateral (
        values
        {%- for figure, column in lines.items() %}
        ('{{ figure }}', marts.{{ column }}::numeric){{ ',' if not loop.last }}
        {%- endfor %}
    ) as lines (figure_id, measured_value)
{%- endmacro %}
