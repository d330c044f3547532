-- Burglary and the Mayor's local priorities, written by hand.

create table int_violence_with_injury__by_hour as
select
    f.month,
    f.borough_key,
    f.ward_key,
    f.venue_name,
    d.weekday_number,
    f.committed_time_band_key,
    coalesce(f.is_domestic_abuse, false) as is_domestic_abuse,
    coalesce(f.is_on_carnival_day, false) as is_on_carnival_day,
    count(*)::integer as offence_count
from fct_offence as f
join build_core.dim_offence as o on o.offence_key = f.offence_key and o.is_violence_with_injury
left join build_core.dim_date as d on d.date_key = f.committed_date_key
group by 1, 2, 3, 4, 5, 6, 7, 8;

create index on int_violence_with_injury__by_hour (month);
analyze int_violence_with_injury__by_hour;

create table mopac_local_monthly as
with counted as (
    select m.borough_key, m.ward_key, m.month, c.offence_class, sum(m.offence_count) as n
    from int_offences__monthly as m
    join build_core.dim_offence as o on o.offence_key = m.offence_key
    cross join lateral (
        values
        ('violence_with_injury', o.is_violence_with_injury),
        ('non_domestic_violence_with_injury', o.is_violence_with_injury and m.is_domestic_abuse is not true),
        (
            'non_domestic_violence_with_injury_without_carnival',
            o.is_violence_with_injury and m.is_domestic_abuse is not true and m.is_on_carnival_day is not true
        ),
        (
            'non_domestic_violence_with_injury_hate_crime',
            o.is_violence_with_injury and m.is_domestic_abuse is not true and m.is_hate_crime
        ),
        ('theft_from_motor_vehicle', o.is_theft_from_motor_vehicle)
    ) as c (offence_class, counts)
    where c.counts
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

create unique index on mopac_local_monthly (geography_type, geography_code, offence_class, month);
analyze mopac_local_monthly;

create table burglary_repeat_premises as
with burglaries as (
    select f.*, o.burglary_class
    from fct_offence as f
    join build_core.dim_offence as o on o.offence_key = f.offence_key and o.is_burglary
    where coalesce(f.premises_token, f.address_token) is not null
),

named as (
    select address_token, min(premises_token) as premises_token
    from burglaries
    where address_token is not null and premises_token is not null
    group by 1
),

placed as (
    select
        b.recorded_offence_key, b.offence_id_police, b.recorded_date, b.month, b.borough_key, b.ward_key,
        b.burglary_class, coalesce(b.premises_token, n.premises_token, b.address_token) as premises_token
    from burglaries as b
    left join named as n on n.address_token = b.address_token
),

counted as (
    select
        *,
        (count(*) over year_before)::integer as burglaries_in_previous_12_months,
        max(recorded_date) over year_before as previous_recorded_date
    from placed
    window year_before as (
        partition by premises_token order by recorded_date
        range between interval '1 year' preceding and interval '1 day' preceding
    )
)

select
    c.recorded_offence_key,
    c.offence_id_police,
    c.premises_token,
    c.recorded_date,
    c.month,
    c.previous_recorded_date,
    c.recorded_date - c.previous_recorded_date as days_since_previous,
    c.burglaries_in_previous_12_months,
    c.burglary_class as burglary_class_as_recorded,
    b.borough_code,
    w.ward_code
from counted as c
left join build_core.dim_borough as b on b.borough_key = c.borough_key
left join build_core.dim_ward as w on w.ward_key = c.ward_key
where c.burglaries_in_previous_12_months > 0;

create unique index on burglary_repeat_premises (recorded_offence_key);
create index on burglary_repeat_premises (premises_token);
analyze burglary_repeat_premises;

create table burglary_people_financial_year as
select
    b.borough_code,
    p.financial_year,
    p.role,
    k.characteristic,
    k.characteristic_value,
    count(*)::integer as people_count,
    count(distinct p.person_token)::integer as different_people_count
from described as p
join build_core.dim_borough as b on b.borough_key = p.borough_key
cross join lateral (
    values
    ('all', 'All'), ('sex', p.sex), ('age_band', p.age_band), ('ethnic_appearance', p.ethnic_appearance),
    ('residence', p.residence), ('relationship', p.relationship)
) as k (characteristic, characteristic_value)
where p.is_burglary
group by 1, 2, 3, 4, 5;

create unique index on burglary_people_financial_year (
    borough_code, financial_year, role, characteristic, characteristic_value
);
analyze burglary_people_financial_year;

create table mopac_local_people_financial_year as
select
    b.borough_code,
    p.financial_year,
    c.offence_class,
    p.role,
    k.characteristic,
    k.characteristic_value,
    count(*)::integer as people_count,
    count(distinct p.person_token)::integer as different_people_count
from described as p
join build_core.dim_borough as b on b.borough_key = p.borough_key
cross join lateral (
    values
    ('theft_from_motor_vehicle', p.is_theft_from_motor_vehicle),
    (
        'non_domestic_violence_with_injury',
        p.is_violence_with_injury and p.is_domestic_abuse is not true and not p.is_theft_from_motor_vehicle
    )
) as c (offence_class, counts)
cross join lateral (
    values
    ('all', 'All'), ('sex', p.sex), ('age_band', p.age_band), ('ethnic_appearance', p.ethnic_appearance),
    ('residence', p.residence), ('relationship', p.relationship)
) as k (characteristic, characteristic_value)
where c.counts
group by 1, 2, 3, 4, 5, 6;

create unique index on mopac_local_people_financial_year (
    borough_code, financial_year, offence_class, role, characteristic, characteristic_value
);
analyze mopac_local_people_financial_year;
