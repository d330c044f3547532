{{ config(meta={
    'meaning': 'In some area and month residential burglary and burglary of businesses and community buildings do not add up to all burglary.',
    'next_step': 'If dim_offence holds an unlisted burglary label, list it in the seeds; else look for a fault in int_burglary__monthly_counts.',
}) }}

with classes as (
    select
        geography_type,
        geography_code,
        month,
        sum(case when burglary_class = 'all' then offences_as_recorded else 0 end) as all_burglary,
        sum(case when burglary_class <> 'all' then offences_as_recorded else 0 end) as both_classes
    from {{ ref('burglary_monthly') }}
    group by geography_type, geography_code, month
),

-- a label that is new to us counts in all burglary only; it has a warning of its own
unlisted_months as (
    select distinct crime.month
    from {{ ref('fct_recorded_crime_monthly') }} as crime
    inner join {{ ref('dim_offence') }} as offences on crime.offence_key = offences.offence_key
    where offences.burglary_class = 'unlisted'
)

select classes.*
from classes
left join unlisted_months on classes.month = unlisted_months.month
where
    classes.all_burglary <> classes.both_classes
    and (unlisted_months.month is null or classes.all_burglary < classes.both_classes)
