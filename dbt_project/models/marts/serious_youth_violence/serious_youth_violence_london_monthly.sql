{{
    config(
        indexes=[
            {'columns': ['geography_type', 'geography_code', 'violence_class', 'month'], 'unique': true},
        ],
    )
}}

with counts as (
    {{ flags_of_the_mps(
        {
            'knife crime': ('knife_crime', 'knife', true),
            'knife crime with injury': ('knife_crime_with_injury', 'knife', false),
            'knife crime with injury pers robb': ('personal_robbery_with_knife_injury', 'knife', false),
            'gun crime': ('gun_crime', 'firearm', true),
            'gun crime lethal barrelled discharged': ('gun_crime_lethal_barrelled_discharged', 'firearm', false),
            'gun crime personal robbery': ('personal_robbery_with_gun', 'firearm', false),
            'robbery mobile phone': ('mobile_phone_robbery', 'robbery', false),
        },
        class_column='violence_class',
    ) }}
),

{{ compare_months(
    class_column='violence_class', measure='flagged_offences', subject_column='subject', also=['flag_as_published'],
) }}
