{{
    config(
        indexes=[
            {'columns': ['vawg_referral_key'], 'unique': true},
            {'columns': ['month', 'borough_key']},
        ],
    )
}}

-- Built whole: a referral that is new or put right may make another one of the same client a repeat, and the
-- service's whole workbook is a few thousand rows.
with records as (
    select
        *,
        {{ fold_label('borough_name') }} as folded_borough_name,
        {{ fold_label('ward_name') }} as folded_ward_name
    from {{ ref('stg_angelou__referrals') }}
),

-- wards are typed by name: of two wards of a borough that bear a name, the newest is meant
wards_by_name as (
    select
        ward_key,
        borough_key,
        {{ fold_label('ward_name') }} as folded_ward_name,
        row_number() over (
            partition by borough_key, {{ fold_label('ward_name') }}
            order by last_lookup_year desc nulls last, boundary_valid_from desc nulls last, ward_code desc
        ) as place
    from {{ ref('dim_ward') }}
    where borough_key not in (0, -1)
),

boroughs_by_name as (
    select
        borough_key,
        folded_name
    from {{ ref('int_borough_names') }}
    where is_known
    union all
    select
        {{ not_applicable_key() }} as borough_key,
        'outside london' as folded_name
),

numbered as (
    select
        records.*,
        case
            when records.client_token is not null
                then
                    row_number() over (
                        partition by records.client_token
                        order by records.referred_date, records.referral_id_angelou
                    )
        end as referral_number_of_client
    from records
)

select
    {{ surrogate_key(['records.referral_id_angelou']) }} as vawg_referral_key,
    records.referral_id_angelou,
    records.referred_date,
    coalesce(dates.date_key, 0) as referred_date_key,
    records.period as month,
    coalesce(dates.month_key, 0) as month_key,
    records.referral_source,
    records.is_repeat,
    records.referral_number_of_client > 1 as is_repeat_by_token,
    coalesce(boroughs.borough_key, 0) as borough_key,
    records.borough_name,
    coalesce(wards.ward_key, case when boroughs.borough_key = -1 then -1 end, 0) as ward_key,
    records.age,
    coalesce(ages.age_band_key, 0) as age_band_key,
    records.sex_name,
    records.support_from_date,
    records.client_token,
    coalesce(agencies.agency_key, 0) as agency_key,
    records.delivery_id,
    records.is_simulated,
    {{ build_id() }} as build_id
from numbered as records
left join {{ ref('dim_date') }} as dates on records.referred_date = dates.date
left join boroughs_by_name as boroughs on records.folded_borough_name = boroughs.folded_name
left join wards_by_name as wards
    on
        boroughs.borough_key = wards.borough_key
        and records.folded_ward_name = wards.folded_ward_name
        and wards.place = 1
left join {{ ref('int_ages') }} as ages on records.age = ages.age
left join {{ ref('dim_agency') }} as agencies
    on
        agencies.agency_code = 'angelou'
        and records.referred_date >= agencies.valid_from
        and (agencies.valid_to is null or records.referred_date <= agencies.valid_to)
