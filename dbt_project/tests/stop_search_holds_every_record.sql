{{ config(meta={
    'meaning': 'The fact holds more or fewer records of some month than were published: a month was not built again, or records were lost on the way.',
    'next_step': 'Build anew (`saferkc nightly --full-refresh`). If the difference stays, look for a join that drops or doubles records.',
}) }}

with published as (
    select
        period as month,
        count(*) as records
    from {{ ref('stg_police_open__stop_search') }}
    group by period
),

in_fact as (
    select
        month,
        count(*) as records
    from {{ ref('fct_stop_search') }}
    group by month
)

select
    published.month as month_published,
    in_fact.month as month_of_fact,
    published.records as records_published,
    in_fact.records as records_in_fact
from published
full outer join in_fact on published.month = in_fact.month
where published.records is distinct from in_fact.records
