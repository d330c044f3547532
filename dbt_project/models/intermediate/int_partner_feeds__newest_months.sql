-- A partner's extract holds what is new or has changed up to its day, which is its period; a published file covers
-- whole months.
with last_days as (
    select
        feed,
        max(case when feed = 'mps_other_crime' then {{ last_of_month('period') }} else period end) as last_day
    from {{ source('quality', 'delivery_coverage') }}
    where
        is_current
        and feed in (
            'police_offences', 'police_victims', 'police_accused', 'police_outcomes', 'police_asb_incidents',
            'angelou_referrals', 'rahab_clients', 'tmo_asb_cases', 'council_enforcement_actions',
            'mps_other_crime'
        )
    group by feed
)

select
    feed,
    last_day,
    {{ first_of_month('last_day') }} as newest_month,
    -- a month is whole when the extract of its last day was delivered
    {{ newest_whole_month('last_day') }} as newest_whole_month
from last_days
