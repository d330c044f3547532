{{
    config(
        materialized='incremental',
        incremental_strategy='replace_changed_periods',
        on_schema_change='fail',
        indexes=[
            {'columns': ['offence_key', 'month', 'borough_key', 'ward_key'], 'unique': true},
            {'columns': ['build_id']},
        ],
    )
}}

with printed as (
    select * from {{ ref('stg_mps__recorded_crime') }}
    {% if is_incremental() %}
    where (geography_level, month) in ({{ changed_periods('mps_recorded_crime') }})
    {% endif %}
),

printed_with_keys as (
    select
        printed.geography_level,
        printed.month,
        boroughs.borough_key,
        case
            when printed.geography_level = 'borough' then -1
            else coalesce(wards.ward_key, 0)
        end::bigint as ward_key,
        labels.offence_key,
        printed.offence_count
    from printed
    inner join {{ ref('int_mps__offence_of_label') }} as labels
        on
            printed.geography_level = labels.geography_level
            and printed.month = labels.month
            and printed.major_category = labels.major_category
            and printed.minor_category = labels.minor_category
    inner join {{ ref('int_mps__boroughs') }} as boroughs on printed.borough_name = boroughs.borough_name
    left join {{ ref('dim_ward') }} as wards on printed.ward_code = wards.ward_code
),

-- several labels of one file may fold to one offence: they are added up
cells as (
    select
        geography_level,
        month,
        borough_key,
        ward_key,
        offence_key,
        sum(offence_count)::integer as offence_count
    from printed_with_keys
    group by geography_level, month, borough_key, ward_key, offence_key
),

-- Absent is 0 only for a category that the file knows and for an area that it holds, in a month that it covers.
areas_of_month as (
    select distinct
        geography_level,
        month,
        borough_key,
        ward_key
    from cells
),

offences_of_month as (
    select distinct
        geography_level,
        month,
        offence_key
    from cells
),

combinations as (
    select
        coverage.geography_level,
        coverage.month,
        areas_of_month.borough_key,
        areas_of_month.ward_key,
        offences_of_month.offence_key,
        coverage.delivery_id,
        coverage.is_simulated
    from {{ ref('int_mps__coverage') }} as coverage
    inner join areas_of_month
        on
            coverage.geography_level = areas_of_month.geography_level
            and coverage.month = areas_of_month.month
    inner join offences_of_month
        on
            coverage.geography_level = offences_of_month.geography_level
            and coverage.month = offences_of_month.month
)

select
    combinations.geography_level,
    combinations.borough_key,
    combinations.ward_key,
    combinations.offence_key,
    combinations.month,
    {{ date_key('combinations.month') }} as month_key,
    coalesce(cells.offence_count, 0) as offence_count,
    cells.offence_count is null as is_absent_in_file,
    combinations.delivery_id,
    combinations.is_simulated,
    {{ build_id() }} as build_id
from combinations
left join cells
    on
        combinations.geography_level = cells.geography_level
        and combinations.month = cells.month
        and combinations.borough_key = cells.borough_key
        and combinations.ward_key = cells.ward_key
        and combinations.offence_key = cells.offence_key
