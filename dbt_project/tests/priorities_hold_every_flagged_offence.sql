{{ config(meta={
    'meaning': 'In some month the monthly marts of domestic abuse, hate crime or firearms do not hold all offences that the police flagged so: some were lost or counted twice on the way.',
    'next_step': 'Build anew (`saferkc nightly --full-refresh`). If the difference stays, look for a borough that dim_borough does not know, or for a join that drops or doubles rows in the monthly mart of that priority.',
}) }}

with flagged as (
    select
        monthly.month,
        sum(case when monthly.is_domestic_abuse then monthly.offence_count else 0 end) as domestic_abuse,
        sum(case when monthly.is_hate_crime then monthly.offence_count else 0 end) as hate_crime,
        sum(case when monthly.is_firearm then monthly.offence_count else 0 end) as firearm
    from {{ ref('int_offences__monthly') }} as monthly
    inner join {{ ref('dim_borough') }} as boroughs on monthly.borough_key = boroughs.borough_key
    where
        not boroughs.is_pseudo_borough
        and monthly.borough_key not in ({{ unknown_key() }}, {{ not_applicable_key() }})
        and (monthly.is_domestic_abuse or monthly.is_hate_crime or monthly.is_firearm)
    group by monthly.month
),

in_marts as (
    select
        month,
        'domestic_abuse' as flag,
        offences_as_recorded
    from {{ ref('vawg_monthly') }}
    where
        geography_type = 'borough'
        and vawg_class = 'domestic_abuse'
    union all
    select
        month,
        'hate_crime' as flag,
        offences_as_recorded
    from {{ ref('hate_crime_monthly') }}
    where
        geography_type = 'borough'
        and hate_crime_class = 'hate_crime'
    union all
    select
        month,
        'firearm' as flag,
        offences_as_recorded
    from {{ ref('serious_youth_violence_monthly') }}
    where
        geography_type = 'borough'
        and violence_class = 'firearm'
),

held as (
    select
        month,
        sum(case when flag = 'domestic_abuse' then offences_as_recorded else 0 end) as domestic_abuse,
        sum(case when flag = 'hate_crime' then offences_as_recorded else 0 end) as hate_crime,
        sum(case when flag = 'firearm' then offences_as_recorded else 0 end) as firearm
    from in_marts
    group by month
)

select
    coalesce(flagged.month, held.month) as month,
    flagged.domestic_abuse as domestic_abuse_flagged,
    held.domestic_abuse as domestic_abuse_held,
    flagged.hate_crime as hate_crime_flagged,
    held.hate_crime as hate_crime_held,
    flagged.firearm as firearm_flagged,
    held.firearm as firearm_held
from flagged
full outer join held on flagged.month = held.month
where
    coalesce(flagged.domestic_abuse, 0) <> coalesce(held.domestic_abuse, 0)
    or coalesce(flagged.hate_crime, 0) <> coalesce(held.hate_crime, 0)
    or coalesce(flagged.firearm, 0) <> coalesce(held.firearm, 0)
