{#-
    The rule of 1 April 2017 moved sheds, garages, outbuildings and the communal areas of blocks from burglary in
    other buildings to residential burglary. A burglary that was recorded under the other rule can be put into its
    class only by the kind of place that the police recorded; where that says nothing, the class is not known.
-#}
{% macro day_of_the_burglary_rule() -%} '2017-04-01'::date {%- endmacro %}


{#- The class by the rule in force until March 2017: residential is a dwelling. -#}
{% macro burglary_class_old_definition(class, recorded_on, location_group) -%}
    case
        when {{ class }} not in ('residential', 'business_and_community') then 'not_known'
        when {{ recorded_on }} < {{ day_of_the_burglary_rule() }} then {{ class }}
        -- nothing moved the other way
        when {{ class }} = 'business_and_community' then {{ class }}
        when {{ location_group }} = 'Communal area or outbuilding' then 'business_and_community'
        when {{ location_group }} in ('Not known', 'Other') then 'not_known'
        else {{ class }}
    end
{%- endmacro %}


{#- The class by the rule in force from April 2017: residential is a dwelling with what belongs to it. -#}
{% macro burglary_class_new_definition(class, recorded_on, location_group) -%}
    case
        when {{ class }} not in ('residential', 'business_and_community') then 'not_known'
        when {{ recorded_on }} >= {{ day_of_the_burglary_rule() }} then {{ class }}
        -- nothing moved the other way
        when {{ class }} = 'residential' then {{ class }}
        when {{ location_group }} = 'Communal area or outbuilding' then 'residential'
        when {{ location_group }} in ('Not known', 'Other') then 'not_known'
        else {{ class }}
    end
{%- endmacro %}
