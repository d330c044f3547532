{{ config(meta={
    'meaning': 'A fact of calls, cases, actions, referrals or periods of support, or a bridge of theirs, holds more or fewer records of some month than the agency\'s current ones: a month was not built again, or records were lost or doubled on the way.',
    'next_step': 'Build anew (`saferkc nightly --full-refresh`). If the difference stays, look for a join that drops or doubles records.',
}) }}

with in_feeds as (
    {% for feed in [
        'stg_police__asb_incidents', 'stg_tmo__asb_cases', 'stg_council__enforcement_actions',
        'stg_angelou__referrals', 'stg_rahab__clients',
    ] -%}
    select
        '{{ feed }}' as feed,
        period as month,
        count(*) as records
    from {{ ref(feed) }}
    group by period
    union all
    {% endfor -%}
    {% for feed, list in {
        'stg_tmo__asb_cases': 'categories', 'stg_angelou__referrals': 'strands', 'stg_rahab__clients': 'needs',
    }.items() -%}
    select
        '{{ feed }}: {{ list }}' as feed,
        -- of all months
        '1900-01-01'::date as month,
        sum({{ length_of_list(list) }}) as records
    from {{ ref(feed) }}
    having count(*) > 0
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

in_facts as (
    {% for feed, fact in {
        'stg_police__asb_incidents': 'fct_asb_incident',
        'stg_tmo__asb_cases': 'fct_asb_case',
        'stg_council__enforcement_actions': 'fct_enforcement_action',
        'stg_angelou__referrals': 'fct_vawg_referral',
        'stg_rahab__clients': 'fct_support_period',
    }.items() -%}
    select
        '{{ feed }}' as feed,
        month,
        count(*) as records
    from {{ ref(fact) }}
    group by month
    union all
    {% endfor -%}
    {% for feed, bridge in {
        'stg_tmo__asb_cases: categories': 'bridge_asb_case_category',
        'stg_angelou__referrals: strands': 'bridge_vawg_referral_strand',
        'stg_rahab__clients: needs': 'bridge_support_period_need',
    }.items() -%}
    select
        '{{ feed }}' as feed,
        -- of all months
        '1900-01-01'::date as month,
        count(*) as records
    from {{ ref(bridge) }}
    having count(*) > 0
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    coalesce(in_feeds.feed, in_facts.feed) as feed,
    coalesce(in_feeds.month, in_facts.month) as month,
    in_feeds.records as records_in_feed,
    in_facts.records as records_in_fact
from in_feeds
full outer join in_facts
    on
        in_feeds.feed = in_facts.feed
        and in_feeds.month = in_facts.month
where in_feeds.records is distinct from in_facts.records
