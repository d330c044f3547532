{{ config(severity='warn', meta={
    'meaning': 'A borough that the Metropolitan Police serves has no figures in a month that a file covers. It is not known there, not 0, and the total of London is too low.',
    'next_step': 'Ask the publisher; the file is incomplete, or spells the borough in a way that the seed borough_spellings does not hold.',
}) }}

with months as (
    select month
    from {{ ref('int_mps__coverage') }}
    where geography_level = 'borough'
),

published as (
    select distinct
        month,
        borough_key
    from {{ ref('fct_recorded_crime_monthly') }}
    where geography_level = 'borough'
)

select
    months.month,
    boroughs.borough_name
from months
cross join {{ ref('dim_borough') }} as boroughs
left join published on months.month = published.month and boroughs.borough_key = published.borough_key
where
    boroughs.police_force_name = 'Metropolitan Police Service'
    and not boroughs.is_pseudo_borough
    and published.borough_key is null
