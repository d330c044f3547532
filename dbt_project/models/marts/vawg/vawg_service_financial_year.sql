{{
    config(
        indexes=[
            {'columns': ['borough_code', 'financial_year'], 'unique': true},
        ],
    )
}}

{%- set strands = {
    'Domestic abuse': 'angelou_domestic_abuse',
    'Sexual violence': 'angelou_sexual_violence',
    'Stalking and harassment': 'angelou_stalking_harassment',
    'Harmful practices': 'angelou_harmful_practices',
    'Child sexual exploitation': 'angelou_child_sexual_exploitation',
    'Trafficking and prostitution': 'angelou_trafficking_prostitution',
    'Sexual exploitation': 'angelou_sexual_exploitation',
} -%}

with strands_of_referrals as (
    select
        vawg_referral_key,
        {% for strand, name in strands.items() -%}
        {{ any_true("strand_name = '" ~ strand ~ "'") }} as is_{{ name }},
        {% endfor -%}
        {{ any_true("strand_name not in ('" ~ strands.keys() | join("', '") ~ "')") }} as is_angelou_other
    from {{ ref('bridge_vawg_referral_strand') }}
    group by vawg_referral_key
),

referrals as (
    select
        facts.*,
        {% for name in strands.values() -%}
        strands.is_{{ name }},
        {% endfor -%}
        strands.is_angelou_other,
        {{ financial_year('facts.month') }} as financial_year,
        -- without a token a client is one at least
        coalesce(facts.client_token, facts.referral_id_angelou) as client,
        facts.support_from_date is not null as is_supported
    from {{ ref('fct_vawg_referral') }} as facts
    inner join strands_of_referrals as strands on facts.vawg_referral_key = strands.vawg_referral_key
),

angelou as (
    select
        borough_key,
        financial_year,
        count(*)::integer as angelou_referrals,
        count(distinct client)::integer as angelou_clients,
        {{ count_where('is_repeat') }} as angelou_repeat_referrals,
        {{ share_where('is_repeat') }} as angelou_repeat_share,
        {{ count_where('is_repeat_by_token') }} as angelou_repeat_referrals_by_token,
        {% for name in strands.values() -%}
        {{ count_where('is_' ~ name) }} as {{ name }},
        {% endfor -%}
        {{ count_where('is_angelou_other') }} as angelou_other_strand,
        {{ count_where("referral_source = 'Police'") }} as angelou_from_police,
        {{ count_where("referral_source = 'Self'") }} as angelou_from_survivors,
        {{ count_where('is_supported') }} as angelou_referrals_supported,
        count(distinct case when sex_name = 'Male' and is_supported then client end)::integer as angelou_male_victims,
        count(
            distinct case
                when
                    (is_angelou_trafficking_prostitution or is_angelou_sexual_exploitation) and is_supported
                    then client
            end
        )::integer as angelou_exploitation_supported,
        {{ any_true('is_simulated') }} as is_simulated
    from referrals
    where borough_key not in ({{ unknown_key() }}, {{ not_applicable_key() }})
    group by borough_key, financial_year
),

newest as (
    select last_day
    from {{ ref('int_partner_feeds__newest_months') }}
    where feed = 'rahab_clients'
),

years as (
    select
        financial_year,
        min(date) as first_day,
        max(date) as last_day
    from {{ ref('dim_date') }}
    group by financial_year
),

needs as (
    select
        support_period_key,
        {{ any_true("need_name = 'Trafficked for sexual exploitation'") }} as is_trafficked,
        {{ any_true("need_name = 'Sex work'") }} as is_sex_work
    from {{ ref('bridge_support_period_need') }}
    group by support_period_key
),

-- a client is supported in every year that a period touches, whenever it began
rahab as (
    select
        periods.borough_key,
        years.financial_year,
        count(distinct periods.client_id_rahab)::integer as rahab_clients,
        count(
            distinct case when periods.support_from_date >= years.first_day then periods.client_id_rahab end
        )::integer as rahab_clients_whose_support_began,
        count(distinct case when needs.is_trafficked then periods.client_id_rahab end)::integer
            as rahab_clients_trafficked,
        count(distinct case when needs.is_sex_work then periods.client_id_rahab end)::integer
            as rahab_clients_in_sex_work,
        {{ any_true('periods.is_simulated') }} as is_simulated
    from {{ ref('fct_support_period') }} as periods
    left join needs on periods.support_period_key = needs.support_period_key
    cross join newest
    inner join years
        on
            periods.support_from_date <= years.last_day
            and coalesce(periods.support_to_date, newest.last_day) >= years.first_day
            and newest.last_day >= years.first_day
    group by periods.borough_key, years.financial_year
),

borough_years as (
    select
        borough_key,
        financial_year
    from angelou
    union
    select
        borough_key,
        financial_year
    from rahab
)

select
    boroughs.borough_code,
    boroughs.borough_name,
    borough_years.financial_year,
    {% for column in [
        'angelou_referrals', 'angelou_clients', 'angelou_repeat_referrals', 'angelou_repeat_share',
        'angelou_repeat_referrals_by_token',
    ] + strands.values() | list + [
        'angelou_other_strand', 'angelou_from_police', 'angelou_from_survivors', 'angelou_referrals_supported',
        'angelou_male_victims', 'angelou_exploitation_supported',
    ] -%}
    angelou.{{ column }},
    {% endfor -%}
    rahab.rahab_clients,
    rahab.rahab_clients_whose_support_began,
    rahab.rahab_clients_trafficked,
    rahab.rahab_clients_in_sex_work,
    coalesce(angelou.is_simulated, false) or coalesce(rahab.is_simulated, false) as is_simulated,
    {{ build_id() }} as build_id
from borough_years
inner join {{ ref('dim_borough') }} as boroughs on borough_years.borough_key = boroughs.borough_key
left join angelou
    on
        borough_years.borough_key = angelou.borough_key
        and borough_years.financial_year = angelou.financial_year
left join rahab
    on
        borough_years.borough_key = rahab.borough_key
        and borough_years.financial_year = rahab.financial_year
