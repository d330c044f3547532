{{
    config(
        indexes=[
            {'columns': ['borough_code', 'offence_type', 'financial_year'], 'unique': true},
        ],
    )
}}

with types (offence_type, offence_type_name, series) as (
    values
    {%- for offence_type, name, definition, series in offence_types() %}
    ('{{ offence_type }}', '{{ name }}', '{{ series }}'){{ ',' if not loop.last }}
    {%- endfor %}
),

by_type as (
    select
        wards.borough_key,
        {{ financial_year('wards.month') }} as financial_year,
        wards.month,
        of_type.offence_type,
        sum(of_type.offence_count) as offence_count,
        {{ any_true('wards.is_simulated') }} as is_simulated
    from {{ ref('int_offences__wards_monthly') }} as wards
    {{ with_each_offence_type('wards') }}
    group by wards.borough_key, wards.month, of_type.offence_type
),

years as (
    select
        by_type.borough_key,
        boroughs.borough_code,
        boroughs.borough_name,
        by_type.financial_year,
        {{ financial_year_start('min(by_type.month)') }} as year_from,
        by_type.offence_type,
        count(case when by_type.month <= newest.newest_whole_month then 1 end)::integer as months_covered,
        sum(by_type.offence_count)::integer as offence_count,
        {{ any_true('by_type.is_simulated') }} as is_simulated
    from by_type
    inner join {{ ref('dim_borough') }} as boroughs on by_type.borough_key = boroughs.borough_key
    left join {{ ref('int_partner_feeds__newest_months') }} as newest on newest.feed = 'police_offences'
    where not boroughs.is_pseudo_borough and by_type.borough_key <> 0
    group by
        by_type.borough_key, boroughs.borough_code, boroughs.borough_name, by_type.financial_year, by_type.offence_type
),

changes as (
    {{ changes_between_years(offence_types() | map('last') | list, years_back=1) }}
),

compared as (
    select
        years.borough_key,
        years.borough_code,
        years.borough_name,
        types.offence_type,
        types.offence_type_name,
        years.financial_year,
        years.months_covered,
        years.offence_count,
        year_before.offence_count as offence_count_year_before,
        case
            when years.months_covered = 12 and year_before.months_covered = 12
                then years.offence_count - year_before.offence_count
        end as change_as_recorded,
        year_before.months_covered as months_covered_year_before,
        changes.changed_on,
        coalesce(changes.is_break, false) as is_over_a_break,
        coalesce(year_before.is_simulated <> years.is_simulated, false) as is_mixed,
        years.is_simulated
    from years
    inner join types on years.offence_type = types.offence_type
    left join years as year_before
        on
            years.borough_key = year_before.borough_key
            and years.offence_type = year_before.offence_type
            and {{ add_years('years.year_from', -1) }} = year_before.year_from
    left join changes
        on
            {{ are_of_year('changes') }}
            and types.series = changes.series
)

select
    borough_key,
    borough_code,
    borough_name,
    offence_type,
    offence_type_name,
    financial_year,
    months_covered,
    offence_count,
    offence_count_year_before,
    change_as_recorded as change_on_year_before_as_recorded,
    sign(change_as_recorded)::integer as direction_as_recorded,
    case when not is_over_a_break and not is_mixed then change_as_recorded end as change_on_year_before,
    case
        when not is_over_a_break and not is_mixed
            then change_as_recorded::numeric / nullif(offence_count_year_before, 0)
    end as change_share_on_year_before,
    case
        when is_over_a_break
            then
                'The way of counting changed on ' || {{ day_in_words('changed_on') }} || ', between the two years:'
                || ' a difference would show the rule and not crime.'
        when months_covered < 12
            then 'Only ' || months_covered || ' of the 12 months of this year are covered.'
        when months_covered_year_before is null or months_covered_year_before < 12
            then 'The police extracts delivered so far do not hold the whole year before.'
        when is_mixed
            then 'One of the two years is simulated, the other is not.'
    end as change_reason,
    is_simulated,
    {{ build_id() }} as build_id
from compared
