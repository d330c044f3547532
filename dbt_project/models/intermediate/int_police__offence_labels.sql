{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key=['home_office_code', 'major_class', 'minor_class', 'location_type'],
        on_schema_change='fail',
    )
}}

-- Words that were sent once stay known, even if no record carries them any more: so a night need not read history.
select distinct
    home_office_code,
    major_class,
    minor_class,
    coalesce(location_type, '') as location_type,
    {{ build_id() }} as build_id
from {{ ref('stg_police__offence_labels') }}
{% if is_incremental() %}
where delivery_id in ({{ new_delivery_ids(['police_offences']) }})
{% endif %}
