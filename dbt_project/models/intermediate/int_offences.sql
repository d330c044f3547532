with listed as (
    select
        offence_code,
        label_generation,
        major_name,
        minor_name,
        comparable_parent_code,
        comparable_parent_name,
        burglary_class,
        valid_from,
        valid_to,
        true as is_known
    from {{ ref('offences') }}
),

-- a label that is new to us is let in under its own name; nothing is known of what it may be compared with
unlisted_mps as (
    select
        offence_code,
        'unlisted' as label_generation,
        max(major_category) as major_name,
        max(minor_category) as minor_name,
        'unlisted' as comparable_parent_code,
        'Not known' as comparable_parent_name,
        case when max({{ fold_label('major_category') }}) = 'burglary' then 'unlisted' end as burglary_class,
        min(month) as valid_from,
        null::date as valid_to,
        false as is_known
    from {{ ref('int_mps__offence_of_label') }}
    where not is_known
    group by offence_code
),

unlisted_police_open as (
    select
        offence_code,
        'unlisted' as label_generation,
        max(crime_type) as major_name,
        max(crime_type) as minor_name,
        'unlisted' as comparable_parent_code,
        'Not known' as comparable_parent_name,
        null as burglary_class,
        null::date as valid_from,
        null::date as valid_to,
        false as is_known
    from {{ ref('int_police_open__crime_types') }}
    where not is_known
    group by offence_code
)

select * from listed
union all
select * from unlisted_mps
union all
select * from unlisted_police_open
