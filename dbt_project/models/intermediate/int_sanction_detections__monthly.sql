{{
    config(
        materialized='incremental',
        incremental_strategy='replace_changed_months',
        on_schema_change='fail',
        indexes=[{'columns': ['month']}, {'columns': ['outcome_month']}, {'columns': ['build_id']}],
        meta={
            'rebuilds': {
                'feeds': ['police_offences'],
                'lookups': place_lookups(),
                'people': ['police_outcomes'],
            }
        },
    )
}}

-- depends_on: {{ ref('fct_offence') }} (which months a night changes is told by it)
-- An offence is detected once, by its earliest sanction detection, however many people were dealt with for it.
select
    month,
    outcome_month,
    borough_key,
    ward_key,
    offence_key,
    coalesce(is_domestic_abuse, false) as is_domestic_abuse,
    coalesce(is_hate_crime, false) as is_hate_crime,
    coalesce(is_knife_used, false) as is_knife_used,
    count(*)::integer as detected_offence_count,
    {{ any_true('is_simulated') }} as is_simulated,
    {{ build_id() }} as build_id
from {{ ref('fct_offence_outcome') }}
where
    is_first_sanction_detection
    and is_offence_held
    {% if is_incremental() %}
    and month in ({{ changed_months(['police_offences'], lookups=place_lookups(), people=['police_outcomes']) }})
    {% endif %}
group by
    month, outcome_month, borough_key, ward_key, offence_key,
    coalesce(is_domestic_abuse, false), coalesce(is_hate_crime, false), coalesce(is_knife_used, false)
