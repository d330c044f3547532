-- Who the victims and the accused are, written by hand: one reading of each fact, then sums over what is grouped.

create table person as
select
    'victim' as role, p.recorded_offence_key, p.victim_token as person_token, p.month, p.borough_key, p.ward_key,
    o.is_sexual_offence, o.is_serious_violence, o.is_violence_with_injury, o.is_burglary,
    o.is_theft_from_motor_vehicle, p.is_domestic_abuse, p.is_hate_crime,
    coalesce(p.is_knife_used, false) as is_knife_used, coalesce(p.is_knife_threatened, false) as is_knife_threatened,
    coalesce(p.is_firearm, false) as is_firearm, coalesce(p.is_on_carnival_day, false) as is_on_carnival_day,
    p.age, a.age_band_name as age_band, p.sex_code, p.ethnic_appearance, p.residence_borough_key, p.residence_name,
    p.relationship_to_accused as relationship, coalesce(p.injury_degree, 'Not known') as injury_degree
from fct_offence_victim as p
join build_core.dim_offence as o on o.offence_key = p.offence_key
left join build_core.dim_age_band as a on a.age_band_key = p.age_band_key
where p.is_offence_held
    and (p.is_domestic_abuse or p.is_hate_crime or o.is_sexual_offence or o.is_serious_violence
        or o.is_violence_with_injury or o.is_burglary or o.is_theft_from_motor_vehicle
        or p.is_knife_used or p.is_knife_threatened or p.is_firearm)
union all
select
    'accused', p.recorded_offence_key, p.accused_token, p.month, p.borough_key, p.ward_key,
    o.is_sexual_offence, o.is_serious_violence, o.is_violence_with_injury, o.is_burglary,
    o.is_theft_from_motor_vehicle, p.is_domestic_abuse, p.is_hate_crime,
    coalesce(p.is_knife_used, false), coalesce(p.is_knife_threatened, false),
    coalesce(p.is_firearm, false), coalesce(p.is_on_carnival_day, false),
    p.age, a.age_band_name, p.sex_code, p.ethnic_appearance, p.residence_borough_key, p.residence_name,
    p.relationship_to_victim, 'Not applicable'
from fct_offence_accused as p
join build_core.dim_offence as o on o.offence_key = p.offence_key
left join build_core.dim_age_band as a on a.age_band_key = p.age_band_key
where p.is_offence_held
    and (p.is_domestic_abuse or p.is_hate_crime or o.is_sexual_offence or o.is_serious_violence
        or o.is_violence_with_injury or o.is_burglary or o.is_theft_from_motor_vehicle
        or p.is_knife_used or p.is_knife_threatened or p.is_firearm);

create table described as
select
    p.role, p.recorded_offence_key, p.person_token, p.month, d.financial_year, p.borough_key, p.ward_key,
    p.is_sexual_offence, p.is_serious_violence, p.is_violence_with_injury, p.is_burglary,
    p.is_theft_from_motor_vehicle, p.is_domestic_abuse, p.is_hate_crime, p.is_knife_used,
    p.is_knife_threatened, p.is_firearm, p.is_on_carnival_day, p.age, p.age_band, p.injury_degree,
    case p.sex_code when 'M' then 'Male' when 'F' then 'Female' else 'Not known' end as sex,
    coalesce(nullif(p.ethnic_appearance, 'Unknown'), 'Not known') as ethnic_appearance,
    case when p.residence_borough_key <> 0 then b.borough_name
        else coalesce(nullif(p.residence_name, 'Unknown'), 'Not known') end as residence,
    case when p.relationship is null then 'Not known' else coalesce(r.relationship_group_name, 'Not listed') end
        as relationship
from person as p
left join build_core.dim_date as d on d.date = p.month
left join build_core.dim_borough as b on b.borough_key = p.residence_borough_key
left join seeds.relationships as r on r.relationship_name = p.relationship;

create table vawg_people_financial_year as
select
    b.borough_code,
    p.financial_year,
    c.vawg_class,
    p.role,
    k.characteristic,
    k.characteristic_value,
    count(*)::integer as people_count,
    count(distinct p.person_token)::integer as different_people_count
from described as p
join build_core.dim_borough as b on b.borough_key = p.borough_key
cross join lateral (
    values ('domestic_abuse', p.is_domestic_abuse), ('sexual_offences', p.is_sexual_offence)
) as c (vawg_class, counts)
cross join lateral (
    values
    ('all', 'All'), ('sex', p.sex), ('age_band', p.age_band), ('ethnic_appearance', p.ethnic_appearance),
    ('residence', p.residence), ('relationship', p.relationship), ('injury_degree', p.injury_degree)
) as k (characteristic, characteristic_value)
where c.counts and (p.role = 'victim' or k.characteristic <> 'injury_degree')
group by 1, 2, 3, 4, 5, 6;

create unique index on vawg_people_financial_year (
    borough_code, financial_year, vawg_class, role, characteristic, characteristic_value
);
analyze vawg_people_financial_year;

create table hate_crime_people_financial_year as
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
    ('residence', p.residence), ('relationship', p.relationship), ('injury_degree', p.injury_degree)
) as k (characteristic, characteristic_value)
where p.is_hate_crime and (p.role = 'victim' or k.characteristic <> 'injury_degree')
group by 1, 2, 3, 4, 5;

create unique index on hate_crime_people_financial_year (
    borough_code, financial_year, role, characteristic, characteristic_value
);
analyze hate_crime_people_financial_year;

create table serious_youth_violence_people_financial_year as
select
    b.borough_code,
    p.financial_year,
    c.violence_class,
    p.role,
    k.characteristic,
    k.characteristic_value,
    count(*)::integer as people_count,
    count(distinct p.person_token)::integer as different_people_count
from described as p
join build_core.dim_borough as b on b.borough_key = p.borough_key
cross join lateral (
    values
    ('stabbing', p.is_knife_used),
    ('knife_threat', p.is_knife_threatened),
    ('firearm', p.is_firearm),
    ('serious_violence', p.is_serious_violence),
    ('serious_violence_aged_11_to_25', p.is_serious_violence and p.age between 11 and 25),
    ('serious_violence_males_aged_11_to_25', p.is_serious_violence and p.age between 11 and 25 and p.sex = 'Male'),
    ('aged_25_and_under', p.age <= 25)
) as c (violence_class, counts)
cross join lateral (
    values
    ('all', 'All'), ('sex', p.sex), ('age_band', p.age_band), ('ethnic_appearance', p.ethnic_appearance),
    ('residence', p.residence), ('relationship', p.relationship), ('injury_degree', p.injury_degree),
    ('carnival', case when p.is_on_carnival_day then 'On a day of Carnival' else 'On another day' end)
) as k (characteristic, characteristic_value)
where p.is_domestic_abuse is not true
    and (p.is_serious_violence or p.is_knife_used or p.is_knife_threatened or p.is_firearm)
    and c.counts and (p.role = 'victim' or k.characteristic <> 'injury_degree')
group by 1, 2, 3, 4, 5, 6;

create unique index on serious_youth_violence_people_financial_year (
    borough_code, financial_year, violence_class, role, characteristic, characteristic_value
);
analyze serious_youth_violence_people_financial_year;
