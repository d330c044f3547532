{{
    config(
        materialized='incremental',
        incremental_strategy='replace_changed_records',
        on_schema_change='fail',
        indexes=[
            {'columns': ['asb_case_key', 'category_name'], 'unique': true},
            {'columns': ['build_id']},
        ],
    )
}}

with records as (
    select * from {{ ref('stg_tmo__asb_cases') }}
    {% if is_incremental() %}
    where record_key in ({{ changed_records(['tmo_asb_cases'], 'record_key') }})
    {% endif %}
)

select distinct
    {{ surrogate_key(['records.case_id_tmo']) }} as asb_case_key,
    {{ each_of_list('records.categories') }} as category_name,
    records.is_simulated,
    {{ build_id() }} as build_id
from records
