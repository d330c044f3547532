with figures as (
    select
        *,
        {{ financial_year('period_to') }} as financial_year
    from {{ ref('plan_figures') }}
),

measures as (
    select * from {{ ref('plan_measure') }}
),

relations_broken as (
    select
        relation_id,
        relation_name || ': ' || arithmetic || '.' as name_and_arithmetic
    from {{ ref('plan_figure_relation') }}
    where not is_kept
),

members as (
    select distinct
        figure_id,
        relation_id
    from {{ ref('plan_figure_relations') }}
),

-- the plan's own arithmetic, where printed figures exclude each other
contradictions as (
    select
        members.figure_id,
        {{ join_in_order('relations_broken.name_and_arithmetic', ' ', 'relations_broken.relation_id') }} as arithmetic
    from members
    inner join relations_broken on members.relation_id = relations_broken.relation_id
    group by members.figure_id
),

compared as (
    select
        figures.*,
        measures.computed_value,
        {{ round_as_printed('measures.computed_value', 'figures.decimals') }} as rounded_value,
        measures.caveat,
        contradictions.arithmetic,
        coalesce(measures.is_simulated, false) as is_simulated
    from figures
    left join measures
        on
            figures.figure_id = measures.figure_id
            and figures.financial_year = measures.financial_year
    left join contradictions on figures.figure_id = contradictions.figure_id
),

-- where nothing is held of the plan's period, the year that comes nearest to it
other_years as (
    select
        compared.figure_id,
        measures.financial_year,
        measures.computed_value,
        row_number() over (
            partition by compared.figure_id
            order by
                abs(left(measures.financial_year, 4)::integer - left(compared.financial_year, 4)::integer),
                measures.financial_year
        ) as nearness
    from compared
    inner join measures on compared.figure_id = measures.figure_id
    where compared.computed_value is null and measures.computed_value is not null
),

judged as (
    select
        compared.*,
        case
            when compared.computed_value is null then 'needs_other_data'
            when compared.rounded_value = compared.published_value then 'reproduced'
            when compared.arithmetic is not null then 'contradictory'
            else 'differs'
        end as status,
        case
            when compared.computed_value is not null
                then
                    'Computed '
                    || case
                        when compared.computed_value <> compared.rounded_value
                            then
                                {{ printed_number('compared.computed_value', 'compared.decimals + 2') }}
                                || ', rounded '
                        else ''
                    end
                    || {{ printed_number('compared.rounded_value', 'compared.decimals') }}
                    || '; the plan prints '
                    || {{ printed_number('compared.published_value', 'compared.decimals') }} || '.'
            else
                'Needs ' || compared.data_needed || '. The warehouse holds none for ' || compared.financial_year
                || coalesce(
                    '; the nearest year that it holds is ' || other_years.financial_year || ', with '
                    || {{ printed_number('other_years.computed_value', 'compared.decimals') }},
                    ''
                )
                || '.'
                || coalesce(' ' || compared.caveat, '')
        end as comparison
    from compared
    left join other_years
        on
            compared.figure_id = other_years.figure_id
            and other_years.nearness = 1
)

select
    figure_id,
    plan_section,
    priority,
    measure_name,
    unit,
    decimals,
    period_from as period_from_date,
    period_to as period_to_date,
    financial_year,
    base_name,
    published_value,
    computed_value,
    rounded_value,
    status,
    comparison || coalesce(
        case
            when status = 'reproduced' then ' Not all of the plan''s own figures fit it, though. '
            else ' The plan''s own figures do not fit each other. '
        end || arithmetic,
        ''
    ) as reason,
    is_simulated,
    {{ build_id() }} as build_id
from judged
