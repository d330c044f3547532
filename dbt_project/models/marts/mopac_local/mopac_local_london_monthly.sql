{{
    config(
        indexes=[
            {'columns': ['geography_type', 'geography_code', 'offence_class', 'month'], 'unique': true},
            {'columns': ['borough_code', 'month']},
        ],
    )
}}

with crimes as (
    select
        monthly.geography_level,
        monthly.month,
        monthly.borough_key,
        monthly.ward_key,
        case
            when offences.is_theft_from_motor_vehicle then 'theft_from_motor_vehicle' else 'violence_with_injury'
        end as offence_class,
        offences.minor_name as label_as_published,
        monthly.offence_count,
        monthly.is_simulated
    from {{ ref('fct_recorded_crime_monthly') }} as monthly
    inner join {{ ref('dim_offence') }} as offences on monthly.offence_key = offences.offence_key
    where
        offences.is_theft_from_motor_vehicle
        or offences.is_violence_with_injury
),

areas as (
    select
        crimes.geography_level as geography_type,
        case when crimes.geography_level = 'ward' then wards.ward_code else boroughs.borough_code end
            as geography_code,
        case when crimes.geography_level = 'ward' then wards.ward_name else boroughs.borough_name end
            as geography_name,
        boroughs.borough_code,
        boroughs.borough_name,
        case when crimes.geography_level = 'ward' then wards.ward_code end as ward_code,
        case when crimes.geography_level = 'ward' then wards.ward_name end as ward_name,
        crimes.month,
        crimes.offence_class,
        crimes.label_as_published,
        crimes.offence_count,
        crimes.is_simulated
    from crimes
    inner join {{ ref('dim_borough') }} as boroughs on crimes.borough_key = boroughs.borough_key
    inner join {{ ref('dim_ward') }} as wards on crimes.ward_key = wards.ward_key
    where
        not boroughs.is_pseudo_borough
        -- a ward that no one knows is no place to report on; its offences are in the borough's figure
        and (crimes.geography_level = 'borough' or crimes.ward_key <> {{ unknown_key() }})
    union all
    -- London is what the file holds, the airports' pseudo-boroughs included
    select
        'london' as geography_type,
        'E12000007' as geography_code,
        'London' as geography_name,
        null as borough_code,
        null as borough_name,
        null as ward_code,
        null as ward_name,
        crimes.month,
        crimes.offence_class,
        crimes.label_as_published,
        crimes.offence_count,
        crimes.is_simulated
    from crimes
    where crimes.geography_level = 'borough'
),

published as (
    select
        {{ area_columns() | join(', ') }},
        month,
        offence_class,
        sum(offence_count)::integer as offences_as_recorded,
        {{ join_texts('label_as_published', ' + ') }} as label_as_published,
        {{ any_true('is_simulated') }} as is_simulated
    from areas
    group by {{ area_columns() | join(', ') }}, month, offence_class
),

counts as (
    select
        *,
        offence_class as series,
        true as is_parent,
        replace(offence_class, '_', ' ') as subject
    from (
        select * from published
        union all
        {{ wards_before_they_were_drawn(
            'published', 'offence_class', {'offences_as_recorded': 'integer', 'label_as_published': 'text'}
        ) | indent(8) }}
    ) as published_and_made
),

{{ compare_months(
    class_column='offence_class',
    measure='offences',
    subject_column='subject',
    published_by_mps=true,
    also=['label_as_published'],
) }}
