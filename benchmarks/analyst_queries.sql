-- Notifiable offences of the borough, year by year, with and without fraud
select financial_year, offence_count, offence_count_without_fraud, change_on_year_before, change_reason
from partnership.total_offences_financial_year
where borough_code = 'E09000020' order by financial_year;

-- Wards of the borough in 2016/17, by offences for each 1,000 residents
select ward_name, offence_count, share_of_borough_offences, offences_per_1000_residents, most_deprived_tenth_lsoa_count
from partnership.ward_profile
where borough_code = 'E09000020' and financial_year = '2016/17' order by offences_per_1000_residents desc;

-- All offences of the last three years, month by month, with what may be compared
select month, offences_as_recorded, comparability, caveat, change_on_same_month_last_year
from partnership.total_offences_monthly
where geography_type = 'borough' and geography_code = 'E09000020' and offence_class = 'all' and month >= '2014-04-01'
order by month;

-- Boroughs by offences of 2016/17
select borough_name, offence_count, change_share_on_year_before_as_recorded
from partnership.total_offences_financial_year where financial_year = '2016/17' order by offence_count desc nulls last;

-- Every figure of the plan beside the warehouse's
select priority, measure_name, published_value, rounded_value, status, reason
from partnership.plan_figure order by priority, figure_id;

-- Where to send patrols: the ten hottest places and hours of the last fourteen days
select rank_in_borough, lsoa_name, ward_name, time_band_name, event_count, mean_event_count_in_earlier_years
from partnership.tasking_hot_place where borough_code = 'E09000020' order by rank_in_borough limit 10;

-- Domestic abuse and sexual offences by ward, 2016/17
select ward_name, vawg_class, sum(offences_as_recorded) as offences
from vawg.vawg_monthly
where borough_code = 'E09000020' and geography_type = 'ward' and financial_year = '2016/17'
group by ward_name, vawg_class order by ward_name, vawg_class;

-- Detection rates of domestic abuse by the two ways of counting, year by year
select financial_year, domestic_abuse_offence_count, domestic_abuse_sanction_detection_rate_by_offence_date,
    domestic_abuse_sanction_detection_rate_by_outcome_date
from vawg.vawg_financial_year where borough_code = 'E09000020' order by financial_year;

-- How the accused of domestic abuse stand to their victims
select financial_year, characteristic_value, people_count, share_of_people
from vawg.vawg_people_financial_year
where borough_code = 'E09000020' and vawg_class = 'domestic_abuse' and role = 'accused'
    and characteristic = 'relationship'
order by financial_year, people_count desc;

-- Repeat victims of domestic abuse, month by month
select month, victim_count, repeat_victims_as_recorded, repeat_victim_share
from vawg.vawg_repeat_victim_monthly where borough_code = 'E09000020' order by month;

-- Hate crime by strand in the last year, and the year before
select month, hate_crime_class, offences_as_recorded, change_on_same_month_last_year
from hate_crime.hate_crime_monthly
where borough_code = 'E09000020' and geography_type = 'borough' and hate_crime_class like 'strand%'
    and financial_year = '2016/17'
order by hate_crime_class, month;

-- Knife injuries and threats with and without Carnival, August of each year
select month, violence_class, offences_as_recorded
from serious_youth_violence.serious_youth_violence_monthly
where borough_code = 'E09000020' and geography_type = 'borough' and violence_class like 'knife%'
    and extract(month from month) = 8
order by violence_class, month;

-- Where victims of serious violence live
select characteristic_value as residence, people_count, share_of_people
from serious_youth_violence.serious_youth_violence_people_financial_year
where borough_code = 'E09000020' and financial_year = '2016/17' and violence_class = 'serious_violence'
    and role = 'victim' and characteristic = 'residence'
order by people_count desc;

-- Calls, cases and actions about anti-social behaviour by ward, last quarter of the plan's year
select ward_name, asb_class, sum(records_as_recorded) as records
from asb.asb_monthly
where borough_code = 'E09000020' and geography_type = 'ward' and month between '2017-01-01' and '2017-03-01'
group by ward_name, asb_class order by ward_name, records desc;

-- Places that several agencies were called to in 2016/17
select place_token, ward_name, records, police_calls, landlord_cases, council_actions
from asb.asb_repeat_location
where financial_year = '2016/17' and borough_code = 'E09000020' and is_seen_by_several_agencies
order by records desc limit 25;

-- Burglary of two years by the old and the new definition
select month, burglary_class, offences_as_recorded, offences_old_definition, offences_new_definition, comparability
from burglary.burglary_police_monthly
where borough_code = 'E09000020' and geography_type = 'borough' and month >= '2015-04-01'
order by month, burglary_class;

-- Violence with injury by weekday and hour, without Carnival
select weekday_name, hour_of_day, offence_count_without_carnival
from mopac_local.violence_with_injury_by_hour
where borough_code = 'E09000020' and financial_year = '2016/17' order by weekday_number, hour_of_day;

-- Thefts from motor vehicles by ward, vehicle and place, 2016/17
select * from mopac_local.theft_from_motor_vehicle_breakdown
where borough_code = 'E09000020' and financial_year = '2016/17';

-- The records behind a figure: domestic abuse that is a sexual offence, March 2017
select offence_id_police, recorded_date, minor_class_as_recorded, ward_name, location_type_name
from vawg.vawg_offence
where month = '2017-03-01' and borough_name = 'Kensington and Chelsea' and is_domestic_abuse and is_sexual_offence
order by recorded_date;

-- Offences in Golborne on Friday nights of one month, straight from the facts
select lsoas.lsoa_name, offences.major_name, count(*) as offences
from core.fct_offence as crime
inner join core.dim_date as dates on crime.committed_date_key = dates.date_key
inner join core.dim_time_band as bands on crime.committed_time_band_key = bands.time_band_key
inner join core.dim_offence as offences on crime.offence_key = offences.offence_key
inner join core.dim_lsoa as lsoas on crime.lsoa_key = lsoas.lsoa_key
inner join core.dim_ward as wards on crime.ward_key = wards.ward_key
where crime.month = '2016-07-01' and wards.ward_name = 'Golborne' and dates.weekday_name = 'Friday'
    and bands.time_band_name in ('Evening', 'Night')
group by lsoas.lsoa_name, offences.major_name order by offences desc;
