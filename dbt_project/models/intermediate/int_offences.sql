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
),

-- the police's own words, record by record: a code and two classes in the words of their day
police as (
    select
        classes.offence_code,
        'police' as label_generation,
        max(classes.major_class) as major_name,
        max(classes.minor_class) as minor_name,
        coalesce(max(codes.comparable_parent_code), 'unlisted') as comparable_parent_code,
        coalesce(max(codes.comparable_parent_name), 'Not known') as comparable_parent_name,
        coalesce(
            max(codes.burglary_class),
            case when max({{ fold_label('classes.major_class') }}) = 'burglary' then 'unlisted' end
        ) as burglary_class,
        max(codes.valid_from) as valid_from,
        max(codes.valid_to) as valid_to,
        coalesce({{ any_true('codes.home_office_code is not null') }}, false) as is_known,
        max(classes.listed_code) as home_office_code
    from {{ ref('int_police__classifications') }} as classes
    left join {{ ref('home_office_offences') }} as codes on classes.listed_code = codes.home_office_code
    group by classes.offence_code
),

members as (
    select
        *,
        null as home_office_code
    from listed
    union all
    select
        *,
        null as home_office_code
    from unlisted_mps
    union all
    select
        *,
        null as home_office_code
    from unlisted_police_open
    union all
    select * from police
)

select
    members.*,
    codes.home_office_name,
    {%- for definition in offence_definitions() %}
    coalesce(codes.{{ definition }}, published.{{ definition }}) as {{ definition }}
    {%- if not loop.last %},{% endif %}
    {%- endfor %}
from members
left join {{ ref('home_office_offences') }} as codes on members.home_office_code = codes.home_office_code
left join {{ ref('published_offence_definitions') }} as published on members.offence_code = published.offence_code
