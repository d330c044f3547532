{{ config(meta={
    'meaning': 'A fact of calls, cases, actions, referrals or periods of support, or a bridge of theirs, lacks a record as the agency last sent it, or holds one that it has withdrawn.',
    'next_step': 'Build anew (`saferkc nightly --full-refresh`). If the difference stays, look for a join that drops or doubles records.',
}) }}

-- large feeds: what changed since the last published build, record by record
with
{% for feed, id, fact in [
    ('police_asb_incidents', 'incident_id_police', 'fct_asb_incident'),
    ('tmo_asb_cases', 'case_id_tmo', 'fct_asb_case'),
    ('council_enforcement_actions', 'action_id_council', 'fct_enforcement_action'),
] -%}
changed_{{ fact }} as (
    select
        '{{ fact }}' as relation,
        count(*) as records
    from ({{ records_to_test(feed, [id]) }}) as changed
    left join {{ ref('stg_' ~ feed.replace('_', '__', 1)) }} as current_record
        on changed.record_key = current_record.record_key
    left join {{ ref(fact) }} as facts
        on {{ surrogate_key(['changed.' ~ id]) }} = facts.{{ fact.removeprefix('fct_') }}_key
    where current_record.delivery_id is distinct from facts.delivery_id
),

{% endfor -%}

-- small ones and lists: how many they are
{% for feed, list, relation in [
    ('stg_angelou__referrals', none, 'fct_vawg_referral'),
    ('stg_rahab__clients', none, 'fct_support_period'),
    ('stg_tmo__asb_cases', 'categories', 'bridge_asb_case_category'),
    ('stg_angelou__referrals', 'strands', 'bridge_vawg_referral_strand'),
    ('stg_rahab__clients', 'needs', 'bridge_support_period_need'),
] -%}
changed_{{ relation }} as (
    select
        '{{ relation }}' as relation,
        coalesce(sum({{ length_of_list(list) if list else 1 }}), 0)
        - (select count(*) from {{ ref(relation) }}) as records
    from {{ ref(feed) }}
),

{% endfor -%}

all_of_them as (
    {% for relation in [
        'fct_asb_incident', 'fct_asb_case', 'fct_enforcement_action', 'fct_vawg_referral', 'fct_support_period',
        'bridge_asb_case_category', 'bridge_vawg_referral_strand', 'bridge_support_period_need',
    ] -%}
    select * from changed_{{ relation }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select *
from all_of_them
where records <> 0
