{{
    config(
        materialized='incremental',
        incremental_strategy='replace_changed_records',
        on_schema_change='fail',
        indexes=[
            {'columns': ['offence_victim_key'], 'unique': true},
            {'columns': ['recorded_offence_key']},
            {'columns': ['month']},
            {'columns': ['build_id']},
        ],
    )
}}

with records as (
    select
        *,
        {{ surrogate_key(['offence_id_police']) }} as recorded_offence_key
    from {{ ref('stg_police__victims') }}
    {% if is_incremental() %}
    where
        offence_id_police in (
            {{ changed_records(['police_offences', 'police_victims'], 'offence_id_police', lookups=place_lookups()) }}
        )
    {% endif %}
)

select
    {{ surrogate_key(['records.offence_id_police', 'records.victim_number']) }} as offence_victim_key,
    coalesce(offences.recorded_offence_key, records.recorded_offence_key) as recorded_offence_key,
    records.offence_id_police,
    records.victim_number,
    coalesce(offences.recorded_date, records.recorded_date) as recorded_date,
    coalesce(offences.recorded_date_key, dates.date_key, 0) as recorded_date_key,
    coalesce(offences.month, records.period) as month,
    coalesce(offences.offence_key, 0) as offence_key,
    coalesce(offences.borough_key, 0) as borough_key,
    coalesce(offences.ward_key, 0) as ward_key,
    coalesce(offences.lsoa_key, 0) as lsoa_key,
    coalesce(offences.location_type_key, 0) as location_type_key,
    offences.is_domestic_abuse,
    offences.is_hate_crime,
    offences.is_knife_used,
    offences.is_knife_threatened,
    offences.is_firearm,
    offences.is_on_carnival_day,
    offences.recorded_offence_key is not null as is_offence_held,
    records.victim_token,
    records.age,
    coalesce(ages.age_band_key, 0) as age_band_key,
    records.sex_code,
    records.ethnic_appearance,
    coalesce(residences.borough_key, 0) as residence_borough_key,
    records.residence_borough_name as residence_name,
    records.relationship_to_accused,
    records.injury_degree,
    records.is_vulnerable,
    records.delivery_id,
    records.is_simulated,
    {{ build_id() }} as build_id
from records
left join {{ ref('fct_offence') }} as offences on records.recorded_offence_key = offences.recorded_offence_key
left join {{ ref('dim_date') }} as dates on records.recorded_date = dates.date
left join {{ ref('int_ages') }} as ages on records.age = ages.age
left join {{ ref('int_residences') }} as residences
    on lower(records.residence_borough_name) = residences.folded_name
