{{
    config(
        materialized='incremental',
        incremental_strategy='replace_changed_months',
        on_schema_change='fail',
        indexes=[{'columns': ['month']}, {'columns': ['build_id']}],
        meta={
            'rebuilds': {
                'feeds': ['police_offences'],
                'lookups': place_lookups(),
            }
        },
    )
}}

select
    crime.month,
    crime.borough_key,
    crime.ward_key,
    crime.venue_name,
    days.weekday_number,
    crime.committed_time_band_key,
    coalesce(crime.is_domestic_abuse, false) as is_domestic_abuse,
    coalesce(crime.is_on_carnival_day, false) as is_on_carnival_day,
    count(*)::integer as offence_count,
    {{ any_true('crime.is_simulated') }} as is_simulated,
    {{ build_id() }} as build_id
from {{ ref('fct_offence') }} as crime
inner join {{ ref('dim_offence') }} as offences on crime.offence_key = offences.offence_key
left join {{ ref('dim_date') }} as days on crime.committed_date_key = days.date_key
where
    offences.is_violence_with_injury
    {% if is_incremental() %}
    and crime.month in ({{ changed_months(['police_offences'], lookups=place_lookups()) }})
    {% endif %}
group by
    crime.month,
    crime.borough_key,
    crime.ward_key,
    crime.venue_name,
    days.weekday_number,
    crime.committed_time_band_key,
    coalesce(crime.is_domestic_abuse, false),
    coalesce(crime.is_on_carnival_day, false)
