{{
    config(
        indexes=[
            {'columns': ['borough_code', 'financial_year', 'strand_name'], 'unique': true},
        ],
    )
}}

with police as (
    select
        borough_code,
        financial_year,
        vawg_class,
        sum(offences_as_recorded)::integer as offence_count,
        {{ any_true('is_simulated') }} as is_simulated
    from {{ ref('vawg_monthly') }}
    where geography_type = 'borough'
    group by borough_code, financial_year, vawg_class
),

police_years as (
    select
        borough_code,
        financial_year,
        {{ any_true('is_simulated') }} as is_simulated
    from police
    group by borough_code, financial_year
),

angelou_by_strand as (
    select
        boroughs.borough_code,
        {{ financial_year('referrals.month') }} as financial_year,
        strands.strand_name,
        count(*)::integer as referral_count,
        sum(case when referrals.is_repeat then 1 else 0 end)::integer as repeat_referral_count,
        -- without a token a client is one at least
        count(distinct coalesce(referrals.client_token, referrals.referral_id_angelou))::integer as client_count,
        {{ any_true('referrals.is_simulated') }} as is_simulated
    from {{ ref('fct_vawg_referral') }} as referrals
    inner join {{ ref('bridge_vawg_referral_strand') }} as strands
        on referrals.vawg_referral_key = strands.vawg_referral_key
    inner join {{ ref('dim_borough') }} as boroughs on referrals.borough_key = boroughs.borough_key
    group by boroughs.borough_code, {{ financial_year('referrals.month') }}, strands.strand_name
),

angelou_years as (
    select
        borough_code,
        financial_year,
        {{ any_true('is_simulated') }} as is_simulated
    from angelou_by_strand
    group by borough_code, financial_year
),

financial_years as (
    select
        financial_year,
        min(date) as first_day,
        max(date) as last_day
    from {{ ref('dim_date') }}
    group by financial_year
),

last_known as (
    select last_day
    from {{ ref('int_partner_feeds__newest_months') }}
    where feed = 'rahab_clients'
),

-- a client is supported in every year that a period touches; one without an end goes on at the last extract
rahab as (
    select
        boroughs.borough_code,
        financial_years.financial_year,
        count(distinct periods.client_id_rahab)::integer as client_count,
        {{ any_true('periods.is_simulated') }} as is_simulated
    from {{ ref('fct_support_period') }} as periods
    inner join {{ ref('dim_borough') }} as boroughs on periods.borough_key = boroughs.borough_key
    cross join last_known
    inner join financial_years
        on
            periods.support_from_date <= financial_years.last_day
            and coalesce(periods.support_to_date, last_known.last_day) >= financial_years.first_day
            and last_known.last_day >= financial_years.first_day
    group by boroughs.borough_code, financial_years.financial_year
),

kinds as (
    select
        strand_name,
        police_class,
        is_supported_by_rahab,
        comparison_note
    from {{ ref('vawg_strands') }}
    union all
    -- a strand that is new to us is shown, with nothing of the police beside it
    select distinct
        angelou_by_strand.strand_name,
        null as police_class,
        false as is_supported_by_rahab,
        'The service uses a kind of violence that nobody has laid beside a class of the police yet.' as comparison_note
    from angelou_by_strand
    left join {{ ref('vawg_strands') }} as listed on angelou_by_strand.strand_name = listed.strand_name
    where listed.strand_name is null
),

years as (
    select
        borough_code,
        financial_year
    from police_years
    union
    select
        borough_code,
        financial_year
    from angelou_years
)

select
    boroughs.borough_code,
    boroughs.borough_name,
    years.financial_year,
    kinds.strand_name,
    kinds.police_class,
    -- 0 only in a year of which the police, or the service, delivered anything
    case
        when kinds.police_class is not null and police_years.financial_year is not null
            then coalesce(police.offence_count, 0)
    end as police_recorded_offence_count,
    case when angelou_years.financial_year is not null then coalesce(angelou_by_strand.referral_count, 0) end
        as angelou_referral_count,
    case when angelou_years.financial_year is not null then coalesce(angelou_by_strand.repeat_referral_count, 0) end
        as angelou_repeat_referral_count,
    case when angelou_years.financial_year is not null then coalesce(angelou_by_strand.client_count, 0) end
        as angelou_client_count,
    rahab.client_count as rahab_client_count,
    kinds.comparison_note as caveat,
    coalesce(police_years.is_simulated, false)
    or coalesce(angelou_years.is_simulated, false)
    or coalesce(rahab.is_simulated, false) as is_simulated,
    {{ build_id() }} as build_id
from years
cross join kinds
inner join {{ ref('dim_borough') }} as boroughs on years.borough_code = boroughs.borough_code
left join police_years
    on
        years.borough_code = police_years.borough_code
        and years.financial_year = police_years.financial_year
left join police
    on
        years.borough_code = police.borough_code
        and years.financial_year = police.financial_year
        and kinds.police_class = police.vawg_class
left join angelou_years
    on
        years.borough_code = angelou_years.borough_code
        and years.financial_year = angelou_years.financial_year
left join angelou_by_strand
    on
        years.borough_code = angelou_by_strand.borough_code
        and years.financial_year = angelou_by_strand.financial_year
        and kinds.strand_name = angelou_by_strand.strand_name
left join rahab
    on
        years.borough_code = rahab.borough_code
        and years.financial_year = rahab.financial_year
        and kinds.is_supported_by_rahab
