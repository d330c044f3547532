{{
    config(
        materialized='incremental',
        incremental_strategy='replace_changed_periods',
        on_schema_change='fail',
        indexes=[
            {'columns': ['stop_search_key'], 'unique': true},
            {'columns': ['month']},
            {'columns': ['build_id']},
        ],
    )
}}

with records as (
    select * from {{ ref('stg_police_open__stop_search') }}
    {% if is_incremental() %}
    where period in (select changed.period from ({{ changed_periods('police_open_stop_search') }}) as changed)
    {% endif %}
)

select
    {{ surrogate_key(['record_key', 'occurrence']) }} as stop_search_key,
    searched_at,
    {{ date_key('searched_local_at') }} as searched_date_key,
    {{ hour_of('searched_local_at') }} as searched_hour,
    {{ first_of_month('searched_local_at') }} as month,
    {{ date_key(first_of_month('searched_local_at')) }} as month_key,
    search_type as search_type_name,
    is_policing_operation,
    policing_operation as policing_operation_name,
    latitude is not null and longitude is not null as has_location,
    longitude,
    latitude,
    gender as gender_name,
    age_range as age_range_name,
    self_defined_ethnicity as self_defined_ethnicity_name,
    officer_defined_ethnicity as officer_defined_ethnicity_name,
    legislation as legislation_name,
    object_of_search as object_of_search_name,
    outcome as outcome_name,
    is_outcome_linked,
    is_more_than_outer_clothing_removed,
    is_repeat_of_identical_row,
    delivery_id,
    is_simulated,
    {{ build_id() }} as build_id
from records
