with recorded as (
    select distinct
        home_office_code,
        major_class,
        minor_class
    from {{ ref('int_police__offence_labels') }}
),

-- a code is listed whole (4/1) or by its class (45/10 is of class 45)
coded as (
    select
        recorded.home_office_code,
        recorded.major_class,
        recorded.minor_class,
        coalesce(listed.home_office_code, listed_class.home_office_code) as listed_code,
        'police.' || {{ dotted(['recorded.home_office_code', 'recorded.major_class', 'recorded.minor_class']) }}
            as offence_code
    from recorded
    left join {{ ref('home_office_offences') }} as listed on recorded.home_office_code = listed.home_office_code
    left join {{ ref('home_office_offences') }} as listed_class
        on split_part(recorded.home_office_code, '/', 1) = listed_class.home_office_code
)

select
    home_office_code,
    major_class,
    minor_class,
    listed_code,
    offence_code,
    {{ surrogate_key(['offence_code']) }} as offence_key
from coded
