{{ config(materialized='view') }}

select
    ends.offence_outcome_key,
    ends.recorded_offence_key,
    ends.offence_id_police,
    ends.outcome_number,
    ends.accused_number,
    ends.outcome_date,
    ends.outcome_month,
    {{ financial_year('ends.outcome_month') }} as financial_year_of_outcome,
    ends.recorded_date,
    ends.month,
    {{ financial_year('ends.month') }} as financial_year_of_offence,
    outcomes.outcome_code,
    outcomes.outcome_name,
    outcomes.outcome_group_name,
    outcomes.outcome_framework,
    ends.is_sanction_detection,
    ends.is_first_sanction_detection,
    offences.burglary_class as burglary_class_as_recorded,
    offences.minor_name as label_as_recorded,
    boroughs.borough_code,
    boroughs.borough_name,
    wards.ward_code,
    wards.ward_name,
    ends.is_offence_held,
    ends.delivery_id,
    ends.is_simulated,
    ends.build_id
from {{ ref('fct_offence_outcome') }} as ends
inner join {{ ref('dim_offence') }} as offences on ends.offence_key = offences.offence_key
inner join {{ ref('dim_outcome') }} as outcomes on ends.outcome_key = outcomes.outcome_key
left join {{ ref('dim_borough') }} as boroughs on ends.borough_key = boroughs.borough_key
left join {{ ref('dim_ward') }} as wards on ends.ward_key = wards.ward_key
where offences.is_burglary
