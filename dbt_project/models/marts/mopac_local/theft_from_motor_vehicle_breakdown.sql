{{
    config(
        materialized='incremental',
        incremental_strategy='replace_changed_financial_years',
        on_schema_change='fail',
        indexes=[
            {'columns': ['borough_code', 'financial_year', 'breakdown', 'breakdown_code'], 'unique': true},
            {'columns': ['build_id']},
        ],
        meta={
            'rebuilds': {
                'feeds': ['police_offences'],
                'lookups': place_lookups(),
            }
        },
    )
}}

with offences as (
    select
        monthly.borough_key,
        {{ financial_year('monthly.month') }} as financial_year,
        wards.ward_code,
        wards.ward_name,
        coalesce(monthly.vehicle_body_type, 'Not known') as vehicle_body,
        places.location_group_name as location_group,
        places.location_type_name as location_type,
        monthly.offence_count,
        monthly.is_simulated
    from {{ ref('int_offences__monthly') }} as monthly
    inner join {{ ref('dim_offence') }} as offences on monthly.offence_key = offences.offence_key
    inner join {{ ref('dim_ward') }} as wards on monthly.ward_key = wards.ward_key
    inner join {{ ref('dim_location_type') }} as places on monthly.location_type_key = places.location_type_key
    where
        offences.is_theft_from_motor_vehicle
        {% if is_incremental() %}
        and monthly.month in ({{ months_of_changed_financial_years(['police_offences'], lookups=place_lookups()) }})
        {% endif %}
),

by_kind as (
    select
        borough_key,
        financial_year,
        case
            when grouping(ward_code) = 0 then 'ward'
            when grouping(vehicle_body) = 0 then 'vehicle_body'
            when grouping(location_group) = 0 then 'location_group'
            when grouping(location_type) = 0 then 'location_type'
            else 'all'
        end as breakdown,
        coalesce(ward_code, vehicle_body, location_group, location_type, 'All') as breakdown_code,
        coalesce(ward_name, vehicle_body, location_group, location_type, 'All') as breakdown_value,
        sum(offence_count) as offence_count,
        {{ any_true('is_simulated') }} as is_simulated
    from offences
    group by
        grouping sets (
            (borough_key, financial_year),
            (borough_key, financial_year, ward_code, ward_name),
            (borough_key, financial_year, vehicle_body),
            (borough_key, financial_year, location_group),
            (borough_key, financial_year, location_type)
        )
)

select
    boroughs.borough_code,
    boroughs.borough_name,
    by_kind.financial_year,
    by_kind.breakdown,
    by_kind.breakdown_code,
    by_kind.breakdown_value,
    by_kind.offence_count::integer as offence_count,
    (by_kind.offence_count::numeric / wholes.offence_count)::numeric(20, 10) as offence_share,
    rank() over (
        partition by by_kind.borough_key, by_kind.financial_year, by_kind.breakdown
        order by by_kind.offence_count desc
    )::integer as rank_of_value,
    by_kind.is_simulated,
    {{ build_id() }} as build_id
from by_kind
inner join by_kind as wholes
    on
        by_kind.borough_key = wholes.borough_key
        and by_kind.financial_year = wholes.financial_year
        and wholes.breakdown = 'all'
inner join {{ ref('dim_borough') }} as boroughs on by_kind.borough_key = boroughs.borough_key
