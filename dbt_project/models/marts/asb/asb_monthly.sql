{{
    config(
        indexes=[
            {'columns': ['geography_type', 'geography_code', 'asb_class', 'month'], 'unique': true},
            {'columns': ['borough_code', 'month']},
        ],
    )
}}

with recorded as (
    select * from {{ ref('int_asb__monthly_counts') }}
),

by_area as (
    {{ area_levels('recorded', keep=['feed', 'asb_class', 'month', 'record_count', 'is_simulated']) }}
),

-- beside its classes each feed has a class that is all of it
by_class as (
    select
        *,
        false as is_parent
    from by_area
    where asb_class <> 'police_not_known'
    union all
    select
        {{ area_columns() | join(', ') }},
        feed,
        case feed
            when 'police_asb_incidents' then 'police_all'
            when 'tmo_asb_cases' then 'landlord_all'
            else 'council_all'
        end as asb_class,
        month,
        record_count,
        is_simulated,
        true as is_parent
    from by_area
),

summed as (
    select
        {{ area_columns() | join(', ') }},
        feed,
        asb_class,
        is_parent,
        month,
        sum(record_count)::integer as records_as_recorded,
        {{ any_true('is_simulated') }} as is_simulated
    from by_class
    group by {{ area_columns() | join(', ') }}, feed, asb_class, is_parent, month
),

calls as (
    select * from summed
    where feed = 'police_asb_incidents'
),

cases as (
    select * from summed
    where feed = 'tmo_asb_cases'
),

actions as (
    select * from summed
    where feed = 'council_enforcement_actions'
),

every_month as (
    {{ every_month('calls', ['asb_class', 'is_parent'], 'records', 'police_asb_incidents') }}
    union all
    {{ every_month('cases', ['asb_class', 'is_parent'], 'records', 'tmo_asb_cases') }}
    union all
    {{ every_month('actions', ['asb_class', 'is_parent'], 'records', 'council_enforcement_actions') }}
),

-- a service that did not exist yet took no action: it has no figure, and not 0
first_months as (
    select
        asb_class,
        min(month) as first_month
    from summed
    group by asb_class
),

counts as (
    select
        every_month.*,
        case every_month.feed
            when 'police_asb_incidents' then 'asb_police'
            when 'tmo_asb_cases' then 'asb_cases'
            else 'enforcement'
        end as series,
        case every_month.feed
            when 'police_asb_incidents' then 'Calls to the police'
            when 'tmo_asb_cases' then 'Cases opened by the landlord'
            else 'Actions of the council'
        end as source_name
    from every_month
    inner join first_months
        on
            every_month.asb_class = first_months.asb_class
            and every_month.month >= first_months.first_month
),

{{ compare_months(
    class_column='asb_class',
    measure='records',
    subject='anti-social behaviour',
    whole='All anti-social behaviour reported to the police',
    also=['source_name'],
) }}
