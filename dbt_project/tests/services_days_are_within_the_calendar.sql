{{ config(severity='warn', meta={
    'meaning': 'Calls, cases, actions, referrals or periods of support have a day before 2006 or after 2027. They are in the facts, and in no monthly or yearly figure.',
    'next_step': 'A slip of the pen: ask the agency to put the day right. If the day is true, let dim_date begin or end with it.',
}) }}

{% for fact, day in {
    'fct_asb_incident': 'reported_date',
    'fct_asb_case': 'opened_date',
    'fct_enforcement_action': 'action_date',
    'fct_vawg_referral': 'referred_date',
    'fct_support_period': 'support_from_date',
}.items() -%}
select
    '{{ fact }}' as fact,
    {{ day }} as day,
    count(*) as records
from {{ ref(fact) }}
where {{ day }}_key = 0
group by {{ day }}
{{ 'union all' if not loop.last }}
{% endfor %}
