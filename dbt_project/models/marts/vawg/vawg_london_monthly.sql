{{
    config(
        indexes=[
            {'columns': ['geography_type', 'geography_code', 'vawg_class', 'month'], 'unique': true},
        ],
    )
}}

with counts as (
    {{ flags_of_the_mps(
        {
            'domestic abuse': ('domestic_abuse', 'domestic_abuse', true),
            'domestic abuse vwi': ('domestic_abuse_violence_with_injury', 'domestic_abuse', false),
            'domestic abuse homicide': ('domestic_abuse_homicide', 'domestic_abuse', false),
        },
        class_column='vawg_class',
    ) }}
),

{{ compare_months(
    class_column='vawg_class', measure='flagged_offences', subject_column='subject', also=['flag_as_published'],
) }}
