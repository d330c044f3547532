-- Facts of calls, cases and enforcement, written by hand against raw. Referrals and periods of support are a few
-- thousand rows at any scale and left to dbt.

create table fct_asb_incident as
select
    ('x' || left(md5(r.incident_id_police), 16))::bit(64)::bigint as asb_incident_key,
    r.incident_id_police,
    r.reported_at at time zone 'Europe/London' as reported_local_at,
    (r.reported_at at time zone 'Europe/London')::date as reported_date,
    to_char(r.reported_at at time zone 'Europe/London', 'YYYYMMDD')::integer as reported_date_key,
    extract(hour from r.reported_at at time zone 'Europe/London')::integer + 1 as reported_time_band_key,
    r.period as month,
    r.asb_type,
    coalesce(t.asb_type_comparable, 'Not known') as asb_type_comparable,
    coalesce(nullif(w.borough_key, 0), home.borough_key) as borough_key,
    coalesce(w.ward_key, 0) as ward_key,
    coalesce(l.lsoa_key, 0) as lsoa_key,
    coalesce(p.location_type_key, 0) as location_type_key,
    r.caller_token,
    r.premises_token,
    r.address_token,
    r.is_vulnerable_caller,
    r.delivery_id
from raw.police_asb_incidents as r
cross join (select borough_key from build_core.dim_borough where borough_code = 'E09000020') as home
left join seeds.asb_types as t on t.asb_type = r.asb_type
left join build_core.dim_ward as w on w.ward_code = r.ward_code
left join build_core.dim_lsoa as l on l.lsoa_code = r.lsoa_code
left join build_core.dim_location_type as p on p.location_type_name = r.location_type
where r.withdrawn_delivery_id is null;

create unique index on fct_asb_incident (asb_incident_key);
create index on fct_asb_incident (month, ward_key);
create index on fct_asb_incident (caller_token);
analyze fct_asb_incident;

create table fct_asb_case as
select
    ('x' || left(md5(r.case_id_tmo), 16))::bit(64)::bigint as asb_case_key,
    r.case_id_tmo,
    r.priority_code,
    r.stage_name,
    r.opened_date,
    r.period as month,
    r.assessed_date,
    r.action_date,
    r.monitoring_date,
    r.closed_date,
    r.closed_date - r.opened_date as days_open,
    r.assessed_date - r.opened_date as days_to_assessment,
    r.closed_date is null as is_open,
    r.closing_reason,
    r.estate_name,
    coalesce(nullif(w.borough_key, 0), home.borough_key) as borough_key,
    coalesce(w.ward_key, 0) as ward_key,
    r.premises_token,
    r.house_token,
    r.complainant_token,
    r.subject_token,
    r.is_vulnerable_complainant,
    coalesce(a.agency_key, 0) as agency_key,
    r.delivery_id
from raw.tmo_asb_cases as r
cross join (select borough_key from build_core.dim_borough where borough_code = 'E09000020') as home
left join build_core.dim_ward as w on w.ward_code = r.ward_code
left join build_core.dim_agency as a
    on a.agency_code = 'housing_management'
    and r.opened_date between a.valid_from and coalesce(a.valid_to, 'infinity')
where r.withdrawn_delivery_id is null;

create unique index on fct_asb_case (asb_case_key);
create index on fct_asb_case (month, ward_key);
analyze fct_asb_case;

create table bridge_asb_case_category as
select distinct
    ('x' || left(md5(r.case_id_tmo), 16))::bit(64)::bigint as asb_case_key,
    unnest(string_to_array(r.categories, '|')) as category_name
from raw.tmo_asb_cases as r
where r.withdrawn_delivery_id is null;

create unique index on bridge_asb_case_category (asb_case_key, category_name);
analyze bridge_asb_case_category;

create table fct_enforcement_action as
select
    ('x' || left(md5(r.action_id_council), 16))::bit(64)::bigint as enforcement_action_key,
    r.action_id_council,
    r.service_name,
    r.power_used,
    r.action_at at time zone 'Europe/London' as action_local_at,
    (r.action_at at time zone 'Europe/London')::date as action_date,
    to_char(r.action_at at time zone 'Europe/London', 'YYYYMMDD')::integer as action_date_key,
    extract(hour from r.action_at at time zone 'Europe/London')::integer + 1 as action_time_band_key,
    date_trunc('month', r.action_at at time zone 'Europe/London')::date as month,
    r.tasking_id_council,
    coalesce(nullif(w.borough_key, 0), home.borough_key) as borough_key,
    coalesce(w.ward_key, 0) as ward_key,
    coalesce(l.lsoa_key, 0) as lsoa_key,
    coalesce(p.location_type_key, 0) as location_type_key,
    r.premises_token,
    r.address_token,
    r.subject_type,
    r.subject_token,
    r.outcome_name,
    r.outcome_date,
    r.penalty_gbp::numeric(10, 2) as penalty_gbp,
    coalesce(a.agency_key, 0) as agency_key,
    r.delivery_id
from raw.council_enforcement_actions as r
cross join (select borough_key from build_core.dim_borough where borough_code = 'E09000020') as home
left join build_core.dim_ward as w on w.ward_code = r.ward_code
left join build_core.dim_lsoa as l on l.lsoa_code = r.lsoa_code
left join build_core.dim_location_type as p on p.location_type_name = r.location_type
left join build_core.dim_agency as a
    on a.name_in_feed = r.service_name
    and (r.action_at at time zone 'Europe/London')::date between a.valid_from and coalesce(a.valid_to, 'infinity')
where r.withdrawn_delivery_id is null;

create unique index on fct_enforcement_action (enforcement_action_key);
create index on fct_enforcement_action (month, ward_key);
create index on fct_enforcement_action (tasking_id_council);
analyze fct_enforcement_action;

create table int_asb__monthly_counts as
select
    feed,
    asb_class,
    power_used,
    month,
    borough_key,
    ward_key,
    count(*)::integer as record_count,
    (count(*) filter (where is_vulnerable))::integer as vulnerable_count,
    sum(penalty_gbp) as penalties_gbp
from (
    select
        'police_asb_incidents' as feed,
        'police_' || replace(lower(asb_type_comparable), ' ', '_') as asb_class,
        null as power_used,
        month, borough_key, ward_key, is_vulnerable_caller as is_vulnerable, null::numeric as penalty_gbp
    from fct_asb_incident
    union all
    select
        'tmo_asb_cases', 'landlord_priority_' || coalesce(lower(priority_code), 'not_known'), null,
        month, borough_key, ward_key, is_vulnerable_complainant, null
    from fct_asb_case
    union all
    select
        'council_enforcement_actions', coalesce(a.agency_code, 'council_unlisted'), f.power_used,
        f.month, f.borough_key, f.ward_key, null, f.penalty_gbp
    from fct_enforcement_action as f
    left join build_core.dim_agency as a on a.agency_key = f.agency_key and a.agency_key <> 0
) as r
group by 1, 2, 3, 4, 5, 6;

analyze int_asb__monthly_counts;

create table asb_repeat_location as
with records as (
    select 'police' as agency, premises_token, address_token, reported_date as seen_date, month, borough_key, ward_key
    from fct_asb_incident
    where premises_token is not null or address_token is not null
    union all
    select 'landlord', premises_token, null, opened_date, month, borough_key, ward_key
    from fct_asb_case
    where premises_token is not null
    union all
    select 'council', premises_token, address_token, action_date, month, borough_key, ward_key
    from fct_enforcement_action
    where premises_token is not null or address_token is not null
),

of_year as (
    select r.*, d.financial_year
    from records as r
    join build_core.dim_date as d on d.date = r.month
),

addresses as (
    select financial_year, address_token, min(premises_token) as premises_token
    from of_year
    where address_token is not null and premises_token is not null
    group by 1, 2
    having min(premises_token) = max(premises_token)
),

places as (
    select
        coalesce(r.premises_token, a.premises_token, r.address_token) as place_token,
        r.financial_year,
        min(r.borough_key) as borough_key,
        min(r.ward_key) as ward_key,
        count(*)::integer as records,
        (count(*) filter (where r.agency = 'police'))::integer as police_calls,
        (count(*) filter (where r.agency = 'landlord'))::integer as landlord_cases,
        (count(*) filter (where r.agency = 'council'))::integer as council_actions,
        count(distinct r.agency)::integer as agencies,
        min(r.seen_date) as first_seen_date,
        max(r.seen_date) as last_seen_date
    from of_year as r
    left join addresses as a
        on r.premises_token is null and a.financial_year = r.financial_year and a.address_token = r.address_token
    group by 1, 2
    having count(*) >= 2
)

select
    p.place_token, p.financial_year, b.borough_code, w.ward_code, p.records, p.police_calls, p.landlord_cases,
    p.council_actions, p.agencies, p.agencies >= 2 as is_seen_by_several_agencies, p.first_seen_date, p.last_seen_date
from places as p
left join build_core.dim_borough as b on b.borough_key = p.borough_key
left join build_core.dim_ward as w on w.ward_key = p.ward_key;

create unique index on asb_repeat_location (place_token, financial_year);
create index on asb_repeat_location (financial_year, borough_code);
analyze asb_repeat_location;
