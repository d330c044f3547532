{{
    config(
        indexes=[
            {'columns': ['geography_type', 'geography_code', 'burglary_class', 'month'], 'unique': true},
            {'columns': ['borough_code', 'month']},
        ],
    )
}}

with counts as (
    select
        *,
        case when geography_type = 'ward' then 'ward' else 'borough' end as geography_level
    from {{ ref('int_burglary__monthly_counts') }}
),

regimes as (
    select *
    from {{ ref('dim_recording_regime') }}
    where series = 'burglary'
),

newest_months as (
    select
        geography_level,
        month
    from {{ ref('int_mps__coverage') }}
    where is_newest_month
),

-- The regime follows the date of the rule, not the label: the labels change at a file's boundary three months before.
counts_with_regime as (
    select
        counts.*,
        regimes.regime_key,
        case
            when counts.burglary_class = 'all' then regimes.is_parent_comparable_today
            else regimes.is_children_comparable_today
        end as is_comparable_today,
        case when counts.burglary_class = 'all' then regimes.caveat_parent else regimes.caveat_children end
            as regime_caveat,
        newest_months.month is not null as is_newest_month
    from counts
    inner join regimes
        on
            counts.month >= regimes.valid_from
            and (regimes.valid_to is null or counts.month <= regimes.valid_to)
    left join newest_months
        on
            counts.geography_level = newest_months.geography_level
            and counts.month = newest_months.month
),

-- the changes of rule between a month and the same month of the year before
changes_over_the_year as (
    select
        months.month,
        changes.is_parent,
        max(changes.changed_on) as changed_on,
        {{ any_true("changes.treatment = 'break'") }} as is_break
    from (select distinct month from counts) as months
    inner join {{ ref('int_recording__changes_by_class') }} as changes
        on
            changes.series = 'burglary'
            and {{ add_years('months.month', -1) }} < changes.changed_on
            and months.month >= changes.changed_on
    group by months.month, changes.is_parent
),

notes as (
    select
        counts.geography_type,
        counts.geography_code,
        counts.burglary_class,
        counts.month,
        {{ join_texts('notes.note', ' ') }} as note
    from counts
    inner join {{ ref('recording_notes') }} as notes
        on
            counts.burglary_class = notes.burglary_class
            and counts.month between notes.from_month and notes.to_month
            and (notes.borough_code is null or counts.borough_code = notes.borough_code)
    where notes.series = 'burglary'
    group by counts.geography_type, counts.geography_code, counts.burglary_class, counts.month
),

compared as (
    select
        this_year.*,
        notes.note,
        last_year.offences_as_recorded as offences_a_year_before,
        changes.changed_on,
        coalesce(changes.is_break, false) as is_over_a_break,
        coalesce(last_year.is_simulated <> this_year.is_simulated, false) as is_mixed
    from counts_with_regime as this_year
    left join counts_with_regime as last_year
        on
            this_year.geography_type = last_year.geography_type
            and this_year.geography_code = last_year.geography_code
            and this_year.burglary_class = last_year.burglary_class
            and {{ add_years('this_year.month', -1) }} = last_year.month
    left join changes_over_the_year as changes
        on
            this_year.month = changes.month
            and (this_year.burglary_class = 'all') = changes.is_parent
    left join notes
        on
            this_year.geography_type = notes.geography_type
            and this_year.geography_code = notes.geography_code
            and this_year.burglary_class = notes.burglary_class
            and this_year.month = notes.month
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
    month,
    {{ date_key('month') }} as month_key,
    {{ financial_year('month') }} as financial_year,
    offences_as_recorded,
    case when is_comparable_today then offences_as_recorded end as offences_comparable,
    regime_key,
    case
        when is_over_a_break then 'break'
        when is_newest_month then 'provisional'
        when changed_on is not null then 'bridged'
        else 'comparable'
    end as comparability,
    {{ sentences([
        'regime_caveat',
        'note',
        "case when is_newest_month then 'The newest month published: later files usually restate it a little.' end",
    ]) }} as caveat,
    case
        when not is_over_a_break and not is_mixed then offences_as_recorded - offences_a_year_before
    end as change_on_same_month_last_year,
    case
        when is_over_a_break
            then
                'The way of counting changed on ' || {{ day_in_words('changed_on') }} || ', between the two months:'
                || ' a difference would show the rule and not burglary. All burglary may be compared.'
        when offences_a_year_before is null
            then 'No figure for the same month of the year before: it was not published for this area.'
        when is_mixed
            then 'One of the two months is simulated, the other is not.'
    end as change_reason,
    label_as_published,
    is_simulated,
    {{ build_id() }} as build_id
from compared
