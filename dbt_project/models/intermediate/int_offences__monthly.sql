{{
    config(
        materialized='incremental',
        incremental_strategy='replace_changed_months',
        on_schema_change='fail',
        indexes=[{'columns': ['month']}, {'columns': ['build_id']}],
        meta={
            'rebuilds': {
                'feeds': ['police_offences'],
                'lookups': place_lookups(),
            }
        },
    )
}}

select
    month,
    borough_key,
    ward_key,
    offence_key,
    location_type_key,
    is_domestic_abuse,
    is_hate_crime,
    is_knife_used,
    is_knife_threatened,
    is_firearm,
    is_shots_fired,
    is_mobile_phone_taken,
    is_walk_in_entry,
    is_honour_based,
    is_female_genital_mutilation,
    is_forced_marriage,
    vehicle_body_type,
    is_on_carnival_day,
    count(*)::integer as offence_count,
    {{ any_true('is_simulated') }} as is_simulated,
    {{ build_id() }} as build_id
from {{ ref('fct_offence') }}
{% if is_incremental() %}
where
    month in ({{ changed_months(['police_offences'], lookups=place_lookups()) }})
{% endif %}
group by
    month,
    borough_key,
    ward_key,
    offence_key,
    location_type_key,
    is_domestic_abuse,
    is_hate_crime,
    is_knife_used,
    is_knife_threatened,
    is_firearm,
    is_shots_fired,
    is_mobile_phone_taken,
    is_walk_in_entry,
    is_honour_based,
    is_female_genital_mutilation,
    is_forced_marriage,
    vehicle_body_type,
    is_on_carnival_day
