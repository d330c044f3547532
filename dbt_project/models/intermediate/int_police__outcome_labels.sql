{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key=['outcome_code', 'outcome_name'],
        on_schema_change='fail',
    )
}}

select distinct
    outcome_code,
    outcome_name,
    {{ build_id() }} as build_id
from {{ ref('stg_police__outcome_labels') }}
{% if is_incremental() %}
where delivery_id in ({{ new_delivery_ids(['police_outcomes']) }})
{% endif %}
