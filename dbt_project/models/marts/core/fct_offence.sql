{{
    config(
        materialized='incremental',
        incremental_strategy='replace_changed_records',
        on_schema_change='fail',
        indexes=[
            {'columns': ['recorded_offence_key'], 'unique': true},
            {'columns': ['month']},
            {'columns': ['build_id']},
        ],
    )
}}

with records as (
    select * from {{ ref('stg_police__offences') }}
    {% if is_incremental() %}
    where
        record_key in (
            {{ changed_records(['police_offences'], 'record_key', lookups=place_lookups()) }}
        )
    {% endif %}
),

-- Other members of the two come from figures that are published month by month. A record that has its key from them
-- would have another in a build of everything, so it has none until a look-up says where the area lies.
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
),

commands as (
    select
        agency_key,
        lower(name_in_feed) as folded_name
    from {{ ref('dim_agency') }}
    where agency_kind_name = 'Police'
)

select
    {{ surrogate_key(['records.offence_id_police']) }} as recorded_offence_key,
    records.offence_id_police,
    records.recorded_date,
    coalesce(recorded_dates.date_key, 0) as recorded_date_key,
    records.period as month,
    records.reported_local_at::date as reported_date,
    records.committed_from_local_at,
    records.committed_to_local_at,
    coalesce(committed_dates.date_key, 0) as committed_date_key,
    coalesce({{ hour_of('records.committed_from_local_at') }} + 1, 0) as committed_time_band_key,
    coalesce(classes.offence_key, 0) as offence_key,
    coalesce(nullif(boroughs.borough_key, 0), wards.borough_key, 0) as borough_key,
    coalesce(wards.ward_key, 0) as ward_key,
    coalesce(lsoas.lsoa_key, 0) as lsoa_key,
    coalesce(commands.agency_key, 0) as investigating_agency_key,
    coalesce(location_types.location_type_key, 0) as location_type_key,
    records.venue_name,
    records.street_name,
    records.premises_token,
    records.address_token,
    records.is_notifiable,
    records.is_domestic_abuse,
    records.is_hate_race
    or records.is_hate_faith
    or records.is_hate_sexual_orientation
    or records.is_hate_transgender
    or records.is_hate_disability as is_hate_crime,
    records.is_hate_race,
    records.is_hate_faith,
    records.is_hate_sexual_orientation,
    records.is_hate_transgender,
    records.is_hate_disability,
    records.is_knife_used,
    records.is_knife_threatened,
    records.is_injury,
    records.is_firearm,
    records.is_shots_fired,
    records.is_mobile_phone_taken,
    records.is_walk_in_entry,
    records.is_honour_based,
    records.is_female_genital_mutilation,
    records.is_forced_marriage,
    records.vehicle_body_type,
    coalesce(committed_dates.is_carnival_day, false) as is_on_carnival_day,
    records.delivery_id,
    records.is_simulated,
    {{ build_id() }} as build_id
from records
left join {{ ref('dim_date') }} as recorded_dates on records.recorded_date = recorded_dates.date
left join {{ ref('dim_date') }} as committed_dates on records.committed_from_local_at::date = committed_dates.date
left join {{ ref('int_police__classifications') }} as classes
    on
        records.offence_code = classes.home_office_code
        and records.major_class = classes.major_class
        and records.minor_class = classes.minor_class
left join {{ ref('int_location_types') }} as location_types
    on lower(records.location_type) = location_types.folded_name
left join {{ ref('int_residences') }} as boroughs on lower(records.borough_name) = boroughs.folded_name
left join wards on records.ward_code = wards.ward_code
left join lsoas on records.lsoa_code = lsoas.lsoa_code
left join commands on lower(records.investigating_borough_name) = commands.folded_name
