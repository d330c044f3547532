with days as (
    {{ every_day('2006-01-01', '2027-12-31') }}
    union all
    -- not known, or outside of these years: offences come to light decades after they were committed
    select null as date
)

select
    coalesce({{ date_key('days.date') }}, 0) as date_key,
    days.date,
    {{ first_of_month('days.date') }} as month,
    coalesce({{ date_key(first_of_month('days.date')) }}, 0) as month_key,
    extract(year from days.date)::integer as year,
    extract(quarter from days.date)::integer as quarter_number,
    extract(month from days.date)::integer as month_number,
    to_char(days.date, 'FMMonth') as month_name,
    extract(day from days.date)::integer as day_of_month,
    extract(isodow from days.date)::integer as weekday_number,
    to_char(days.date, 'FMDay') as weekday_name,
    extract(isodow from days.date) >= 6 as is_weekend,
    {{ financial_year('days.date') }} as financial_year,
    {{ financial_month_number('days.date') }} as financial_month_number,
    (({{ financial_month_number('days.date') }} - 1) / 3 + 1)::integer as financial_quarter_number,
    bank_holidays.date is not null as is_bank_holiday,
    bank_holidays.bank_holiday_name,
    coalesce(carnival_days.was_held, false) as is_carnival_day,
    carnival_days.carnival_day_name,
    school_holidays.school_holiday_name is not null as is_school_holiday,
    school_holidays.school_holiday_name,
    {{ build_id() }} as build_id
from days
left join {{ ref('bank_holidays') }} as bank_holidays on days.date = bank_holidays.date
left join {{ ref('carnival_days') }} as carnival_days on days.date = carnival_days.date
left join {{ ref('school_holidays') }} as school_holidays
    on days.date between school_holidays.first_date and school_holidays.last_date
