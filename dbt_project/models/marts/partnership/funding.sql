with grants as (
    select * from {{ ref('funding_grants') }}
),

agreements as (
    select
        fund_name,
        agreement_name,
        min(financial_year) as first_year,
        max(financial_year) as last_year,
        sum(allocation_gbp) as agreed_gbp,
        count(*) as years_agreed
    from grants
    group by fund_name, agreement_name
),

agreements_in_turn as (
    select
        agreements.*,
        lag(grants.allocation_gbp) over (partition by agreements.fund_name order by agreements.first_year)
            as allocation_before_gbp
    from agreements
    inner join grants
        on
            agreements.fund_name = grants.fund_name
            and agreements.last_year = grants.financial_year
),

spread as (
    select
        grants.*,
        agreements_in_turn.allocation_before_gbp,
        -- whole pounds: what is shared out must not be more than what was granted
        floor(agreements_in_turn.agreed_gbp / agreements_in_turn.years_agreed)::integer as even_share_gbp
    from grants
    inner join agreements_in_turn
        on
            grants.fund_name = agreements_in_turn.fund_name
            and grants.agreement_name = agreements_in_turn.agreement_name
)

select
    fund_name,
    financial_year,
    agreement_name,
    allocation_gbp,
    even_share_gbp,
    allocation_before_gbp,
    1 - allocation_gbp::numeric / allocation_before_gbp as allocation_reduction_share,
    1 - even_share_gbp::numeric / allocation_before_gbp as even_share_reduction_share,
    is_printed as is_printed_in_plan,
    source as source_name,
    {{ build_id() }} as build_id
from spread
