{{ config(materialized='view') }}

select
    cases.asb_case_key,
    cases.case_id_tmo,
    agencies.agency_name,
    cases.priority_code,
    cases.stage_name,
    cases.opened_date,
    cases.month,
    dates.financial_year,
    cases.assessed_date,
    cases.action_date,
    cases.monitoring_date,
    cases.closed_date,
    cases.days_open,
    cases.days_to_assessment,
    cases.days_to_action,
    cases.is_open,
    cases.closing_reason,
    cases.estate_name,
    boroughs.borough_code,
    boroughs.borough_name,
    wards.ward_code,
    wards.ward_name,
    cases.premises_token,
    cases.house_token,
    cases.complainant_token,
    cases.subject_token,
    cases.is_vulnerable_complainant,
    cases.delivery_id,
    cases.is_simulated,
    cases.build_id
from {{ ref('fct_asb_case') }} as cases
left join {{ ref('dim_agency') }} as agencies on cases.agency_key = agencies.agency_key
left join {{ ref('dim_date') }} as dates on cases.opened_date_key = dates.date_key
left join {{ ref('dim_borough') }} as boroughs on cases.borough_key = boroughs.borough_key
left join {{ ref('dim_ward') }} as wards on cases.ward_key = wards.ward_key
