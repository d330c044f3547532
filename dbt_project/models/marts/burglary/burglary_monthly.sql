{{
    config(
        indexes=[
            {'columns': ['geography_type', 'geography_code', 'burglary_class', 'month'], 'unique': true},
            {'columns': ['borough_code', 'month']},
        ],
    )
}}

with counts as (
    select * from {{ ref('int_burglary__monthly_counts') }}
),

regimes as (
    select * from {{ ref('dim_recording_regime') }} where series = 'burglary'
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
        regimes.valid_from as regime_from,
        case
            when counts.burglary_class = 'all' then regimes.treatment_of_parent else regimes.treatment_of_children
        end as treatment,
        case
            when counts.burglary_class = 'all' then regimes.parent_comparability else regimes.children_comparability
        end as comparability_today,
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
            case when counts.geography_type = 'ward' then 'ward' else 'borough' end = newest_months.geography_level
            and counts.month = newest_months.month
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
        coalesce(
            last_year.regime_key <> this_year.regime_key and this_year.treatment = 'break', false
        ) as is_over_a_break,
        coalesce(last_year.is_simulated <> this_year.is_simulated, false) as is_mixed
    from counts_with_regime as this_year
    left join counts_with_regime as last_year
        on
            this_year.geography_type = last_year.geography_type
            and this_year.geography_code = last_year.geography_code
            and this_year.burglary_class = last_year.burglary_class
            and {{ add_years('this_year.month', -1) }} = last_year.month
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
    case when comparability_today <> 'break' then offences_as_recorded end as offences_comparable,
    regime_key,
    case
        when comparability_today = 'break' then 'break'
        when is_newest_month then 'provisional'
        else comparability_today
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
        when offences_a_year_before is null
            then 'No figure for the same month of the year before: it was not published for this area.'
        when is_mixed
            then 'One of the two months is simulated, the other is not.'
        when is_over_a_break
            then
                'The way of counting changed on ' || {{ day_in_words('regime_from') }} || ', between the two months:'
                || ' a difference would show the rule and not burglary. All burglary may be compared.'
    end as change_reason,
    label_as_published,
    is_simulated,
    {{ build_id() }} as build_id
from compared
