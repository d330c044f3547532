{{
    config(
        materialized='incremental',
        incremental_strategy='replace_changed_records',
        on_schema_change='fail',
        indexes=[
            {'columns': ['asb_case_key'], 'unique': true},
            {'columns': ['month', 'ward_key']},
            {'columns': ['build_id']},
        ],
    )
}}

with records as (
    select * from {{ ref('stg_tmo__asb_cases') }}
    {% if is_incremental() %}
    where
        record_key in (
            {{ changed_records(['tmo_asb_cases'], 'record_key', lookups=place_lookups()) }}
        )
    {% endif %}
),

-- Other members of dim_ward come from figures that are published month by month. A record that has its key from them
-- would have another in a build of everything, so it has none until a look-up holds the ward.
wards as (
    select
        ward_key,
        ward_code,
        borough_key
    from {{ ref('dim_ward') }}
    where
        boundary_valid_from is not null
        or first_lookup_year is not null
)

select
    {{ surrogate_key(['records.case_id_tmo']) }} as asb_case_key,
    records.case_id_tmo,
    records.priority_code,
    records.stage_name,
    records.opened_date,
    coalesce(dates.date_key, 0) as opened_date_key,
    records.period as month,
    coalesce(dates.month_key, 0) as month_key,
    records.assessed_date,
    records.action_date,
    records.monitoring_date,
    records.closed_date,
    -- an open case gets no number of days: it would be another one every night
    records.closed_date - records.opened_date as days_open,
    records.assessed_date - records.opened_date as days_to_assessment,
    records.action_date - records.opened_date as days_to_action,
    records.closed_date is null as is_open,
    records.closing_reason,
    records.estate_name,
    coalesce(nullif(wards.borough_key, 0), {{ home_borough_key() }}) as borough_key,
    coalesce(wards.ward_key, 0) as ward_key,
    {{ unknown_key() }} as lsoa_key,
    records.premises_token,
    records.house_token,
    records.complainant_token,
    records.subject_token,
    records.is_vulnerable_complainant,
    coalesce(agencies.agency_key, 0) as agency_key,
    records.delivery_id,
    records.is_simulated,
    {{ build_id() }} as build_id
from records
left join {{ ref('dim_date') }} as dates on records.opened_date = dates.date
left join wards on records.ward_code = wards.ward_code
left join {{ ref('dim_agency') }} as agencies
    on
        agencies.agency_code = 'housing_management'
        and records.opened_date >= agencies.valid_from
        and (agencies.valid_to is null or records.opened_date <= agencies.valid_to)
