{{
    config(
        indexes=[
            {'columns': ['offence_class', 'financial_year'], 'unique': true},
        ],
    )
}}

with published as (
    select * from {{ ref('mopac_local_london_financial_year') }}
),

own_records as (
    select
        offence_type as offence_class,
        financial_year,
        offence_count
    from {{ ref('offences_by_type_financial_year') }}
    where {{ is_home_borough() }} and months_covered = 12
),

compared as (
    select
        here.offence_class,
        here.financial_year,
        own_records.offence_count as police_offence_count,
        here.offence_count as mps_offence_count,
        here.offence_count::numeric / nullif(own_records.offence_count, 0) - 1 as difference_share,
        -- The published files and the police's extracts of this borough differ by half a per cent to two per cent in
        -- 2016/17, as two vintages do. Where they differ by more than 5 they are not the same count, and what the
        -- files say of other boroughs can't be laid beside what the extracts say of this one.
        coalesce(abs(here.offence_count::numeric / nullif(own_records.offence_count, 0) - 1) <= 0.05, true)
            as is_same_count,
        here.offences_per_1000_residents as mps_offences_per_1000_residents,
        here.rank_by_rate,
        here.areas_ranked,
        here.non_domestic_share,
        london.non_domestic_share as london_non_domestic_share,
        here.is_simulated or london.is_simulated as is_simulated
    from published as here
    inner join published as london
        on
            here.offence_class = london.offence_class
            and here.financial_year = london.financial_year
            and london.geography_type = 'london'
    left join own_records
        on
            here.offence_class = own_records.offence_class
            and here.financial_year = own_records.financial_year
    where
        here.geography_type = 'borough'
        and here.geography_code = '{{ var('home_borough_code') }}'
        and here.months_covered = 12
)

select
    offence_class,
    financial_year,
    police_offence_count,
    mps_offence_count,
    difference_share,
    is_same_count,
    mps_offences_per_1000_residents,
    rank_by_rate as rank_by_rate_as_published,
    case when is_same_count then rank_by_rate end as rank_by_rate_comparable,
    areas_ranked,
    non_domestic_share as non_domestic_share_as_published,
    london_non_domestic_share as london_non_domestic_share_as_published,
    case when is_same_count then london_non_domestic_share end as london_non_domestic_share_comparable,
    case
        when not is_same_count
            then
                'The published files have ' || {{ printed_number('mps_offence_count', 0) }}
                || ' offences here and the police extracts '
                || {{ printed_number('police_offence_count', 0) }}
                || ': they do not count the same, so the borough has no place among others.'
    end as caveat,
    is_simulated,
    {{ build_id() }} as build_id
from compared
