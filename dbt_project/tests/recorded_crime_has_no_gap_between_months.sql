{{ config(severity='warn', meta={
    'meaning': 'Between two months that the files cover lies a month that none covers. It has no rows, because it is not known, and a year with it is not whole.',
    'next_step': 'Fetch the file of the missing months from the London Datastore and put it into the inbox.',
}) }}

with ends as (
    select
        geography_level,
        min(month) as first_month,
        max(month) as last_month
    from {{ ref('int_mps__coverage') }}
    group by geography_level
),

expected as (
    select
        ends.geography_level,
        dates.month
    from ends
    inner join {{ ref('dim_date') }} as dates
        on
            dates.date = dates.month
            and dates.month between ends.first_month and ends.last_month
)

select expected.*
from expected
left join {{ ref('int_mps__coverage') }} as coverage
    on
        expected.geography_level = coverage.geography_level
        and expected.month = coverage.month
where coverage.month is null
