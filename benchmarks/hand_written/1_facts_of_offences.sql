-- Facts of the police's offences, written by hand against raw. Small dimensions and seeds are taken as dbt built
-- them; everything that has a row for a record, or for a group of records, is made here.

-- how the police name and code an offence: few classes, found once, so that no row of ten million makes texts
create table offence_class as
select
    c.offence_code,
    c.major_class,
    c.minor_class,
    o.offence_key
from (select distinct offence_code, major_class, minor_class from raw.police_offences) as c
left join build_core.dim_offence as o
    on o.offence_code = 'police.' || regexp_replace(
        replace(replace(replace(replace(
            lower(c.offence_code || '.' || c.major_class || '.' || c.minor_class),
            '&', 'and'), 'm/v', 'motor vehicle'), 'bldg', 'building'), ' - ', ' '),
        '\s+', '_', 'g'
    );

create table fct_offence as
select
    ('x' || left(md5(r.offence_id_police), 16))::bit(64)::bigint as recorded_offence_key,
    r.offence_id_police,
    r.recorded_date,
    to_char(r.recorded_date, 'YYYYMMDD')::integer as recorded_date_key,
    r.period as month,
    (r.reported_at at time zone 'Europe/London')::date as reported_date,
    r.committed_from_at at time zone 'Europe/London' as committed_from_local_at,
    r.committed_to_at at time zone 'Europe/London' as committed_to_local_at,
    coalesce(d.date_key, 0) as committed_date_key,
    coalesce(extract(hour from r.committed_from_at at time zone 'Europe/London')::integer + 1, 0)
        as committed_time_band_key,
    coalesce(o.offence_key, 0) as offence_key,
    coalesce(b.borough_key, w.borough_key, 0) as borough_key,
    coalesce(w.ward_key, 0) as ward_key,
    coalesce(l.lsoa_key, 0) as lsoa_key,
    coalesce(a.agency_key, 0) as investigating_agency_key,
    coalesce(p.location_type_key, 0) as location_type_key,
    r.venue_name,
    r.street_name,
    r.premises_token,
    r.address_token,
    r.is_notifiable,
    r.is_domestic_abuse,
    r.is_hate_race or r.is_hate_faith or r.is_hate_sexual_orientation or r.is_hate_transgender or r.is_hate_disability
        as is_hate_crime,
    r.is_hate_race,
    r.is_hate_faith,
    r.is_hate_sexual_orientation,
    r.is_hate_transgender,
    r.is_hate_disability,
    r.is_knife_used,
    r.is_knife_threatened,
    r.is_injury,
    r.is_firearm,
    r.is_shots_fired,
    r.is_mobile_phone_taken,
    r.is_walk_in_entry,
    r.is_honour_based,
    r.is_female_genital_mutilation,
    r.is_forced_marriage,
    r.vehicle_body_type,
    coalesce(d.is_carnival_day, false) as is_on_carnival_day,
    r.delivery_id
from raw.police_offences as r
left join build_core.dim_date as d on d.date = (r.committed_from_at at time zone 'Europe/London')::date
left join offence_class as o
    on o.offence_code = r.offence_code and o.major_class = r.major_class and o.minor_class = r.minor_class
left join build_core.dim_borough as b on b.borough_name = r.borough_name
left join build_core.dim_ward as w on w.ward_code = r.ward_code
left join build_core.dim_lsoa as l on l.lsoa_code = r.lsoa_code
left join build_core.dim_location_type as p on p.location_type_name = r.location_type
left join build_core.dim_agency as a
    on a.name_in_feed = r.investigating_borough_name and a.agency_kind_name = 'Police'
where r.withdrawn_delivery_id is null;

create unique index on fct_offence (recorded_offence_key);
create index on fct_offence (month);
analyze fct_offence;

create table fct_offence_victim as
select
    ('x' || left(md5(r.offence_id_police || '|' || r.victim_number), 16))::bit(64)::bigint as offence_victim_key,
    coalesce(o.recorded_offence_key, ('x' || left(md5(r.offence_id_police), 16))::bit(64)::bigint)
        as recorded_offence_key,
    r.offence_id_police,
    r.victim_number,
    coalesce(o.recorded_date, r.recorded_date) as recorded_date,
    coalesce(o.recorded_date_key, to_char(r.recorded_date, 'YYYYMMDD')::integer) as recorded_date_key,
    coalesce(o.month, r.period) as month,
    coalesce(o.offence_key, 0) as offence_key,
    coalesce(o.borough_key, 0) as borough_key,
    coalesce(o.ward_key, 0) as ward_key,
    coalesce(o.lsoa_key, 0) as lsoa_key,
    coalesce(o.location_type_key, 0) as location_type_key,
    o.is_domestic_abuse,
    o.is_hate_crime,
    o.is_knife_used,
    o.is_knife_threatened,
    o.is_firearm,
    o.is_on_carnival_day,
    o.offence_id_police is not null as is_offence_held,
    r.victim_token,
    r.age,
    coalesce(a.age_band_key, 0) as age_band_key,
    r.sex_code,
    r.ethnic_appearance,
    coalesce(b.borough_key, 0) as residence_borough_key,
    r.residence_borough_name as residence_name,
    r.relationship_to_accused,
    r.injury_degree,
    r.is_vulnerable,
    r.delivery_id
from raw.police_victims as r
left join fct_offence as o on o.offence_id_police = r.offence_id_police
left join build_core.dim_age_band as a on r.age >= a.age_from and (a.age_to is null or r.age <= a.age_to)
left join intermediate.int_residences as b on b.folded_name = lower(r.residence_borough_name)
where r.withdrawn_delivery_id is null;

create unique index on fct_offence_victim (offence_victim_key);
create index on fct_offence_victim (recorded_offence_key);
create index on fct_offence_victim (month);
analyze fct_offence_victim;

create table fct_offence_accused as
select
    ('x' || left(md5(r.offence_id_police || '|' || r.accused_number), 16))::bit(64)::bigint as offence_accused_key,
    coalesce(o.recorded_offence_key, ('x' || left(md5(r.offence_id_police), 16))::bit(64)::bigint)
        as recorded_offence_key,
    r.offence_id_police,
    r.accused_number,
    coalesce(o.recorded_date, r.recorded_date) as recorded_date,
    coalesce(o.recorded_date_key, to_char(r.recorded_date, 'YYYYMMDD')::integer) as recorded_date_key,
    coalesce(o.month, r.period) as month,
    coalesce(o.offence_key, 0) as offence_key,
    coalesce(o.borough_key, 0) as borough_key,
    coalesce(o.ward_key, 0) as ward_key,
    coalesce(o.lsoa_key, 0) as lsoa_key,
    coalesce(o.location_type_key, 0) as location_type_key,
    o.is_domestic_abuse,
    o.is_hate_crime,
    o.is_knife_used,
    o.is_knife_threatened,
    o.is_firearm,
    o.is_on_carnival_day,
    o.offence_id_police is not null as is_offence_held,
    r.accused_token,
    r.age,
    coalesce(a.age_band_key, 0) as age_band_key,
    r.sex_code,
    r.ethnic_appearance,
    coalesce(b.borough_key, 0) as residence_borough_key,
    r.residence_borough_name as residence_name,
    r.relationship_to_victim,
    r.delivery_id
from raw.police_accused as r
left join fct_offence as o on o.offence_id_police = r.offence_id_police
left join build_core.dim_age_band as a on r.age >= a.age_from and (a.age_to is null or r.age <= a.age_to)
left join intermediate.int_residences as b on b.folded_name = lower(r.residence_borough_name)
where r.withdrawn_delivery_id is null;

create unique index on fct_offence_accused (offence_accused_key);
create index on fct_offence_accused (recorded_offence_key);
create index on fct_offence_accused (month);
analyze fct_offence_accused;

create table fct_offence_outcome as
select
    ('x' || left(md5(r.offence_id_police || '|' || r.outcome_number), 16))::bit(64)::bigint as offence_outcome_key,
    coalesce(o.recorded_offence_key, ('x' || left(md5(r.offence_id_police), 16))::bit(64)::bigint)
        as recorded_offence_key,
    r.offence_id_police,
    r.outcome_number,
    r.accused_number,
    coalesce(c.outcome_key, 0) as outcome_key,
    r.is_sanction_detection,
    r.is_sanction_detection and row_number() over (
        partition by r.offence_id_police, r.is_sanction_detection order by r.outcome_date, r.outcome_number
    ) = 1 as is_first_sanction_detection,
    r.outcome_date,
    to_char(r.outcome_date, 'YYYYMMDD')::integer as outcome_date_key,
    r.period as outcome_month,
    o.recorded_date,
    o.month,
    coalesce(o.offence_key, 0) as offence_key,
    coalesce(o.borough_key, 0) as borough_key,
    coalesce(o.ward_key, 0) as ward_key,
    o.is_domestic_abuse,
    o.is_hate_crime,
    o.is_knife_used,
    o.offence_id_police is not null as is_offence_held,
    r.delivery_id
from raw.police_outcomes as r
left join fct_offence as o on o.offence_id_police = r.offence_id_police
left join build_core.dim_outcome as c on c.outcome_code = r.outcome_code and c.outcome_name = r.outcome_name
where r.withdrawn_delivery_id is null;

create unique index on fct_offence_outcome (offence_outcome_key);
create index on fct_offence_outcome (recorded_offence_key);
create index on fct_offence_outcome (month);
create index on fct_offence_outcome (outcome_month);
analyze fct_offence_outcome;

create table bridge_offence_hate_strand as
select
    o.recorded_offence_key,
    s.hate_strand_name,
    o.month,
    o.delivery_id
from fct_offence as o
cross join lateral (
    values
    ('Race', o.is_hate_race),
    ('Faith', o.is_hate_faith),
    ('Sexual orientation', o.is_hate_sexual_orientation),
    ('Transgender', o.is_hate_transgender),
    ('Disability', o.is_hate_disability)
) as s (hate_strand_name, is_flagged)
where o.is_hate_crime and s.is_flagged;

create unique index on bridge_offence_hate_strand (recorded_offence_key, hate_strand_name);
analyze bridge_offence_hate_strand;

create table int_offences__monthly as
select
    month, borough_key, ward_key, offence_key, location_type_key, is_domestic_abuse, is_hate_crime, is_knife_used,
    is_knife_threatened, is_firearm, is_shots_fired, is_mobile_phone_taken, is_walk_in_entry, is_honour_based,
    is_female_genital_mutilation, is_forced_marriage, vehicle_body_type, is_on_carnival_day,
    count(*)::integer as offence_count
from fct_offence
group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18;

create index on int_offences__monthly (month);
analyze int_offences__monthly;
