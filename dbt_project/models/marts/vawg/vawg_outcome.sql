{{ config(materialized='view') }}

select
    ends.offence_id_police,
    ends.outcome_number,
    ends.accused_number,
    ends.outcome_date,
    ends.outcome_month,
    {{ financial_year('ends.outcome_month') }} as financial_year_of_outcome,
    ends.recorded_date,
    {{ financial_year('ends.month') }} as financial_year_of_offence,
    outcomes.outcome_name,
    outcomes.outcome_group_name,
    ends.is_sanction_detection,
    ends.is_first_sanction_detection,
    offences.major_name as major_class_as_recorded,
    offences.minor_name as minor_class_as_recorded,
    coalesce(ends.is_domestic_abuse, false) as is_domestic_abuse,
    offences.is_sexual_offence,
    offences.is_rape,
    boroughs.borough_name,
    wards.ward_name,
    ends.is_simulated,
    ends.build_id
from {{ ref('fct_offence_outcome') }} as ends
inner join {{ ref('dim_outcome') }} as outcomes on ends.outcome_key = outcomes.outcome_key
inner join {{ ref('dim_offence') }} as offences on ends.offence_key = offences.offence_key
inner join {{ ref('dim_borough') }} as boroughs on ends.borough_key = boroughs.borough_key
inner join {{ ref('dim_ward') }} as wards on ends.ward_key = wards.ward_key
where
    ends.is_domestic_abuse
    or offences.is_sexual_offence
    or offences.is_stalking
    or offences.is_harassment
    or offences.is_trafficking
