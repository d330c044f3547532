{#-
    Bridged counts: months counted by an old rule, as they would have been counted by the new one, with 90 % bounds.

    Each macro is an aggregate over the rows of one month, area and new class: one row for each old class that gives
    to it, with `count` (what was counted of the old class, never NULL), and of the code map `weight`, `weight_low`
    and `weight_high` (the share of its records that count under the new class since, and its 90 % bounds). A class
    that goes on is a row as well: the weight of what it keeps, 1 where it gave nothing. For example, in a query that
    joins counts with the code map by the old class and groups by month, area and new class:

        {{ bridged('counts.n', 'map.weight') }} as comparable,
        {{ bridged_low('counts.n', 'map.weight', 'map.weight_low', 'map.weight_high') }} as comparable_low,
        {{ bridged_high('counts.n', 'map.weight', 'map.weight_low', 'map.weight_high') }} as comparable_high

    Two things are uncertain, and their squares add up: the weight, which all records of a class share, and which of
    its records they would have been (a binomial draw). So the bounds of a year are those of the year's counts, one
    row an old class, never the sum of the months' bounds. They lie between what is certain (weight_low = 1) and all
    that can be meant (weight_high > 0): not below 0, nor above the whole.

    Results are not rounded, numeric or double precision as the weights are. To be rounded in the mart to a tenth and
    no coarser: whole numbers would make bounds of small counts too narrow.
-#}

{#- The normal distribution's square at the ends of its middle 90 %. -#}
{% macro bridging_z_squared() -%}
    2.7055
{%- endmacro %}


{#- The 90 % bounds of a share seen in so many observations, by the interval of Wilson: it holds for few as well. -#}
{% macro share_low(share, observations) -%}
    greatest({{ share_centre(share, observations) }} - {{ share_half_width(share, observations) }}, 0)
{%- endmacro %}


{% macro share_high(share, observations) -%}
    least({{ share_centre(share, observations) }} + {{ share_half_width(share, observations) }}, 1)
{%- endmacro %}


{% macro share_centre(share, observations) -%}
    ({{ observations }} * {{ share }} + {{ bridging_z_squared() }} / 2) / ({{ observations }} + {{ bridging_z_squared() }})
{%- endmacro %}


{% macro share_half_width(share, observations) -%}
    sqrt(
        {{ bridging_z_squared() }} * ({{ observations }} * {{ share }} * (1 - {{ share }}) + {{ bridging_z_squared() }} / 4)
    ) / ({{ observations }} + {{ bridging_z_squared() }})
{%- endmacro %}


{#- The count by the new rule. -#}
{% macro bridged(count, weight) -%}
    sum({{ count }} * {{ weight }})
{%- endmacro %}


{% macro bridged_low(count, weight, weight_low, weight_high) -%}
    greatest(
        sum(case when {{ weight_low }} >= 1 then {{ count }} else 0 end),
        sum({{ count }} * {{ weight }}) - sqrt(
            sum({{ bridging_z_squared() }} * {{ count }} * {{ weight }} * (1 - {{ weight }}))
            + sum(power({{ count }} * ({{ weight }} - {{ weight_low }}), 2))
        )
    )
{%- endmacro %}


{% macro bridged_high(count, weight, weight_low, weight_high) -%}
    least(
        sum(case when {{ weight_high }} > 0 then {{ count }} else 0 end),
        sum({{ count }} * {{ weight }}) + sqrt(
            sum({{ bridging_z_squared() }} * {{ count }} * {{ weight }} * (1 - {{ weight }}))
            + sum(power({{ count }} * ({{ weight_high }} - {{ weight }}), 2))
        )
    )
{%- endmacro %}


{#-
    The difference of two months (or years) that were both counted by the old rule, by the new one: they share the
    weight, so what is unknown of it hardly matters where both counts are alike, and chance is nearly all there is: it
    is taken from the ends of the weight's bounds, for a weight that came out as 0 would leave none. `now` and
    `before` are the counts of the old class in the two. Where now is counted by the new rule already it is exact, and
    the difference lies between now less bridged_high and now less bridged_low of the month before.
-#}
{% macro bridged_difference(now, before, weight) -%}
    sum(({{ now }} - {{ before }}) * {{ weight }})
{%- endmacro %}


{% macro bridged_difference_low(now, before, weight, weight_low, weight_high) -%}
    greatest(
        sum(case when {{ weight_low }} >= 1 then {{ now }} else 0 end)
        - sum(case when {{ weight_high }} > 0 then {{ before }} else 0 end),
        sum(({{ now }} - {{ before }}) * {{ weight }}) - sqrt(
            sum({{ bridging_z_squared() }} * ({{ now }} + {{ before }}) * (
                {{ weight_low }} * (1 - {{ weight_low }}) + {{ weight_high }} * (1 - {{ weight_high }})
            ) / 2)
            + sum(power(
                ({{ now }} - {{ before }}) * case
                    when {{ now }} >= {{ before }} then {{ weight }} - {{ weight_low }}
                    else {{ weight_high }} - {{ weight }}
                end, 2
            ))
        )
    )
{%- endmacro %}


{% macro bridged_difference_high(now, before, weight, weight_low, weight_high) -%}
    least(
        sum(case when {{ weight_high }} > 0 then {{ now }} else 0 end)
        - sum(case when {{ weight_low }} >= 1 then {{ before }} else 0 end),
        sum(({{ now }} - {{ before }}) * {{ weight }}) + sqrt(
            sum({{ bridging_z_squared() }} * ({{ now }} + {{ before }}) * (
                {{ weight_low }} * (1 - {{ weight_low }}) + {{ weight_high }} * (1 - {{ weight_high }})
            ) / 2)
            + sum(power(
                ({{ now }} - {{ before }}) * case
                    when {{ now }} >= {{ before }} then {{ weight_high }} - {{ weight }}
                    else {{ weight }} - {{ weight_low }}
                end, 2
            ))
        )
    )
{%- endmacro %}
