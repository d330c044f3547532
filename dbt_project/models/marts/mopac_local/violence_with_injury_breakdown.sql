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
        places.location_group_name as location_group,
        places.location_type_name as location_type,
        coalesce(monthly.is_on_carnival_day, false) as is_on_carnival_day,
        monthly.offence_count,
        monthly.is_simulated
    from {{ ref('int_offences__monthly') }} as monthly
    inner join {{ ref('dim_offence') }} as offences on monthly.offence_key = offences.offence_key
    inner join {{ ref('dim_ward') }} as wards on monthly.ward_key = wards.ward_key
    inner join {{ ref('dim_location_type') }} as places on monthly.location_type_key = places.location_type_key
    where
        offences.is_violence_with_injury
        and not coalesce(monthly.is_domestic_abuse, false)
        {% if is_incremental() %}
        and monthly.month in ({{ months_of_changed_financial_years(['police_offences'], lookups=place_lookups()) }})
        {% endif %}
),

by_place as (
    select
        borough_key,
        financial_year,
        case
            when grouping(ward_code) = 0 then 'ward'
            when grouping(location_group) = 0 then 'location_group'
            when grouping(location_type) = 0 then 'location_type'
            else 'all'
        end as breakdown,
        coalesce(ward_code, location_group, location_type, 'All') as breakdown_code,
        coalesce(ward_name, location_group, location_type, 'All') as breakdown_value,
        sum(offence_count) as offence_count,
        coalesce(sum(case when not is_on_carnival_day then offence_count end), 0) as offence_count_without_carnival,
        {{ any_true('is_simulated') }} as is_simulated
    from offences
    group by
        grouping sets (
            (borough_key, financial_year),
            (borough_key, financial_year, ward_code, ward_name),
            (borough_key, financial_year, location_group),
            (borough_key, financial_year, location_type)
        )
    union all
    -- hospitals and other places that are named
    select
        borough_key,
        {{ financial_year('month') }} as financial_year,
        'venue' as breakdown,
        venue_name as breakdown_code,
        venue_name as breakdown_value,
        sum(offence_count) as offence_count,
        coalesce(sum(case when not is_on_carnival_day then offence_count end), 0) as offence_count_without_carnival,
        {{ any_true('is_simulated') }} as is_simulated
    from {{ ref('int_violence_with_injury__by_hour') }}
    where
        not is_domestic_abuse
        and venue_name is not null
        {% if is_incremental() %}
        and month in ({{ months_of_changed_financial_years(['police_offences'], lookups=place_lookups()) }})
        {% endif %}
    group by borough_key, {{ financial_year('month') }}, venue_name
)

select
    boroughs.borough_code,
    boroughs.borough_name,
    by_place.financial_year,
    by_place.breakdown,
    by_place.breakdown_code,
    by_place.breakdown_value,
    by_place.offence_count::integer as offence_count,
    (by_place.offence_count::numeric / wholes.offence_count)::numeric(20, 10) as offence_share,
    by_place.offence_count_without_carnival::integer as offence_count_without_carnival,
    (
        by_place.offence_count_without_carnival::numeric / nullif(wholes.offence_count_without_carnival, 0)
    )::numeric(20, 10) as offence_share_without_carnival,
    rank() over (
        partition by by_place.borough_key, by_place.financial_year, by_place.breakdown
        order by by_place.offence_count_without_carnival desc
    )::integer as rank_without_carnival,
    by_place.is_simulated,
    {{ build_id() }} as build_id
from by_place
inner join by_place as wholes
    on
        by_place.borough_key = wholes.borough_key
        and by_place.financial_year = wholes.financial_year
        and wholes.breakdown = 'all'
inner join {{ ref('dim_borough') }} as boroughs on by_place.borough_key = boroughs.borough_key
