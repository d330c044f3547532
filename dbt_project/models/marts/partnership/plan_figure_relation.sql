with members as (
    select
        relations.relation_id,
        relations.relation_kind,
        relations.relation_name,
        relations.place,
        relations.role,
        relations.figure_id,
        figures.published_value as printed,
        {{ printed_number('figures.published_value', 'figures.decimals') }} as printed_text,
        figures.decimals,
        -- what was rounded away is at most this much
        power(10::numeric, -figures.decimals) / 2 as half_unit
    from {{ ref('plan_figure_relations') }} as relations
    inner join {{ ref('plan_figures') }} as figures on relations.figure_id = figures.figure_id
),

-- parts that exclude each other cannot be more than the whole, even where each was rounded up
shares_of_one_whole as (
    select
        relation_id,
        sum(printed - half_unit) <= 100 as is_kept,
        {{ join_in_order('printed_text', ' + ', 'place') }} || ' = '
        || {{ printed_number('sum(printed)', 'max(decimals)') }}
        || ' %; even with every share rounded up they would be '
        || {{ printed_number('sum(printed - half_unit)', 'max(decimals) + 1') }}
        || ' %, and parts of one whole are 100 % at most' as arithmetic
    from members
    where relation_kind = 'shares_of_one_whole'
    group by relation_id
),

by_role as (
    select
        relation_id,
        relation_kind,
        max(case when role = 'part' then printed end) as part,
        max(case when role = 'whole' then printed end) as whole,
        max(case when role = 'share' then printed end) as share,
        max(case when role = 'share' then decimals end) as share_decimals,
        max(case when role = 'before' then printed end) as before,
        max(case when role = 'after' then printed end) as after,
        max(case when role = 'reduction' then printed end) as reduction,
        max(case when role = 'reduction' then decimals end) as reduction_decimals
    from members
    where relation_kind in ('share_of_whole', 'reduction')
    group by relation_id, relation_kind
),

share_of_whole as (
    select
        relation_id,
        {{ round_as_printed('100 * part / whole', 'share_decimals') }} = share as is_kept,
        {{ printed_number('part', 0) }} || ' of ' || {{ printed_number('whole', 0) }} || ' is '
        || {{ printed_number('100 * part / whole', 'share_decimals + 2') }} || ' %, as printed '
        || {{ printed_number('100 * part / whole', 'share_decimals') }} || ' %; the plan prints '
        || {{ printed_number('share', 'share_decimals') }} || ' %' as arithmetic
    from by_role
    where relation_kind = 'share_of_whole'
),

reduction as (
    select
        relation_id,
        {{ round_as_printed('100 * (before - after) / before', 'reduction_decimals') }} = reduction as is_kept,
        'from ' || {{ printed_number('before', 0) }} || ' to ' || {{ printed_number('after', 0) }} || ' is '
        || {{ printed_number('100 * (before - after) / before', 'reduction_decimals + 2') }}
        || ' % less; the plan prints ' || {{ printed_number('reduction', 'reduction_decimals') }} || ' %' as arithmetic
    from by_role
    where relation_kind = 'reduction'
),

parts_add_up as (
    select
        relation_id,
        sum(case when role = 'part' then printed else -printed end) = 0 as is_kept,
        {{ join_in_order("case when role = 'part' then printed_text end", ' + ', 'place') }} || ' = '
        || {{ printed_number("sum(case when role = 'part' then printed end)", 0) }} || '; the plan prints '
        || {{ printed_number("max(case when role = 'whole' then printed end)", 0) }} as arithmetic
    from members
    where relation_kind = 'parts_add_up'
    group by relation_id
),

-- which wholes a count allows that is printed with its share: all those that give the share when rounded
wholes_allowed as (
    select
        relation_id,
        place,
        max(case when role = 'part' then printed_text end) as part_text,
        max(case when role = 'share' then printed_text end) as share_text,
        floor(
            100 * max(case when role = 'part' then printed end)
            / max(case when role = 'share' then printed + half_unit end)
        ) + 1 as from_whole,
        floor(
            100 * max(case when role = 'part' then printed end)
            / max(case when role = 'share' then printed - half_unit end)
        ) as to_whole
    from members
    where relation_kind = 'parts_of_one_whole'
    group by relation_id, place
),

wholes_in_words as (
    select
        *,
        part_text || ' being ' || share_text || ' % means a whole of ' || {{ printed_number('from_whole', 0) }}
        || ' to ' || {{ printed_number('to_whole', 0) }} as words
    from wholes_allowed
),

parts_of_one_whole as (
    select
        relation_id,
        max(from_whole) <= min(to_whole) as is_kept,
        {{ join_in_order('words', '; ', 'place') }} || case
            when max(from_whole) <= min(to_whole) then '; some wholes fit all of them'
            else '; no one whole fits all of them'
        end as arithmetic
    from wholes_in_words
    group by relation_id
),

worked_out as (
    select * from shares_of_one_whole
    union all
    select * from share_of_whole
    union all
    select * from reduction
    union all
    select * from parts_add_up
    union all
    select * from parts_of_one_whole
)

select
    named.relation_id,
    named.relation_kind,
    named.relation_name,
    named.figure_count,
    worked_out.is_kept,
    worked_out.arithmetic,
    {{ build_id() }} as build_id
from (
    select
        relation_id,
        relation_kind,
        relation_name,
        count(distinct figure_id)::integer as figure_count
    from members
    group by relation_id, relation_kind, relation_name
) as named
-- a kind of relation that nothing works out shows as a row without an answer
left join worked_out on named.relation_id = worked_out.relation_id
