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
