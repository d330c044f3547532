-- Flags overlap each other and the recorded classes: a flag may be added up over boroughs and months, never over flags.
with cells as (
    select
        borough_name,
        minor_category,
        month,
        sum(offence_count) as offence_count,
        {{ any_true('is_simulated') }} as is_simulated
    from {{ ref('stg_mps__other_crime') }}
    group by borough_name, minor_category, month
),

borough_names as (
    select
        printed.borough_name,
        boroughs.borough_code,
        boroughs.borough_name as name_of_borough
    from (
        select distinct
            cells.borough_name,
            {{ fold_label('cells.borough_name') }} as folded_name
        from cells
    ) as printed
    inner join {{ ref('int_borough_names') }} as names on printed.folded_name = names.folded_name
    inner join {{ ref('boroughs') }} as boroughs on names.borough_code = boroughs.borough_code
    where not boroughs.is_pseudo_borough
),

flags as (
    select distinct
        minor_category,
        {{ fold_label('minor_category') }} as flag
    from cells
),

-- London is what the file holds, airports and names that are new to us included
found as (
    select
        'borough' as geography_type,
        borough_names.borough_code as geography_code,
        borough_names.name_of_borough as geography_name,
        borough_names.borough_code,
        borough_names.name_of_borough as borough_name,
        flags.flag,
        cells.month,
        cells.offence_count,
        cells.is_simulated
    from cells
    inner join flags on cells.minor_category = flags.minor_category
    inner join borough_names on cells.borough_name = borough_names.borough_name
    union all
    select
        'london' as geography_type,
        'E12000007' as geography_code,
        'London' as geography_name,
        null as borough_code,
        null as borough_name,
        flags.flag,
        cells.month,
        cells.offence_count,
        cells.is_simulated
    from cells
    inner join flags on cells.minor_category = flags.minor_category
),

-- a combination that a file leaves out is 0 there, since the file covers the area, the flag and the month
areas as (
    select distinct
        geography_type,
        geography_code,
        geography_name,
        borough_code,
        borough_name
    from found
),

flags_of_month as (
    select
        month,
        flag,
        {{ any_true('is_simulated') }} as is_simulated
    from found
    group by month, flag
),

found_and_zeros as (
    select
        geography_type,
        geography_code,
        geography_name,
        borough_code,
        borough_name,
        flag,
        month,
        offence_count,
        is_simulated
    from found
    union all
    select
        areas.geography_type,
        areas.geography_code,
        areas.geography_name,
        areas.borough_code,
        areas.borough_name,
        flags_of_month.flag,
        flags_of_month.month,
        0 as offence_count,
        flags_of_month.is_simulated
    from areas
    cross join flags_of_month
)

select
    geography_type,
    geography_code,
    geography_name,
    borough_code,
    borough_name,
    flag,
    month,
    sum(offence_count)::integer as offence_count,
    {{ any_true('is_simulated') }} as is_simulated
from found_and_zeros
group by geography_type, geography_code, geography_name, borough_code, borough_name, flag, month
