{{ config(meta={
    'meaning': 'The offences of some month in the fact do not add up to those of the files: cells were lost or counted twice.',
    'next_step': 'Build anew (`saferkc nightly --full-refresh`). If the difference stays, look for a label, area or month that int_mps__offence_of_label, int_mps__boroughs or int_mps__coverage does not hold.',
}) }}

with in_files as (
    select
        geography_level,
        month,
        sum(offence_count) as offences
    from {{ ref('stg_mps__recorded_crime') }}
    group by geography_level, month
),

in_fact as (
    select
        geography_level,
        month,
        sum(offence_count) as offences
    from {{ ref('fct_recorded_crime_monthly') }}
    group by geography_level, month
)

select
    in_files.geography_level as level_of_files,
    in_files.month as month_of_files,
    in_fact.geography_level as level_of_fact,
    in_fact.month as month_of_fact,
    in_files.offences as offences_in_files,
    in_fact.offences as offences_in_fact
from in_files
full outer join in_fact
    on
        in_files.geography_level = in_fact.geography_level
        and in_files.month = in_fact.month
where in_files.offences is distinct from in_fact.offences
