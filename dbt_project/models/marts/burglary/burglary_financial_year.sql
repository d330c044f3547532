{{
    config(
        indexes=[
            {'columns': ['geography_type', 'geography_code', 'burglary_class', 'financial_year'], 'unique': true},
        ],
    )
}}

-- bounds of a ward's months before it was drawn don't add up either
with months as (
    select * from {{ ref('burglary_monthly') }}
    where offences_as_recorded is not null
),

regimes as (
    select * from {{ ref('dim_recording_regime') }}
),

years as (
    select
        geography_type,
        geography_code,
        max(geography_name) as geography_name,
        max(borough_code) as borough_code,
        max(borough_name) as borough_name,
        max(ward_code) as ward_code,
        max(ward_name) as ward_name,
        burglary_class,
        financial_year,
        {{ financial_year_start('min(month)') }} as year_from,
        count(*)::integer as months_covered,
        sum(offences_as_recorded)::integer as offences_as_recorded,
        -- bounds of months don't add up to those of a year: a year has a comparable figure where that is exact
        case
            when count(case when offences_comparable_low = offences_comparable_high then 1 end) = count(*)
                then sum(offences_comparable)::integer
        end as offences_comparable,
        -- a year in which the rule changed has no one regime
        case when min(regime_key) = max(regime_key) then min(regime_key) else {{ unknown_key() }} end as regime_key,
        {{ any_true("comparability = 'provisional'") }} as has_provisional,
        {{ join_texts('label_as_published', ' + ') }} as label_as_published,
        {{ any_true('is_simulated') }} as is_simulated
    from months
    group by geography_type, geography_code, burglary_class, financial_year
),

starts as (
    select distinct
        year_from,
        borough_code,
        burglary_class
    from years
),

-- the changes since the year before began, without those that people found not to have happened in the borough
changes_met as (
    select
        starts.year_from,
        starts.borough_code,
        starts.burglary_class,
        changes.changed_on,
        changes.treatment,
        -- figures as recorded may not be compared where shares bridge them
        starts.burglary_class <> 'all'
        and changes.change_code in (
            select maps.change_code
            from {{ ref('recording_code_weight') }} as maps
            where
                maps.series = 'burglary'
                and (maps.from_class <> maps.to_class or maps.weight_low < 1)
        ) as is_by_shares,
        {{ any_true("changes.treatment = 'rejected'") }} over (
            partition by starts.year_from, starts.borough_code, starts.burglary_class, changes.change_code
        ) as is_rejected
    from starts
    inner join {{ ref('int_recording__changes_by_class') }} as changes
        on
            changes.series = 'burglary'
            and (starts.burglary_class = 'all') = changes.is_parent
            and (changes.class_name is null or starts.burglary_class = changes.class_name)
            and (changes.borough_code is null or starts.borough_code = changes.borough_code)
            and (changes.feed is null or changes.feed = 'mps_recorded_crime')
            and changes.treatment in ('bridge', 'break', 'rejected')
            and {{ add_years('starts.year_from', -1) }} < changes.changed_on
            and {{ add_years('starts.year_from', 1) }} > changes.changed_on
),

changes_over_the_years as (
    select
        year_from,
        borough_code,
        burglary_class,
        max(changed_on) as last_changed_on,
        max(case when treatment = 'break' or is_by_shares then changed_on end) as broken_on
    from changes_met
    where not is_rejected
    group by year_from, borough_code, burglary_class
),

compared as (
    select
        this_year.*,
        all_burglary.offences_as_recorded as all_burglary_as_recorded,
        last_year.offences_as_recorded as offences_a_year_before,
        last_year.months_covered as months_covered_a_year_before,
        case
            when this_year.burglary_class = 'all' then regimes.caveat_parent else regimes.caveat_children
        end as regime_caveat,
        changes.last_changed_on,
        changes.broken_on,
        changes.broken_on is not null as is_over_a_break,
        coalesce(last_year.is_simulated <> this_year.is_simulated, false) as is_mixed
    from years as this_year
    left join years as last_year
        on
            this_year.geography_type = last_year.geography_type
            and this_year.geography_code = last_year.geography_code
            and this_year.burglary_class = last_year.burglary_class
            and {{ add_years('this_year.year_from', -1) }} = last_year.year_from
    left join years as all_burglary
        on
            this_year.geography_type = all_burglary.geography_type
            and this_year.geography_code = all_burglary.geography_code
            and this_year.financial_year = all_burglary.financial_year
            and all_burglary.burglary_class = 'all'
    left join changes_over_the_years as changes
        on
            this_year.year_from = changes.year_from
            and this_year.burglary_class = changes.burglary_class
            -- London has no borough
            and coalesce(this_year.borough_code, '') = coalesce(changes.borough_code, '')
    left join regimes on this_year.regime_key = regimes.regime_key
)

select
    geography_type,
    geography_code,
    geography_name,
    borough_code,
    borough_name,
    ward_code,
    ward_name,
    burglary_class,
    financial_year,
    months_covered,
    offences_as_recorded,
    offences_comparable,
    -- a measure of the way of counting as much as of burglary: compare it within a regime only
    case
        when all_burglary_as_recorded > 0
            then (offences_as_recorded::numeric / all_burglary_as_recorded)::numeric(5, 4)
    end as share_of_all_burglary_as_recorded,
    regime_key,
    case
        when is_over_a_break then 'break'
        when months_covered < 12 or has_provisional then 'provisional'
        when last_changed_on is not null then 'bridged'
        else 'comparable'
    end as comparability,
    {{ sentences([
        'regime_caveat',
        "case when months_covered < 12 then 'Only ' || months_covered || ' of 12 months are covered.' end",
        "case when has_provisional then 'Its newest month is provisional.' end",
    ]) }} as caveat,
    case
        when months_covered = 12 and months_covered_a_year_before = 12 and not is_over_a_break and not is_mixed
            then offences_as_recorded - offences_a_year_before
    end as change_on_last_year,
    case
        when is_over_a_break
            then
                'The way of counting changed on ' || {{ day_in_words('broken_on') }} || ', between the two years:'
                || ' a difference would show the rule and not burglary. All burglary may be compared.'
        when offences_a_year_before is null
            then 'No figure for the year before: it was not published for this area.'
        when months_covered < 12
            then 'Only ' || months_covered || ' of the 12 months of this year are covered.'
        when months_covered_a_year_before < 12
            then 'Only ' || months_covered_a_year_before || ' of the 12 months of the year before are covered.'
        when is_mixed
            then 'One of the two years is simulated, the other is not.'
    end as change_reason,
    label_as_published,
    is_simulated,
    {{ build_id() }} as build_id
from compared
