{{ config(meta={
    'meaning': 'The burglary of all London in some month is not what the borough files hold under the heading Burglary, pseudo-boroughs included.',
    'next_step': 'Compare the labels of the files of that month with the seed offence_labels, and the areas with the seed boroughs.',
}) }}

with burglary_labels as (
    select distinct major_category
    from {{ ref('int_mps__labels') }}
    where folded_major = 'burglary'
),

in_files as (
    select
        printed.month,
        sum(printed.offence_count) as offences
    from {{ ref('stg_mps__recorded_crime') }} as printed
    inner join burglary_labels on printed.major_category = burglary_labels.major_category
    where printed.geography_level = 'borough'
    group by printed.month
),

in_mart as (
    select
        month,
        offences_as_recorded as offences
    from {{ ref('burglary_monthly') }}
    where
        geography_type = 'london'
        and burglary_class = 'all'
)

select
    in_files.month as month_of_files,
    in_mart.month as month_of_mart,
    in_files.offences as offences_in_files,
    in_mart.offences as offences_in_mart
from in_files
full outer join in_mart on in_files.month = in_mart.month
where in_files.offences is distinct from in_mart.offences
