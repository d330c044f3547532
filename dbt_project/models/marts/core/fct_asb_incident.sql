{{
    config(
        materialized='incremental',
        incremental_strategy='replace_changed_records',
        on_schema_change='fail',
        indexes=[
            {'columns': ['asb_incident_key'], 'unique': true},
            {'columns': ['month', 'ward_key']},
            {'columns': ['caller_token']},
            {'columns': ['build_id']},
        ],
    )
}}

with records as (
    select * from {{ ref('stg_police__asb_incidents') }}
    {% if is_incremental() %}
    where
        record_key in (
            {{ changed_records(['police_asb_incidents'], 'record_key', lookups=place_lookups()) }}
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
    {{ surrogate_key(['records.incident_id_police']) }} as asb_incident_key,
    records.incident_id_police,
    records.reported_local_at,
    records.reported_local_at::date as reported_date,
    coalesce(dates.date_key, 0) as reported_date_key,
    {{ hour_of('records.reported_local_at') }} + 1 as reported_time_band_key,
    records.period as month,
    coalesce(dates.month_key, 0) as month_key,
    records.asb_type,
    coalesce(types.asb_type_comparable, 'Not known') as asb_type_comparable,
    coalesce(nullif(wards.borough_key, 0), {{ home_borough_key() }}) as borough_key,
    coalesce(wards.ward_key, 0) as ward_key,
    coalesce(lsoas.lsoa_key, 0) as lsoa_key,
    coalesce(places.location_type_key, 0) as location_type_key,
    records.caller_token,
    records.premises_token,
    records.address_token,
    records.is_vulnerable_caller,
    records.delivery_id,
    records.is_simulated,
    {{ build_id() }} as build_id
from records
left join {{ ref('dim_date') }} as dates on records.reported_local_at::date = dates.date
left join {{ ref('asb_types') }} as types on records.asb_type = types.asb_type
left join wards on records.ward_code = wards.ward_code
left join lsoas on records.lsoa_code = lsoas.lsoa_code
left join {{ ref('int_location_types') }} as places
    on
        lower(records.location_type) = places.folded_name
        -- a kind that only offences have told of is no key here: see wards
        and places.is_known
