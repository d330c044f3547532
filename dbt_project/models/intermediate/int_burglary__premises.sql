with burglaries as (
    select
        crime.recorded_offence_key,
        crime.offence_id_police,
        crime.recorded_date,
        crime.month,
        crime.borough_key,
        crime.ward_key,
        crime.location_type_key,
        crime.premises_token,
        crime.address_token,
        crime.is_walk_in_entry,
        crime.is_simulated,
        offences.burglary_class
    from {{ ref('fct_offence') }} as crime
    inner join {{ ref('dim_offence') }} as offences on crime.offence_key = offences.offence_key
    where
        offences.is_burglary
        and coalesce(crime.premises_token, crime.address_token) is not null
),

-- where a burglary names an address but no premises, another one may say which premises that address is
premises_of_address as (
    select
        address_token,
        min(premises_token) as premises_token
    from burglaries
    where address_token is not null and premises_token is not null
    group by address_token
),

at_premises as (
    select
        burglaries.recorded_offence_key,
        burglaries.offence_id_police,
        burglaries.recorded_date,
        burglaries.month,
        burglaries.borough_key,
        burglaries.ward_key,
        burglaries.location_type_key,
        burglaries.is_walk_in_entry,
        burglaries.is_simulated,
        burglaries.burglary_class,
        coalesce(burglaries.premises_token, named.premises_token, burglaries.address_token) as premises_token
    from burglaries
    left join premises_of_address as named on burglaries.address_token = named.address_token
),

-- a second burglary recorded on the same day may be the same event: earlier is an earlier day
with_earlier as (
    select
        *,
        count(*) over twelve_months_before as burglaries_in_previous_12_months,
        max(recorded_date) over twelve_months_before as previous_recorded_date
    from at_premises
    window
        twelve_months_before as (
            partition by premises_token
            order by recorded_date
            range between interval '1 year' preceding and interval '1 day' preceding
        )
)

select
    recorded_offence_key,
    offence_id_police,
    premises_token,
    recorded_date,
    month,
    borough_key,
    ward_key,
    location_type_key,
    burglary_class,
    is_walk_in_entry,
    burglaries_in_previous_12_months::integer as burglaries_in_previous_12_months,
    previous_recorded_date,
    is_simulated
from with_earlier
