{#-
    What changes in counting do to the rows of a monthly mart; parts of compare_months. A key is one text, because the
    planner takes these CTEs for a row or two and would join by the first of several columns only.
-#}


{#- An area, class and month. -#}
{% macro cell_key(relation, class, month) -%}
    {{ relation }}.geography_type || '|' || {{ relation }}.geography_code || '|' || {{ class }} || '|' || {{ month }}
{%- endmacro %}


{#- The feed whose counting is asked: victims are those of offences. -#}
{% macro feed_of(relation, published_by_mps) -%}
    {%- if published_by_mps -%} 'mps_recorded_crime'
    {%- else -%} case {{ relation }}.feed when 'police_victims' then 'police_offences' else {{ relation }}.feed end
    {%- endif -%}
{%- endmacro %}


{#- The series that changes of boundaries concern, for wards of a feed. -#}
{% macro series_of_wards(feed) -%}
    case when left({{ feed }}, 7) = 'police_' then 'records_by_ward' else 'offences_by_ward' end
{%- endmacro %}


{#- The ward of a row, where a change is one of wards that are named; else nothing, so that wards go together. -#}
{% macro ward_concerned(relation) -%}
    case
        when
            {{ relation }}.ward_code in (
                select named.ward_code
                from {{ ref('int_recording__changes_by_class') }} as named
                where named.ward_code is not null
            )
            then {{ relation }}.ward_code
    end
{%- endmacro %}


{#- What changes ask of a row, its month left out; London has no borough, and few wards are named. -#}
{% macro kind_key(relation, class_column, published_by_mps) -%}
    {{ relation }}.series || '|' || {{ relation }}.{{ class_column }} || '|' || {{ relation }}.is_parent || '|'
    || {{ relation }}.geography_type || '|' || coalesce({{ relation }}.borough_code, '') || '|'
    || {{ feed_of(relation, published_by_mps) }} || '|' || {{ relation }}.is_simulated || '|'
    || coalesce({{ ward_concerned(relation) }}, '')
{%- endmacro %}


{#-
    The CTEs `weights` (the code map that serves a kind of row: of its own borough's records, or else of an
    authority, or else estimated) and `effects`, one row a kind of row and month:

    - broken_on, bridged_by_estimate_on, is_bridged, is_whole_broken: changes between the month and the one a year
      before;
    - open_after: changes since the month that its figure as recorded does not hold across; restated_after, how many
      of them are that of `restated_over`; estimated_by, the change whose code map leads to today, where it is alone;
      is_relabelled, whether codes changed since that an authority maps one to one;
    - is_suspected, is_rejected, change_caveat: what people must be told.

    A series' parent is left as it was by a bridge. Shares of classes are known for boroughs and London and not for
    wards; of wards that were redrawn, where their records went (from_area_code and to_area_code), of whatever class.
-#}
{% macro effects_of_changes(class_column, published_by_mps, restated_over) -%}
    {%- set crosses = add_years('months.month', -1) ~ ' < changes.changed_on and months.month >= changes.changed_on' -%}
    {%- set is_later = 'changes.changed_on > months.month' -%}
    {#- a borough's own share comes before that of all -#}
    {%- set ground -%}
    case when maps.basis = 'dual_coded' then 0 when maps.borough_code is not null then 1 else 2 end
    {%- endset %}
kinds as (
    select distinct
        {{ kind_key('counts', class_column, published_by_mps) }} as kind_key,
        series,
        {{ class_column }} as class_name,
        is_parent,
        geography_type,
        borough_code,
        {{ ward_concerned('counts') }} as ward_code,
        {{ feed_of('counts', published_by_mps) }} as feed,
        is_simulated
    from counts
),

weights_ranked as (
    select
        kinds.kind_key,
        maps.change_code,
        maps.from_class,
        null::text as from_area_code,
        null::text as to_area_code,
        maps.weight,
        maps.weight_low,
        maps.weight_high,
        maps.basis,
        not {{ any_true('maps.from_class <> maps.to_class or maps.weight_low < 1') }} over of_the_change
            as is_the_same,
        count(*) over of_the_change as from_count,
        kinds.geography_type = 'ward' as is_ward,
        rank() over (
            partition by kinds.kind_key, maps.change_code
            order by {{ ground }}
        ) as place
    from kinds
    inner join {{ ref('recording_code_weight') }} as maps
        on
            kinds.series = maps.series
            and kinds.class_name = maps.to_class
            and (maps.borough_code is null or kinds.borough_code = maps.borough_code)
            and (maps.is_simulated is null or kinds.is_simulated = maps.is_simulated)
    window of_the_change as (
        partition by kinds.kind_key, maps.change_code, {{ ground }}
    )
),

weights as (
    select * from weights_ranked
    where
        place = 1
        and (is_the_same or not is_ward)
    union all
    -- of whatever class, what wards counted that were redrawn
    select
        kinds.kind_key,
        maps.change_code,
        kinds.class_name as from_class,
        maps.from_area_code,
        maps.to_area_code,
        maps.weight,
        maps.weight_low,
        maps.weight_high,
        maps.basis,
        false as is_the_same,
        count(*) over (partition by kinds.kind_key, maps.change_code, maps.to_area_code) as from_count,
        true as is_ward,
        1 as place
    from kinds
    inner join {{ ref('recording_code_weight') }} as maps
        on
            kinds.geography_type = 'ward'
            and maps.series = {{ series_of_wards('kinds.feed') }}
            and maps.from_area_code is not null
            and kinds.borough_code = maps.borough_code
            and kinds.is_simulated = maps.is_simulated
),

changes_met as (
    select
        kinds.kind_key,
        changes.change_code,
        changes.changed_on,
        changes.treatment,
        changes.status,
        changes.provisional_from,
        changes.provisional_to,
        changes.caveat,
        -- of the series as a whole, for a row that is a class in it
        changes.is_parent and not kinds.is_parent as is_of_whole,
        not changes.is_parent as is_of_class,
        {{ any_true("changes.treatment = 'rejected'") }} over (
            partition by kinds.kind_key, changes.change_code, changes.is_parent
        ) as is_rejected
    from kinds
    inner join {{ ref('int_recording__changes_by_class') }} as changes
        on
            (
                (
                    coalesce(changes.series, kinds.series) = kinds.series
                    and (changes.is_parent or not kinds.is_parent)
                    and (changes.class_name is null or kinds.class_name = changes.class_name)
                )
                -- records of the police lie in small areas, which the wards in use are made of; files by ward do not
                or (
                    kinds.geography_type = 'ward'
                    and not changes.is_parent
                    and changes.series = {{ series_of_wards('kinds.feed') }}
                )
            )
            and (changes.borough_code is null or kinds.borough_code = changes.borough_code)
            and (changes.ward_code is null or kinds.ward_code = changes.ward_code)
            and (changes.feed is null or kinds.feed = changes.feed)
),

changes_in_effect as (
    select
        changes_met.*,
        case
            when changes_met.treatment not in ('break', 'bridge') then 'none'
            when maps.is_the_same then 'same'
            when maps.change_code is not null then 'estimate'
            else changes_met.treatment
        end as effect
    from changes_met
    left join (select distinct kind_key, change_code, is_the_same from weights) as maps
        on changes_met.kind_key || '|' || changes_met.change_code = maps.kind_key || '|' || maps.change_code
    where
        not changes_met.is_rejected
        or changes_met.treatment = 'rejected'
),

effects as (
    select
        months.kind_key || '|' || months.month as effect_key,
        max(case when not is_of_whole and treatment = 'break' and {{ crosses }} then changes.changed_on end) as broken_on,
        max(
            case
                when not is_of_whole and treatment = 'bridge' and effect = 'estimate' and {{ crosses }}
                    then changes.changed_on
            end
        ) as bridged_by_estimate_on,
        {{ any_true("not is_of_whole and treatment = 'bridge' and " ~ crosses) }} as is_bridged,
        {{ any_true("is_of_whole and treatment = 'break' and " ~ crosses) }} as is_whole_broken,
        count(case when not is_of_whole and effect in ('break', 'estimate') and {{ is_later }} then 1 end) as open_after,
        count(
            case
                when
                    not is_of_whole
                    and effect in ('break', 'estimate')
                    and changes.change_code = '{{ restated_over }}'
                    and {{ is_later }}
                    then 1
            end
        ) as restated_after,
        case
            when count(case when not is_of_whole and effect in ('break', 'estimate') and {{ is_later }} then 1 end) = 1
                then max(case when not is_of_whole and effect = 'estimate' and {{ is_later }} then change_code end)
        end as estimated_by,
        {{ any_true("is_of_class and effect in ('same', 'bridge') and " ~ is_later) }} as is_relabelled,
        {{ any_true(
            "not is_of_whole and treatment = 'provisional' and months.month between provisional_from and provisional_to"
        ) }} as is_suspected,
        {{ any_true("not is_of_whole and treatment = 'rejected'") }} as is_rejected,
        {{ join_texts(
            "case when not is_of_whole and (status <> 'data_fault' and status <> 'suspected'"
            ~ " or months.month between provisional_from and provisional_to) then caveat end", ' '
        ) }} as change_caveat
    from (select distinct kind_key, month from counts_with_regime) as months
    inner join changes_in_effect as changes on months.kind_key = changes.kind_key
    group by months.kind_key, months.month
),
{%- endmacro %}


{#-
    The CTEs `estimates` and `differences`: of each cell whose figure a code map leads to today, what it would have
    been by the rule of today and how it differs from the year before, where that is bridged by the same map.
-#}
{% macro estimates_by_the_rule_of_today(relation, class_column, value) -%}
parts as (
    select
        estimated.cell_key,
        estimated.cell_key_a_year_before,
        maps.change_code,
        coalesce(maps.from_area_code, '') || '|' || maps.from_class as from_key,
        maps.from_count,
        maps.weight,
        maps.weight_low,
        maps.weight_high,
        maps.basis,
        counted.{{ value }} as counted
    from {{ relation }} as estimated
    inner join effects on estimated.kind_key || '|' || estimated.month = effects.effect_key
    inner join weights as maps
        on
            estimated.kind_key || '|' || effects.estimated_by || '|' || case
                when effects.estimated_by in (select change_code from weights where to_area_code is not null)
                    then estimated.geography_code
                else ''
            end = maps.kind_key || '|' || maps.change_code || '|' || coalesce(maps.to_area_code, '')
    inner join {{ relation }} as counted
        on
            estimated.geography_type || '|' || coalesce(maps.from_area_code, estimated.geography_code) || '|'
            || maps.from_class || '|' || estimated.month = counted.cell_key
            and estimated.is_simulated = counted.is_simulated
    where counted.{{ value }} is not null
),

-- a class that a file leaves out is not known, so neither is what came of it
estimates as (
    select
        cell_key,
        {{ bridged('counted', 'weight') }} as estimate,
        {{ bridged_low('counted', 'weight', 'weight_low', 'weight_high') }} as estimate_low,
        {{ bridged_high('counted', 'weight', 'weight_low', 'weight_high') }} as estimate_high,
        -- the weakest ground of those that it rests on
        max(basis) as basis
    from parts
    group by cell_key, from_count
    having count(*) = from_count
),

differences as (
    select
        parts.cell_key,
        {{ bridged_difference('parts.counted', 'before.counted', 'parts.weight') }} as difference,
        {{ bridged_difference_low(
            'parts.counted', 'before.counted', 'parts.weight', 'parts.weight_low', 'parts.weight_high'
        ) }} as difference_low,
        {{ bridged_difference_high(
            'parts.counted', 'before.counted', 'parts.weight', 'parts.weight_low', 'parts.weight_high'
        ) }} as difference_high
    from parts
    inner join parts as before
        on
            parts.cell_key_a_year_before || '|' || parts.change_code || '|' || parts.from_key
            = before.cell_key || '|' || before.change_code || '|' || before.from_key
    group by parts.cell_key, parts.from_count
    having count(*) = parts.from_count
),
{%- endmacro %}


{#- A comparable figure in words, where it is estimated. -#}
{% macro estimate_in_words(value) -%}
    case
        when how = 'estimated' and {{ value }} is null
            then
                'Made of the wards of its day: '
                || case
                    when comparable_low = comparable_high
                        then 'it would have been ' || round(comparable::numeric) || ', since they lie whole within it.'
                    else
                        'it would have been about ' || round(comparable::numeric) || ' (nine times out of ten '
                        || round(comparable_low::numeric) || ' to ' || round(comparable_high::numeric) || '), '
                        || case comparable_basis
                            when 'dual_coded' then 'by where records with a point on the map lie.'
                            else 'by the ward that a look-up gives to each small area.'
                        end
                end
        when how = 'estimated'
            then
                'By the rule of today it would be about ' || round(comparable::numeric) || ' (nine times out of ten '
                || round(comparable_low::numeric) || ' to ' || round(comparable_high::numeric) || '), '
                || case comparable_basis
                    when 'dual_coded' then 'by what the records themselves say of their places.'
                    when 'authority' then 'by the shares that an authority gives.'
                    else 'estimated from how the shares moved when the rule changed.'
                end
    end
{%- endmacro %}


{#-
    Conditions on which an incremental monthly mart is built whole: the ledger of changes in counting was written, for
    one of its feeds, since the build that wrote it; and a share of one of its classes is another.
-#}
{% macro is_ledger_changed(feeds) -%}
    exists (
        select 1
        from {{ source('quality', 'recording_change') }} as changes
        where
            (
                {{ feed_of_the_marts('changes.feed') }} in ('{{ feeds | join("', '") }}')
                or {{ is_feed_of_wards('changes.feed') }}
            )
            and changes.changed_at >= (
                select builds.started_at
                from {{ source('quality', 'build') }} as builds
                where builds.build_id = (select max(this_table.build_id) from {{ this }} as this_table)
            )
    )
{%- endmacro %}


{% macro are_shares_changed(class_column) -%}
    exists (
        select 1
        from {{ ref('recording_code_weight') }} as weights
        where
            weights.build_id > (select max(this_table.build_id) from {{ this }} as this_table)
            and weights.to_class in (select held.{{ class_column }} from {{ this }} as held where held.geography_type = 'borough')
            and weights.series in (
                select regimes.series
                from {{ ref('dim_recording_regime') }} as regimes
                where regimes.regime_key in (select this_table.regime_key from {{ this }} as this_table)
            )
    )
{%- endmacro %}


{#- The build that wrote a row as it is, told by `columns`; this build, where none did. -#}
{% macro build_that_first_wrote(relation, columns) -%}
    {%- if execute and is_incremental() -%}
    coalesce(
        (
            select written.build_id
            from {{ this }} as written
            where {% for column in columns %}{{ 'and ' if not loop.first }}written.{{ column }} = {{ relation }}.{{ column }} {% endfor %}
        ),
        {{ build_id() }}
    )
    {%- else -%}
    {{ build_id() }}
    {%- endif -%}
{%- endmacro %}


{#- Incremental strategy `replace_all`: rows that stay as they were may keep the build that first wrote them. -#}
{% macro get_incremental_replace_all_sql(arg_dict) -%}
    {%- set columns = get_quoted_csv(arg_dict['dest_columns'] | map(attribute='name')) -%}
    truncate {{ arg_dict['target_relation'] }};

    insert into {{ arg_dict['target_relation'] }} ({{ columns }})
    select {{ columns }} from {{ arg_dict['temp_relation'] }}
{%- endmacro %}
