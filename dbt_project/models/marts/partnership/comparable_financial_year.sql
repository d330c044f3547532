{{
    config(
        indexes=[
            {'columns': ['source_mart', 'measure', 'geography_code', 'class_name', 'financial_year'], 'unique': true},
            {'columns': ['borough_code', 'financial_year']},
        ],
    )
}}

{#- Each monthly mart with its feed, class and measure. People who come again, and clients in support, are not counted
    once a month, so their months make no year. -#}
{%- set marts = [
    ('asb', 'asb_monthly', 'asb_class', 'records', feed_of_asb_class('asb_class')),
    ('burglary', 'burglary_monthly', 'burglary_class', 'offences', "'mps_recorded_crime'"),
    ('burglary', 'burglary_police_monthly', 'burglary_class', 'offences', "'police_offences'"),
    ('hate_crime', 'hate_crime_monthly', 'hate_crime_class', 'offences', "'police_offences'"),
    ('hate_crime', 'hate_crime_london_monthly', 'hate_crime_class', 'flagged_offences', "'mps_other_crime'"),
    ('mopac_local', 'mopac_local_monthly', 'offence_class', 'offences', "'police_offences'"),
    ('mopac_local', 'mopac_local_london_monthly', 'offence_class', 'offences', "'mps_recorded_crime'"),
    ('partnership', 'total_offences_monthly', 'offence_class', 'offences', "'police_offences'"),
    ('serious_youth_violence', 'serious_youth_violence_monthly', 'violence_class', 'offences', "'police_offences'"),
    (
        'serious_youth_violence', 'serious_youth_violence_london_monthly', 'violence_class', 'flagged_offences',
        "'mps_other_crime'",
    ),
    ('vawg', 'vawg_monthly', 'vawg_class', 'offences', "'police_offences'"),
    ('vawg', 'vawg_london_monthly', 'vawg_class', 'flagged_offences', "'mps_other_crime'"),
    ('vawg', 'vawg_service_monthly', 'service_class', 'records', "'angelou_referrals'"),
] -%}
{%- set detections = [
    ('burglary', 'burglary_police_monthly', 'burglary_class'), ('mopac_local', 'mopac_local_monthly', 'offence_class'),
] -%}
{%- set bases = ['sanction_detections_by_offence_date', 'sanction_detections_by_outcome_date'] -%}
{%- set year = ['source_mart', 'measure', 'geography_code', 'class_name', 'year_from'] -%}

with months as (
    {% for priority, mart, class_column, measure, feed in marts -%}
    select
        '{{ priority }}' as priority,
        '{{ mart }}' as source_mart,
        '{{ measure }}' as measure,
        geography_type,
        geography_code,
        geography_name,
        borough_code,
        borough_name,
        {{ class_column }} as class_name,
        month,
        {{ measure }}_as_recorded as counted,
        {{ measure }}_comparable as comparable,
        {{ measure }}_comparable_low as comparable_low,
        {{ measure }}_comparable_high as comparable_high,
        comparable_basis,
        regime_key,
        null::text as own_series,
        is_whole_series as is_parent,
        is_newest_month,
        is_unfinished,
        {{ feed }} as feed,
        is_simulated
    from {{ ref(mart) }}
    where geography_type <> 'ward'{{ " and service_class like 'angelou%'" if mart == 'vawg_service_monthly' }}
    union all
    {% endfor -%}
    {% for priority, mart, class_column in detections -%}
    {% for measure in bases -%}
    select
        '{{ priority }}' as priority,
        '{{ mart }}' as source_mart,
        '{{ measure }}' as measure,
        geography_type,
        geography_code,
        geography_name,
        borough_code,
        borough_name,
        {{ class_column }} as class_name,
        month,
        {{ measure }} as counted,
        null as comparable,
        null as comparable_low,
        null as comparable_high,
        null as comparable_basis,
        null as regime_key,
        'sanction_detections' as own_series,
        true as is_parent,
        is_newest_month,
        is_unfinished,
        'police_offences' as feed,
        is_simulated
    from {{ ref(mart) }}
    where
        geography_type <> 'ward'
        and {{ measure }} is not null
    union all
    {% endfor -%}
    {% endfor -%}
    select
        'partnership' as priority,
        'offences_by_type' as source_mart,
        'offences' as measure,
        'borough' as geography_type,
        boroughs.borough_code as geography_code,
        boroughs.borough_name as geography_name,
        boroughs.borough_code,
        boroughs.borough_name,
        of_type.offence_type as class_name,
        wards.month,
        sum(of_type.offence_count)::integer as counted,
        null as comparable,
        null as comparable_low,
        null as comparable_high,
        null as comparable_basis,
        null as regime_key,
        max(types.series) as own_series,
        true as is_parent,
        wards.month = max(newest.newest_whole_month) as is_newest_month,
        wards.month > max(newest.newest_whole_month) as is_unfinished,
        'police_offences' as feed,
        {{ any_true('wards.is_simulated') }} as is_simulated
    from {{ ref('int_offences__wards_monthly') }} as wards
    {{ with_each_offence_type('wards') }}
    inner join (
        values
        {%- for offence_type, name, definition, series in offence_types() %}
        ('{{ offence_type }}', '{{ series }}'){{ ',' if not loop.last }}
        {%- endfor %}
    ) as types (offence_type, series) on of_type.offence_type = types.offence_type
    inner join {{ ref('dim_borough') }} as boroughs on wards.borough_key = boroughs.borough_key
    left join {{ ref('int_partner_feeds__newest_months') }} as newest on newest.feed = 'police_offences'
    where
        not boroughs.is_pseudo_borough
        and wards.borough_key <> {{ unknown_key() }}
    group by boroughs.borough_code, boroughs.borough_name, of_type.offence_type, wards.month
),

counts as (
    select
        months.*,
        {{ financial_year_start('months.month') }} as year_from,
        null::text as ward_code,
        months.own_series is not null as is_own,
        coalesce(months.own_series, regimes.series, 'not registered') as series
    from months
    left join {{ ref('dim_recording_regime') }} as regimes on months.regime_key = regimes.regime_key
),

counts_with_regime as (
    select
        counts.*,
        {{ kind_key('counts', 'class_name', false) }} as kind_key
    from counts
),

{{ effects_of_changes('class_name', false, none) }}

-- what is counted here, and in no monthly mart, is comparable as recorded where no rule came since
known as (
    select
        counted.*,
        case
            when counted.is_own then case when coalesce(effects.open_after, 0) = 0 then counted.counted end
            else counted.comparable
        end as figure,
        coalesce(counted.comparable_low < counted.comparable_high, false) as is_estimated,
        case when counted.is_own then 'as_recorded' else counted.comparable_basis end as basis,
        effects.broken_on,
        effects.bridged_by_estimate_on,
        effects.estimated_by,
        coalesce(effects.is_bridged, false) as is_bridged,
        coalesce(effects.is_whole_broken, false) as is_whole_broken,
        coalesce(effects.is_suspected, false) as is_suspected,
        effects.change_caveat
    from counts_with_regime as counted
    left join effects on counted.kind_key || '|' || counted.month = effects.effect_key
),

-- What a month brings to its year: a figure that is exact, or shares of what was counted by an old rule. Bounds of
-- months don't add up to those of a year, so a year is bridged from the counts of all its months.
parts as (
    select
        {{ year | join(', ') }},
        month,
        null as change_code,
        null as from_class,
        1::double precision as weight,
        1::double precision as weight_low,
        1::double precision as weight_high,
        figure::double precision as counted
    from known
    where
        figure is not null
        and not is_estimated
    union all
    select
        {% for column in year -%}
        estimated.{{ column }},
        {% endfor -%}
        estimated.month,
        maps.change_code,
        maps.from_class,
        maps.weight::double precision as weight,
        maps.weight_low::double precision as weight_low,
        maps.weight_high::double precision as weight_high,
        old.counted::double precision as counted
    from known as estimated
    inner join weights as maps
        on estimated.kind_key || '|' || estimated.estimated_by = maps.kind_key || '|' || maps.change_code
    inner join counts as old
        on
            estimated.source_mart = old.source_mart
            and estimated.measure = old.measure
            and estimated.geography_code = old.geography_code
            and estimated.month = old.month
            and maps.from_class = old.class_name
    where
        estimated.is_estimated
        and old.counted is not null
),

years as (
    select
        {{ year | join(', ') }},
        max(priority) as priority,
        max(geography_type) as geography_type,
        max(geography_name) as geography_name,
        max(borough_code) as borough_code,
        max(borough_name) as borough_name,
        {{ any_true('is_parent') }} as is_whole_series,
        max(series) as series,
        {{ count_where('counted is not null and not is_unfinished') }} as months_covered,
        sum(counted)::integer as counted,
        count(figure) = count(*) and count(distinct case when is_estimated then estimated_by end) <= 1 as is_known,
        {{ any_true('is_estimated') }} as is_estimated,
        -- the weakest ground of those that it rests on
        case
            when {{ any_true("basis = 'estimated'") }} then 'estimated'
            when {{ any_true("basis = 'dual_coded'") }} then 'dual_coded'
            when {{ any_true("basis = 'authority'") }} then 'authority'
            else 'as_recorded'
        end as basis,
        max(broken_on) as broken_on,
        max(bridged_by_estimate_on) as bridged_by_estimate_on,
        {{ any_true('is_bridged') }} as is_bridged,
        {{ any_true('is_whole_broken') }} as is_whole_broken,
        {{ any_true('is_suspected') }} as is_suspected,
        {{ any_true('is_newest_month') }} as is_newest,
        {{ join_texts('change_caveat', ' ') }} as change_caveat,
        {{ any_true('is_simulated') }} as is_simulated
    from known
    group by {{ year | join(', ') }}
),

parts_of_years as (
    select
        {{ year | join(', ') }},
        change_code,
        from_class,
        weight,
        weight_low,
        weight_high,
        sum(counted) as counted
    from parts
    group by {{ year | join(', ') }}, change_code, from_class, weight, weight_low, weight_high
),

figures as (
    select
        {{ year | join(', ') }},
        {{ bridged('counted', 'weight') }} as figure,
        {{ bridged_low('counted', 'weight', 'weight_low', 'weight_high') }} as figure_low,
        {{ bridged_high('counted', 'weight', 'weight_low', 'weight_high') }} as figure_high
    from parts_of_years
    group by {{ year | join(', ') }}
),

parts_of_two_years as (
    select
        {% for column in year[:-1] -%}
        {{ column }},
        {% endfor -%}
        year_from,
        change_code,
        from_class,
        weight,
        weight_low,
        weight_high,
        counted as now,
        0 as before
    from parts_of_years
    union all
    select
        {% for column in year[:-1] -%}
        {{ column }},
        {% endfor -%}
        {{ add_years('year_from', 1) }} as year_from,
        change_code,
        from_class,
        weight,
        weight_low,
        weight_high,
        0 as now,
        counted as before
    from parts_of_years
),

added_up as (
    select
        {{ year | join(', ') }},
        weight,
        weight_low,
        weight_high,
        sum(now) as now,
        sum(before) as before
    from parts_of_two_years
    group by {{ year | join(', ') }}, change_code, from_class, weight, weight_low, weight_high
),

-- of two years that rest on one share, what is unknown of it counts for their difference only
differences as (
    select
        {{ year | join(', ') }},
        {{ bridged_difference('now', 'before', 'weight') }} as difference,
        {{ bridged_difference_low('now', 'before', 'weight', 'weight_low', 'weight_high') }} as difference_low,
        {{ bridged_difference_high('now', 'before', 'weight', 'weight_low', 'weight_high') }} as difference_high
    from added_up
    group by {{ year | join(', ') }}
),

valued as (
    select
        years.*,
        case when years.is_known then figures.figure end as figure,
        case when years.is_known then figures.figure_low end as figure_low,
        case when years.is_known then figures.figure_high end as figure_high
    from years
    left join figures
        on
            years.source_mart = figures.source_mart
            and years.measure = figures.measure
            and years.geography_code = figures.geography_code
            and years.class_name = figures.class_name
            and years.year_from = figures.year_from
),

compared as (
    select
        this_year.*,
        last_year.counted as counted_a_year_before,
        last_year.figure as figure_a_year_before,
        last_year.months_covered as months_covered_a_year_before,
        this_year.months_covered = 12
        and coalesce(last_year.months_covered = 12, false)
        and last_year.is_simulated = this_year.is_simulated as are_both_whole,
        coalesce(last_year.is_simulated <> this_year.is_simulated, false) as is_mixed,
        case
            when this_year.figure is null or last_year.figure is null then null
            when this_year.is_estimated and last_year.is_estimated then differences.difference
            else this_year.figure - last_year.figure
        end as difference,
        case
            when this_year.figure is null or last_year.figure is null then null
            when this_year.is_estimated and last_year.is_estimated then differences.difference_low
            else this_year.figure_low - last_year.figure_high
        end as difference_low,
        case
            when this_year.figure is null or last_year.figure is null then null
            when this_year.is_estimated and last_year.is_estimated then differences.difference_high
            else this_year.figure_high - last_year.figure_low
        end as difference_high
    from valued as this_year
    left join valued as last_year
        on
            this_year.source_mart = last_year.source_mart
            and this_year.measure = last_year.measure
            and this_year.geography_code = last_year.geography_code
            and this_year.class_name = last_year.class_name
            and {{ add_years('this_year.year_from', -1) }} = last_year.year_from
    left join differences
        on
            this_year.source_mart = differences.source_mart
            and this_year.measure = differences.measure
            and this_year.geography_code = differences.geography_code
            and this_year.class_name = differences.class_name
            and this_year.year_from = differences.year_from
)

select
    priority,
    source_mart,
    measure,
    geography_type,
    geography_code,
    geography_name,
    borough_code,
    borough_name,
    class_name,
    is_whole_series,
    {{ financial_year('year_from') }} as financial_year,
    months_covered,
    counted as count_as_recorded,
    figure::numeric(12, 1) as count_comparable,
    figure_low::numeric(12, 1) as count_comparable_low,
    figure_high::numeric(12, 1) as count_comparable_high,
    case when figure is not null then basis end as comparable_basis,
    case
        when broken_on is not null or series = 'not registered' then 'break'
        when months_covered < 12 or is_newest or is_suspected then 'provisional'
        when is_bridged then 'bridged'
        else 'comparable'
    end as comparability,
    {{ sentences([
        "case when months_covered < 12 then 'Only ' || months_covered || ' of 12 months are covered.' end",
        "case when is_newest then 'Its newest month is provisional.' end",
        'change_caveat',
    ]) }} as caveat,
    case
        when are_both_whole and broken_on is null and bridged_by_estimate_on is null and series <> 'not registered'
            then counted - counted_a_year_before
    end as change_on_year_before,
    case
        when are_both_whole and broken_on is null and bridged_by_estimate_on is null and series <> 'not registered'
            then (counted::numeric / nullif(counted_a_year_before, 0) - 1)::numeric(12, 6)
    end as change_share_on_year_before,
    case when are_both_whole then difference::numeric(12, 1) end as comparable_change_on_year_before,
    case when are_both_whole then difference_low::numeric(12, 1) end as comparable_change_on_year_before_low,
    case when are_both_whole then difference_high::numeric(12, 1) end as comparable_change_on_year_before_high,
    case
        when broken_on is not null or bridged_by_estimate_on is not null
            then
                'The way of counting changed on ' || {{ day_in_words('coalesce(broken_on, bridged_by_estimate_on)') }}
                || ', between the two years: a difference would show the rule.'
                || case
                    when is_whole_series or is_whole_broken then ''
                    else ' The series as a whole may be compared.'
                end
                || case
                    when are_both_whole and difference is not null
                        then ' The change by the rule of today stands beside it.'
                    else ''
                end
        when series = 'not registered'
            then 'By which rule this is counted is not registered: nobody can say whether the two years agree.'
        when months_covered_a_year_before is null
            then 'The files delivered so far do not hold the year before.'
        when months_covered < 12
            then 'Only ' || months_covered || ' of the 12 months of this year are covered.'
        when months_covered_a_year_before < 12
            then 'Only ' || months_covered_a_year_before || ' of the 12 months of the year before are covered.'
        when is_mixed
            then 'One of the two years is simulated, the other is not.'
    end as change_reason,
    is_simulated,
    {{ build_id() }} as build_id
from compared
