-- Monthly counts of each priority, written by hand: every area, class and month, with 0 where nothing was counted.
-- The words that say how far a month may be compared are left to dbt; here are the counts.

create table newest as
select feed, date_trunc('month', max(period))::date as month
from quality.delivery_coverage
where is_current
group by feed;

create table total_offences_monthly as
with counted as (
    select m.borough_key, m.ward_key, m.month, c.offence_class, sum(m.offence_count) as n
    from int_offences__monthly as m
    join build_core.dim_offence as o on o.offence_key = m.offence_key
    cross join lateral (values ('all', true), ('without_fraud', not coalesce(o.is_fraud, false))) as c (offence_class, counts)
    where coalesce(o.is_notifiable, true) and c.counts
    group by 1, 2, 3, 4
),

found as (
    select 'borough' as geography_type, b.borough_code as geography_code, n.month, n.offence_class, sum(n.n) as n
    from counted as n
    join build_core.dim_borough as b on b.borough_key = n.borough_key and not b.is_pseudo_borough
    where n.borough_key not in (0, -1)
    group by 1, 2, 3, 4
    union all
    select 'ward', w.ward_code, n.month, n.offence_class, sum(n.n)
    from counted as n
    join build_core.dim_ward as w on w.ward_key = n.ward_key
    where n.borough_key not in (0, -1) and n.ward_key not in (0, -1)
    group by 1, 2, 3, 4
)

select
    a.geography_type,
    a.geography_code,
    c.offence_class,
    m.month::date as month,
    coalesce(f.n, 0)::integer as offences_as_recorded
from (select distinct geography_type, geography_code from found) as a
cross join (select distinct offence_class from found) as c
cross join generate_series(
    (select min(month) from found),
    greatest((select max(month) from found), (select month from newest where feed = 'police_offences')),
    interval '1 month'
) as m (month)
left join found as f
    on f.geography_type = a.geography_type and f.geography_code = a.geography_code
    and f.offence_class = c.offence_class and f.month = m.month;

create unique index on total_offences_monthly (geography_type, geography_code, offence_class, month);
analyze total_offences_monthly;

create table vawg_monthly as
with counted as (
    select m.borough_key, m.ward_key, m.month, c.vawg_class, c.by_ward, sum(m.offence_count) as n
    from int_offences__monthly as m
    join build_core.dim_offence as o on o.offence_key = m.offence_key
    cross join lateral (
        values
        ('domestic_abuse', true, m.is_domestic_abuse),
        ('domestic_abuse_violence_against_the_person', false, m.is_domestic_abuse and o.is_violence_against_the_person),
        ('domestic_abuse_violence_with_injury', false, m.is_domestic_abuse and o.is_violence_with_injury),
        ('domestic_abuse_sexual_offences', false, m.is_domestic_abuse and o.is_sexual_offence),
        ('domestic_abuse_property_crime', false, m.is_domestic_abuse and o.is_property_crime),
        ('domestic_abuse_criminal_damage', false, m.is_domestic_abuse and o.is_criminal_damage),
        ('sexual_offences', true, o.is_sexual_offence),
        ('rape', false, o.is_rape),
        ('stalking_and_harassment', false, o.is_stalking or o.is_harassment),
        ('honour_based', false, m.is_honour_based),
        ('female_genital_mutilation', false, m.is_female_genital_mutilation),
        ('harmful_practices', false, m.is_honour_based or m.is_female_genital_mutilation or m.is_forced_marriage),
        ('trafficking', false, o.is_trafficking)
    ) as c (vawg_class, by_ward, counts)
    where c.counts
    group by 1, 2, 3, 4, 5
),

found as (
    select 'borough' as geography_type, b.borough_code as geography_code, n.month, n.vawg_class, sum(n.n) as n
    from counted as n
    join build_core.dim_borough as b on b.borough_key = n.borough_key and not b.is_pseudo_borough
    where n.borough_key not in (0, -1)
    group by 1, 2, 3, 4
    union all
    select 'ward', w.ward_code, n.month, n.vawg_class, sum(n.n)
    from counted as n
    join build_core.dim_ward as w on w.ward_key = n.ward_key
    where n.borough_key not in (0, -1) and n.ward_key not in (0, -1)
    group by 1, 2, 3, 4
)

select
    a.geography_type,
    a.geography_code,
    c.vawg_class,
    m.month::date as month,
    coalesce(f.n, 0)::integer as offences_as_recorded
from (select distinct geography_type, geography_code from found) as a
cross join (select vawg_class, bool_or(by_ward) as by_ward from counted group by 1) as c
cross join generate_series(
    (select min(month) from found),
    greatest((select max(month) from found), (select month from newest where feed = 'police_offences')),
    interval '1 month'
) as m (month)
left join found as f
    on f.geography_type = a.geography_type and f.geography_code = a.geography_code
    and f.vawg_class = c.vawg_class and f.month = m.month
where a.geography_type = 'borough' or c.by_ward;

create unique index on vawg_monthly (geography_type, geography_code, vawg_class, month);
analyze vawg_monthly;

create table hate_crime_monthly as
with counted as (
    select m.borough_key, m.ward_key, m.month, c.hate_crime_class, sum(m.offence_count) as n
    from int_offences__monthly as m
    join build_core.dim_offence as o on o.offence_key = m.offence_key
    cross join lateral (
        values
        ('hate_crime', true),
        ('violence_against_the_person', o.is_violence_against_the_person),
        ('harassment', o.is_harassment),
        ('violence_with_injury', o.is_violence_with_injury),
        ('criminal_damage', o.is_criminal_damage)
    ) as c (hate_crime_class, counts)
    where m.is_hate_crime and c.counts
    group by 1, 2, 3, 4
    union all
    select f.borough_key, f.ward_key, f.month, 'strand_' || replace(lower(s.hate_strand_name), ' ', '_'), count(*)
    from bridge_offence_hate_strand as s
    join fct_offence as f on f.recorded_offence_key = s.recorded_offence_key
    group by 1, 2, 3, 4
),

found as (
    select 'borough' as geography_type, b.borough_code as geography_code, n.month, n.hate_crime_class, sum(n.n) as n
    from counted as n
    join build_core.dim_borough as b on b.borough_key = n.borough_key and not b.is_pseudo_borough
    where n.borough_key not in (0, -1)
    group by 1, 2, 3, 4
    union all
    select 'ward', w.ward_code, n.month, n.hate_crime_class, sum(n.n)
    from counted as n
    join build_core.dim_ward as w on w.ward_key = n.ward_key
    where n.borough_key not in (0, -1) and n.ward_key not in (0, -1)
    group by 1, 2, 3, 4
)

select
    a.geography_type,
    a.geography_code,
    c.hate_crime_class,
    m.month::date as month,
    coalesce(f.n, 0)::integer as offences_as_recorded
from (select distinct geography_type, geography_code from found) as a
cross join (select distinct hate_crime_class from found) as c
cross join generate_series(
    (select min(month) from found),
    greatest((select max(month) from found), (select month from newest where feed = 'police_offences')),
    interval '1 month'
) as m (month)
left join found as f
    on f.geography_type = a.geography_type and f.geography_code = a.geography_code
    and f.hate_crime_class = c.hate_crime_class and f.month = m.month
where a.geography_type = 'borough' or c.hate_crime_class = 'hate_crime';

create unique index on hate_crime_monthly (geography_type, geography_code, hate_crime_class, month);
analyze hate_crime_monthly;

create table int_sanction_detections__monthly as
select
    month,
    outcome_month,
    borough_key,
    ward_key,
    offence_key,
    coalesce(is_domestic_abuse, false) as is_domestic_abuse,
    coalesce(is_hate_crime, false) as is_hate_crime,
    coalesce(is_knife_used, false) as is_knife_used,
    count(*)::integer as detected_offence_count
from fct_offence_outcome
where is_first_sanction_detection and is_offence_held
group by 1, 2, 3, 4, 5, 6, 7, 8;

analyze int_sanction_detections__monthly;

create table vawg_repeat_victim_monthly as
with of_month as (
    select borough_key, month, victim_token, count(*) as records
    from fct_offence_victim
    where is_domestic_abuse and is_offence_held
    group by 1, 2, 3
),

-- the month before, of those in which the person suffered any crime
suffered as (
    select victim_token, month, lag(month) over (partition by victim_token order by month) as month_before
    from (
        select distinct victim_token, month from fct_offence_victim where is_offence_held and victim_token is not null
    ) as months
),

counted as (
    select
        v.borough_key,
        v.month,
        count(v.victim_token)::integer as victim_count,
        (coalesce(sum(v.records) filter (where v.victim_token is null), 0))::integer as victims_not_identified_count,
        (count(*) filter (where s.month_before >= v.month - interval '1 year'))::integer as repeats
    from of_month as v
    left join suffered as s on s.victim_token = v.victim_token and s.month = v.month
    group by 1, 2
)

select
    b.borough_code as geography_code,
    c.month,
    c.victim_count,
    c.victims_not_identified_count,
    case when c.month - interval '1 year' >= h.first_month then c.repeats end as repeat_victims_as_recorded
from counted as c
join (select borough_key, min(month) as first_month from int_offences__monthly group by 1) as h
    on h.borough_key = c.borough_key
join build_core.dim_borough as b on b.borough_key = c.borough_key
where c.borough_key not in (0, -1);

create unique index on vawg_repeat_victim_monthly (geography_code, month);
analyze vawg_repeat_victim_monthly;

create table asb_found as
select l.geography_type, coalesce(w.ward_code, b.borough_code) as geography_code, n.feed, c.asb_class, n.month,
    sum(n.record_count) as n
from int_asb__monthly_counts as n
join build_core.dim_borough as b on b.borough_key = n.borough_key and not b.is_pseudo_borough
cross join (values ('borough'), ('ward')) as l (geography_type)
left join build_core.dim_ward as w on l.geography_type = 'ward' and w.ward_key = n.ward_key
cross join lateral (
    values
    (n.asb_class),
    (case n.feed when 'police_asb_incidents' then 'police_all' when 'tmo_asb_cases' then 'landlord_all'
        else 'council_all' end)
) as c (asb_class)
where c.asb_class <> 'police_not_known' and n.borough_key not in (0, -1)
    and (l.geography_type = 'borough' or n.ward_key not in (0, -1))
group by 1, 2, 3, 4, 5;

analyze asb_found;

create table asb_monthly as
with spans as (
    select f.feed, min(f.month) as first_month, greatest(max(f.month), max(n.month)) as last_month
    from asb_found as f
    left join newest as n on n.feed = f.feed
    group by 1
)

select
    a.geography_type,
    a.geography_code,
    c.asb_class,
    m.month::date as month,
    coalesce(f.n, 0)::integer as records_as_recorded
from (select distinct geography_type, geography_code, feed from asb_found) as a
join (select feed, asb_class, min(month) as first_month from asb_found group by 1, 2) as c on c.feed = a.feed
join spans as s on s.feed = a.feed
cross join generate_series(s.first_month, s.last_month, interval '1 month') as m (month)
left join asb_found as f
    on f.geography_type = a.geography_type and f.geography_code = a.geography_code and f.asb_class = c.asb_class
    and f.month = m.month
where m.month >= c.first_month;

create unique index on asb_monthly (geography_type, geography_code, asb_class, month);
analyze asb_monthly;
