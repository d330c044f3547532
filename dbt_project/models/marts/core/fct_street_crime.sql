{{
    config(
        materialized='incremental',
        incremental_strategy='replace_changed_periods',
        on_schema_change='fail',
        indexes=[
            {'columns': ['street_crime_key'], 'unique': true},
            {'columns': ['month', 'ward_key']},
            {'columns': ['build_id']},
        ],
    )
}}

with records as (
    select * from {{ ref('stg_police_open__street') }}
    {% if is_incremental() %}
    where
        period in (
            select changed.period
            from (
                {{ changed_periods('police_open_street', lookups=place_lookups()) }}
            ) as changed
        )
    {% endif %}
)

select
    {{ surrogate_key(['records.record_key', 'records.occurrence']) }} as street_crime_key,
    records.crime_id_police,
    records.month,
    {{ date_key('records.month') }} as month_key,
    crime_types.offence_key,
    coalesce(lsoas.lsoa_key, 0) as lsoa_key,
    coalesce(lsoas.ward_key, 0) as ward_key,
    coalesce(lsoas.borough_key, 0) as borough_key,
    records.has_location,
    records.longitude,
    records.latitude,
    records.location as location_name,
    records.last_outcome_category as last_outcome_name,
    records.reported_by as reported_by_name,
    records.delivery_id,
    records.is_simulated,
    {{ build_id() }} as build_id
from records
left join {{ ref('int_police_open__crime_types') }} as crime_types on records.crime_type = crime_types.crime_type
left join {{ ref('dim_lsoa') }} as lsoas on records.lsoa_code = lsoas.lsoa_code
