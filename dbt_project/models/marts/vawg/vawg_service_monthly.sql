{{
    config(
        indexes=[
            {'columns': ['geography_type', 'geography_code', 'service_class', 'month'], 'unique': true},
            {'columns': ['borough_code', 'month']},
        ],
    )
}}

with referrals as (
    select * from {{ ref('fct_vawg_referral') }}
),

-- a referral counts in all of them, among the repeats, and under each kind of abuse that it is for
referrals_by_class as (
    select
        'angelou_all' as service_class,
        true as is_parent,
        month,
        borough_key,
        ward_key,
        is_simulated
    from referrals
    union all
    select
        'angelou_repeat' as service_class,
        false as is_parent,
        month,
        borough_key,
        ward_key,
        is_simulated
    from referrals
    where is_repeat
    union all
    select
        'angelou_' || replace({{ fold_label('strands.strand_name') }}, ' ', '_') as service_class,
        false as is_parent,
        referrals.month,
        referrals.borough_key,
        referrals.ward_key,
        referrals.is_simulated
    from referrals
    inner join {{ ref('bridge_vawg_referral_strand') }} as strands
        on referrals.vawg_referral_key = strands.vawg_referral_key
),

referral_areas as (
    {{ area_levels('referrals_by_class', keep=['service_class', 'is_parent', 'month', 'is_simulated']) }}
),

referrals_summed as (
    select
        {{ area_columns() | join(', ') }},
        service_class,
        is_parent,
        month,
        count(*)::integer as records_as_recorded,
        {{ any_true('is_simulated') }} as is_simulated
    from referral_areas
    group by {{ area_columns() | join(', ') }}, service_class, is_parent, month
),

newest as (
    select last_day
    from {{ ref('int_partner_feeds__newest_months') }}
    where feed = 'rahab_clients'
),

months as (
    select distinct
        dates.month,
        {{ last_of_month('dates.month') }} as last_day
    from {{ ref('dim_date') }} as dates
),

-- a client is supported in every month that a period touches; a period without an end goes on at the last extract
supported as (
    select distinct
        months.month,
        periods.client_id_rahab,
        periods.borough_key,
        {{ unknown_key() }} as ward_key,
        periods.is_simulated
    from {{ ref('fct_support_period') }} as periods
    cross join newest
    inner join months
        on
            periods.support_from_date <= months.last_day
            and coalesce(periods.support_to_date, newest.last_day) >= months.month
            and newest.last_day >= months.month
),

supported_areas as (
    {{ area_levels('supported', keep=['month', 'is_simulated']) }}
),

supported_summed as (
    select
        {{ area_columns() | join(', ') }},
        'rahab_clients_supported' as service_class,
        true as is_parent,
        month,
        count(*)::integer as records_as_recorded,
        {{ any_true('is_simulated') }} as is_simulated
    from supported_areas
    group by {{ area_columns() | join(', ') }}, month
),

every_month as (
    {{ every_month('referrals_summed', ['service_class', 'is_parent'], 'records', 'angelou_referrals') }}
    union all
    {{ every_month('supported_summed', ['service_class', 'is_parent'], 'records', 'rahab_clients') }}
),

counts as (
    select
        *,
        case when feed = 'angelou_referrals' then 'vawg_referrals' else 'support' end as series,
        case when feed = 'angelou_referrals' then 'Angelou Partnership' else 'Rahab' end as service_name
    from every_month
),

{{ compare_months(
    class_column='service_class',
    measure='records',
    subject='what services see',
    also=['service_name'],
) }}
