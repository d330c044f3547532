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


{#- A code made of several labels, folded: 45.theft_and_handling.theft_from_motor_vehicle -#}
{% macro dotted(labels) -%}
    {%- set parts = [] -%}
    {%- for label in labels -%}
        {%- do parts.append("replace(" ~ fold_label(label) ~ ", ' ', '_')") -%}
    {%- endfor -%}
    {{ parts | join(" || '.' || ") }}
{%- endmacro %}


{#- The definitions of offences that figures are counted by: columns of the seeds home_office_offences (for the
    codes of the police) and published_offence_definitions (for published labels). -#}
{% macro offence_definitions() -%}
    {{ return([
        'is_notifiable', 'is_violence_against_the_person', 'is_violence_with_injury', 'is_serious_violence',
        'is_sexual_offence', 'is_rape', 'is_robbery', 'is_burglary', 'is_theft_from_motor_vehicle',
        'is_theft_of_motor_vehicle', 'is_theft_person', 'is_theft_and_handling', 'is_drug_offence',
        'is_criminal_damage', 'is_harassment', 'is_stalking', 'is_trafficking', 'is_weapon_offence', 'is_fraud',
        'is_property_crime',
    ]) }}
{%- endmacro %}


{#- A name as a code: "St. Helen's" gives st_helens, "Brompton & Hans Town" brompton_and_hans_town. -#}
{% macro code_of_name(column) -%}
    replace(regexp_replace(replace(lower({{ column }}), '&', 'and'), '[^a-z0-9 ]', '', 'g'), ' ', '_')
{%- endmacro %}


{#- The feed that a class of asb_monthly is counted from. -#}
{% macro feed_of_asb_class(column) -%}
    case
        when {{ column }} like 'police%' then 'police_asb_incidents'
        when {{ column }} like 'landlord%' then 'tmo_asb_cases'
        else 'council_enforcement_actions'
    end
{%- endmacro %}
