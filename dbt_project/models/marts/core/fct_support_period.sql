{{
    config(
        indexes=[
            {'columns': ['support_period_key'], 'unique': true},
            {'columns': ['client_id_rahab']},
        ],
    )
}}

-- built whole, as referrals are: some hundred periods a year, in a workbook of them all
select
    {{ surrogate_key(['periods.client_id_rahab', 'periods.support_from_date']) }} as support_period_key,
    periods.client_id_rahab,
    periods.support_from_date,
    coalesce(dates.date_key, 0) as support_from_date_key,
    periods.period as month,
    coalesce(dates.month_key, 0) as month_key,
    periods.support_to_date,
    periods.support_to_date is null as is_open,
    {{ home_borough_key() }} as borough_key,
    periods.sex_name,
    periods.age_band as age_band_as_given,
    periods.client_token,
    coalesce(agencies.agency_key, 0) as agency_key,
    periods.delivery_id,
    periods.is_simulated,
    {{ build_id() }} as build_id
from {{ ref('stg_rahab__clients') }} as periods
left join {{ ref('dim_date') }} as dates on periods.support_from_date = dates.date
left join {{ ref('dim_agency') }} as agencies
    on
        agencies.agency_code = 'rahab'
        and periods.support_from_date >= agencies.valid_from
        and (agencies.valid_to is null or periods.support_from_date <= agencies.valid_to)
