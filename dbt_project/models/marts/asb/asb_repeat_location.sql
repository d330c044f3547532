{{
    config(
        materialized='incremental',
        incremental_strategy='replace_changed_financial_years',
        on_schema_change='fail',
        indexes=[
            {'columns': ['place_token', 'financial_year'], 'unique': true},
            {'columns': ['financial_year', 'borough_code']},
            {'columns': ['build_id']},
        ],
    )
}}

with calls as (
    select
        'police' as agency,
        premises_token,
        address_token,
        reported_date as seen_date,
        month,
        borough_key,
        ward_key,
        is_simulated
    from {{ ref('fct_asb_incident') }}
    where premises_token is not null or address_token is not null
),

cases as (
    select
        'landlord' as agency,
        premises_token,
        null::text as address_token,
        opened_date as seen_date,
        month,
        borough_key,
        ward_key,
        is_simulated
    from {{ ref('fct_asb_case') }}
    -- a home known by the landlord's own reference alone can't be found in other feeds
    where premises_token is not null
),

actions as (
    select
        'council' as agency,
        premises_token,
        address_token,
        action_date as seen_date,
        month,
        borough_key,
        ward_key,
        is_simulated
    from {{ ref('fct_enforcement_action') }}
    where premises_token is not null or address_token is not null
),

records as (
    select * from calls
    union all
    select * from cases
    union all
    select * from actions
),

records_by_year as (
    select
        records.*,
        dates.financial_year
    from records
    inner join {{ ref('dim_date') }} as dates on records.month = dates.date
    {% if is_incremental() %}
    where
        records.month in (
            {{ months_of_changed_financial_years(
                ['police_asb_incidents', 'tmo_asb_cases', 'council_enforcement_actions'],
                lookups=place_lookups(),
            ) }}
        )
    {% endif %}
),

-- What an address is called by its UPRN, learnt from the records of the year that give both. Where they give several,
-- nobody can say which is meant.
addresses as (
    select
        financial_year,
        address_token,
        min(premises_token) as premises_token
    from records_by_year
    where
        address_token is not null
        and premises_token is not null
    group by financial_year, address_token
    having min(premises_token) = max(premises_token)
),

placed as (
    select
        records.*,
        coalesce(records.premises_token, addresses.premises_token, records.address_token) as place_token,
        case when records.premises_token is null and addresses.premises_token is null then 'address' else 'UPRN' end
            as place_known_by
    from records_by_year as records
    left join addresses
        on
            records.premises_token is null
            and records.financial_year = addresses.financial_year
            and records.address_token = addresses.address_token
),

place_years as (
    select
        place_token,
        financial_year,
        min(place_known_by) as place_known_by,
        -- a place lies in one ward; where records disagree, in one of them, and always the same
        min(borough_key) as borough_key,
        min(ward_key) as ward_key,
        count(*)::integer as records,
        sum(case when agency = 'police' then 1 else 0 end)::integer as police_calls,
        sum(case when agency = 'landlord' then 1 else 0 end)::integer as landlord_cases,
        sum(case when agency = 'council' then 1 else 0 end)::integer as council_actions,
        count(distinct agency)::integer as agencies,
        min(seen_date) as first_seen_date,
        max(seen_date) as last_seen_date,
        {{ any_true('is_simulated') }} as is_simulated
    from placed
    group by place_token, financial_year
    having count(*) >= 2
)

select
    place_years.place_token,
    place_years.financial_year,
    place_years.place_known_by,
    boroughs.borough_code,
    boroughs.borough_name,
    wards.ward_code,
    wards.ward_name,
    place_years.records,
    place_years.police_calls,
    place_years.landlord_cases,
    place_years.council_actions,
    place_years.agencies,
    place_years.agencies >= 2 as is_seen_by_several_agencies,
    place_years.first_seen_date,
    place_years.last_seen_date,
    place_years.is_simulated,
    {{ build_id() }} as build_id
from place_years
left join {{ ref('dim_borough') }} as boroughs on place_years.borough_key = boroughs.borough_key
left join {{ ref('dim_ward') }} as wards on place_years.ward_key = wards.ward_key
