{{
    config(
        materialized='incremental',
        incremental_strategy='replace_changed_records',
        on_schema_change='fail',
        indexes=[
            {'columns': ['enforcement_action_key'], 'unique': true},
            {'columns': ['month', 'ward_key']},
            {'columns': ['tasking_id_council']},
            {'columns': ['build_id']},
        ],
    )
}}

with records as (
    select * from {{ ref('stg_council__enforcement_actions') }}
    {% if is_incremental() %}
    where
        record_key in (
            {{ changed_records(['council_enforcement_actions'], 'record_key', lookups=place_lookups()) }}
        )
    {% endif %}
),

-- Other members of dim_ward and dim_lsoa come from figures that are published month by month. A record that has its
-- key from them would have another in a build of everything, so it has none until a look-up holds the area.
wards as (
    select
        ward_key,
        ward_code,
        borough_key
    from {{ ref('dim_ward') }}
    where
        boundary_valid_from is not null
        or first_lookup_year is not null
),

lsoas as (
    select
        lsoa_key,
        lsoa_code
    from {{ ref('dim_lsoa') }}
    where boundary_vintage <> 'unlisted'
)

select
    {{ surrogate_key(['records.action_id_council']) }} as enforcement_action_key,
    records.action_id_council,
    records.service_name,
    records.power_used,
    records.action_local_at,
    records.action_local_at::date as action_date,
    coalesce(dates.date_key, 0) as action_date_key,
    {{ hour_of('records.action_local_at') }} + 1 as action_time_band_key,
    records.period as month,
    coalesce(dates.month_key, 0) as month_key,
    records.tasking_id_council,
    coalesce(nullif(wards.borough_key, 0), {{ home_borough_key() }}) as borough_key,
    coalesce(wards.ward_key, 0) as ward_key,
    coalesce(lsoas.lsoa_key, 0) as lsoa_key,
    coalesce(places.location_type_key, 0) as location_type_key,
    records.premises_token,
    records.address_token,
    records.subject_type,
    records.subject_token,
    records.outcome_name,
    records.outcome_date,
    records.penalty_gbp::numeric(10, 2) as penalty_gbp,
    coalesce(agencies.agency_key, 0) as agency_key,
    records.delivery_id,
    records.is_simulated,
    {{ build_id() }} as build_id
from records
left join {{ ref('dim_date') }} as dates on records.action_local_at::date = dates.date
left join wards on records.ward_code = wards.ward_code
left join lsoas on records.lsoa_code = lsoas.lsoa_code
left join {{ ref('int_location_types') }} as places
    on
        lower(records.location_type) = places.folded_name
        -- a kind that only offences have told of is no key here: see wards
        and places.is_known
left join {{ ref('dim_agency') }} as agencies
    on
        records.service_name = agencies.name_in_feed
        and records.action_local_at::date >= agencies.valid_from
        and (agencies.valid_to is null or records.action_local_at::date <= agencies.valid_to)
