{{ config(meta={
    'meaning': 'The victims or accused of some year, told apart by sex, age or another characteristic, are more or fewer than all of them: people were lost or counted twice.',
    'next_step': 'Look in the distribution that is named for a value without a name, and in its model for a join that drops or doubles rows.',
}) }}

with people as (
    select
        'vawg_people_financial_year' as distribution,
        borough_code || ', ' || financial_year || ', ' || role || ', ' || vawg_class as people_of,
        characteristic,
        people_count
    from {{ ref('vawg_people_financial_year') }}
    union all
    select
        'hate_crime_people_financial_year' as distribution,
        borough_code || ', ' || financial_year || ', ' || role as people_of,
        characteristic,
        people_count
    from {{ ref('hate_crime_people_financial_year') }}
    union all
    select
        'serious_youth_violence_people_financial_year' as distribution,
        borough_code || ', ' || financial_year || ', ' || role || ', ' || violence_class as people_of,
        characteristic,
        people_count
    from {{ ref('serious_youth_violence_people_financial_year') }}
),

counted as (
    select
        distribution,
        people_of,
        characteristic,
        sum(people_count) as people_count
    from people
    group by distribution, people_of, characteristic
)

select parts.*
from counted as parts
left join counted as whole
    on
        parts.distribution = whole.distribution
        and parts.people_of = whole.people_of
        and whole.characteristic = 'all'
where whole.people_count is distinct from parts.people_count
