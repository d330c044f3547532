-- Offences recorded in the borough, by year
select left(month::text, 4) as calendar_year, count(*) from core.fct_offence group by 1 order by 1;
