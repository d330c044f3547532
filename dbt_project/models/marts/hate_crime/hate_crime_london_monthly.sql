{{
    config(
        indexes=[
            {'columns': ['geography_type', 'geography_code', 'hate_crime_class', 'month'], 'unique': true},
        ],
    )
}}

with counts as (
    {{ flags_of_the_mps(
        {
            'racist and religious hate crime': ('racist_and_religious', 'hate_crime', false),
            'homophobic hate crime': ('homophobic', 'hate_crime', false),
            'transgender hate': ('transgender', 'hate_crime', false),
            'disability hate crime': ('disability', 'hate_crime', false),
            'faith hate crime': ('faith', 'hate_crime', false),
            'anti-semitic': ('anti_semitic', 'hate_crime', false),
            'islamophobic': ('islamophobic', 'hate_crime', false),
        },
        class_column='hate_crime_class',
    ) }}
),

{{ compare_months(
    class_column='hate_crime_class', measure='flagged_offences', subject_column='subject', also=['flag_as_published'],
) }}
