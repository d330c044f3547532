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

-- Absent is 0 only for a category that the file knows and for an area that it holds, in a month that it covers.
areas_of_month as (
    select distinct
        geography_level,
        month,
        borough_key,
        ward_key
    from printed_with_keys
),

offences_of_month as (
    select distinct
        geography_level,
        month,
        offence_key
    from printed_with_keys
),

combinations as (
    select
        areas_of_month.geography_level,
        areas_of_month.month,
        areas_of_month.borough_key,
        areas_of_month.ward_key,
        offences_of_month.offence_key
    from areas_of_month
    inner join offences_of_month
        on
            areas_of_month.geography_level = offences_of_month.geography_level
            and areas_of_month.month = offences_of_month.month
),

-- put together and added up, not joined: no plan of that can go wrong, however little the planner knows
printed_and_zeros as (
    select
        geography_level,
        month,
        borough_key,
        ward_key,
        offence_key,
        offence_count,
        true as is_printed
    from printed_with_keys
    union all
    select
        geography_level,
        month,
        borough_key,
        ward_key,
        offence_key,
        0 as offence_count,
        false as is_printed
    from combinations
),

-- several labels of one file may fold to one offence: they count together
cells as (
    select
        geography_level,
        month,
        borough_key,
        ward_key,
        offence_key,
        sum(offence_count)::integer as offence_count,
        {{ any_true('is_printed') }} as is_printed
    from printed_and_zeros
    group by geography_level, month, borough_key, ward_key, offence_key
)

select
    cells.geography_level,
    cells.borough_key,
    cells.ward_key,
    cells.offence_key,
    cells.month,
    {{ date_key('cells.month') }} as month_key,
    cells.offence_count,
    not cells.is_printed as is_absent_in_file,
    coverage.delivery_id,
    coverage.is_simulated,
    {{ build_id() }} as build_id
from cells
inner join {{ ref('int_mps__coverage') }} as coverage
    on
        cells.geography_level = coverage.geography_level
        and cells.month = coverage.month
