{#-
    Types of offence whose direction the partnership looks at, by the definitions of dim_offence: code, name, the
    definition, and the series of dim_recording_regime that says when their counting changed. Types overlap (theft
    and handling holds theft from the person), so they must not be added up.
-#}
{% macro offence_types() -%}
    {{ return([
        ('violence_against_the_person', 'Violence against the person', 'is_violence_against_the_person', 'violence'),
        ('violence_with_injury', 'Violence with injury', 'is_violence_with_injury', 'violence_with_injury'),
        ('sexual_offences', 'Sexual offences', 'is_sexual_offence', 'sexual_offences'),
        ('robbery', 'Robbery', 'is_robbery', 'robbery'),
        ('burglary', 'Burglary', 'is_burglary', 'burglary'),
        ('theft_and_handling', 'Theft and handling', 'is_theft_and_handling', 'theft_and_handling'),
        ('theft_person', 'Theft from the person', 'is_theft_person', 'theft_person'),
        (
            'theft_from_motor_vehicle', 'Theft from motor vehicle', 'is_theft_from_motor_vehicle',
            'theft_from_motor_vehicle',
        ),
        ('theft_of_motor_vehicle', 'Theft of motor vehicle', 'is_theft_of_motor_vehicle', 'theft_of_motor_vehicle'),
        ('criminal_damage', 'Criminal damage', 'is_criminal_damage', 'criminal_damage'),
        ('drug_offences', 'Drug offences', 'is_drug_offence', 'drug_offences'),
    ]) }}
{%- endmacro %}


{#- What int_offences__wards_monthly counts, each in a column <kind>_count: the types, and what they do not say. -#}
{% macro offence_kinds() -%}
    {{ return(
        ['notifiable', 'fraud', 'domestic_abuse', 'non_domestic_violence_with_injury', 'hate_crime', 'knife_offence']
        + (offence_types() | map('first') | list)
    ) }}
{%- endmacro %}


{#- Joins to each row of int_offences__wards_monthly its types, one below the other: (offence_type, offence_count). -#}
{% macro with_each_offence_type(relation) -%}
    cross join lateral (
        values
        {%- for offence_type in offence_types() | map('first') %}
        ('{{ offence_type }}', {{ relation }}.{{ offence_type }}_count){{ ',' if not loop.last }}
        {%- endfor %}
    ) as of_type (offence_type, offence_count)
{%- endmacro %}
