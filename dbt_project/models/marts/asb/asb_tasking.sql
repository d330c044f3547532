{{
    config(
        indexes=[
            {'columns': ['tasking_id_council', 'borough_code', 'ward_code'], 'unique': true},
            {'columns': ['first_action_date']},
        ],
    )
}}

with actions as (
    select * from {{ ref('fct_enforcement_action') }}
    where tasking_id_council is not null
),

-- a tasking has no dates of its own in the feed: they are those of the actions that answer it
taskings as (
    select
        tasking_id_council,
        borough_key,
        min(action_date) as first_action_date,
        max(action_date) as last_action_date,
        count(*) as actions
    from actions
    group by tasking_id_council, borough_key
),

by_ward as (
    select
        tasking_id_council,
        borough_key,
        ward_key,
        count(*)::integer as actions,
        {{ count_where("power_used = 'Patrol tasking'") }} as patrols,
        {{ count_where("power_used = 'Dispersal'") }} as dispersals,
        {{ count_where("power_used = 'Community protection warning'") }} as community_protection_warnings,
        {{ count_where("power_used = 'Community protection notice'") }} as community_protection_notices,
        {{ any_true('is_simulated') }} as is_simulated
    from actions
    group by tasking_id_council, borough_key, ward_key
),

calls_by_day as (
    select
        ward_key,
        borough_key,
        reported_date,
        count(*)::integer as calls
    from {{ ref('fct_asb_incident') }}
    -- the team began years after the calls
    where month >= (select {{ first_of_month('min(taskings.first_action_date) - 14') }} from taskings)
    group by ward_key, borough_key, reported_date
),

calls_before as (
    select
        taskings.tasking_id_council,
        taskings.borough_key,
        calls_by_day.ward_key,
        sum(calls_by_day.calls)::integer as calls
    from taskings
    inner join calls_by_day
        on
            taskings.borough_key = calls_by_day.borough_key
            and calls_by_day.reported_date between taskings.first_action_date - 14 and taskings.first_action_date - 1
    group by taskings.tasking_id_council, taskings.borough_key, calls_by_day.ward_key
),

calls_before_in_borough as (
    select
        tasking_id_council,
        borough_key,
        sum(calls)::integer as calls
    from calls_before
    group by tasking_id_council, borough_key
)

select
    by_ward.tasking_id_council,
    taskings.first_action_date,
    taskings.last_action_date,
    boroughs.borough_code,
    boroughs.borough_name,
    wards.ward_code,
    wards.ward_name,
    by_ward.actions,
    by_ward.patrols,
    by_ward.dispersals,
    by_ward.community_protection_warnings,
    by_ward.community_protection_notices,
    (by_ward.actions::numeric / taskings.actions)::numeric(7, 6) as actions_share,
    coalesce(calls_before.calls, 0) as police_calls_14_days_before,
    (coalesce(calls_before.calls, 0)::numeric / calls_before_in_borough.calls)::numeric(7, 6)
        as police_calls_14_days_before_share,
    by_ward.is_simulated,
    {{ build_id() }} as build_id
from by_ward
inner join taskings
    on
        by_ward.tasking_id_council = taskings.tasking_id_council
        and by_ward.borough_key = taskings.borough_key
left join {{ ref('dim_borough') }} as boroughs on by_ward.borough_key = boroughs.borough_key
left join {{ ref('dim_ward') }} as wards on by_ward.ward_key = wards.ward_key
left join calls_before
    on
        by_ward.tasking_id_council = calls_before.tasking_id_council
        and by_ward.borough_key = calls_before.borough_key
        and by_ward.ward_key = calls_before.ward_key
left join calls_before_in_borough
    on
        by_ward.tasking_id_council = calls_before_in_borough.tasking_id_council
        and by_ward.borough_key = calls_before_in_borough.borough_key
