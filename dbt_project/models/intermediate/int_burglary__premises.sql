{{
    config(
        materialized='incremental',
        incremental_strategy='replace_changed_records',
        on_schema_change='fail',
        indexes=[
            {'columns': ['recorded_offence_key'], 'unique': true},
            {'columns': ['premises_token']},
            {'columns': ['address_token']},
            {'columns': ['month']},
            {'columns': ['build_id']},
        ],
        meta={
            'rebuilds': {
                'feeds': ['police_offences'],
                'lookups': place_lookups(),
                'key': 'offence_id_police',
                'key_column': 'recorded_offence_key',
                'relatives': true,
            }
        },
    )
}}
{%- set columns = [
    'recorded_offence_key', 'offence_id_police', 'recorded_date', 'month', 'borough_key', 'ward_key',
    'location_type_key', 'burglary_class', 'is_walk_in_entry', 'named_premises_token', 'address_token', 'is_simulated',
] %}

with brought as (
    select
        crime.recorded_offence_key,
        crime.offence_id_police,
        crime.recorded_date,
        crime.month,
        crime.borough_key,
        crime.ward_key,
        crime.location_type_key,
        offences.burglary_class,
        crime.is_walk_in_entry,
        crime.premises_token as named_premises_token,
        crime.address_token,
        crime.is_simulated
    from {{ ref('fct_offence') }} as crime
    inner join {{ ref('dim_offence') }} as offences on crime.offence_key = offences.offence_key
    where
        offences.is_burglary
        and coalesce(crime.premises_token, crime.address_token) is not null
        {% if is_incremental() %}
        and crime.recorded_offence_key in (
            select {{ surrogate_key(['changed.offence_id_police']) }}
            from ({{ changed_records(['police_offences'], 'offence_id_police', lookups=place_lookups()) }}) as changed
        )
        {% endif %}
),

{% if is_incremental() -%}
-- what is held of other burglaries: they may be at the addresses and premises of those that changed
changed as (
    select {{ surrogate_key(['changed.offence_id_police']) }} as recorded_offence_key
    from ({{ changed_records(['police_offences'], 'offence_id_police', lookups=place_lookups()) }}) as changed
),

replaced as (
    select
        held.address_token,
        held.premises_token
    from {{ this }} as held
    inner join changed on held.recorded_offence_key = changed.recorded_offence_key
),

addresses as (
    select address_token from replaced
    where address_token is not null
    union
    select address_token from brought
    where address_token is not null
),

at_the_addresses as (
    select held.*
    from {{ this }} as held
    inner join addresses on held.address_token = addresses.address_token
    where held.recorded_offence_key not in (select changed.recorded_offence_key from changed)
),

{% endif -%}
burglaries as (
    select {{ columns | join(', ') }} from brought
    {%- if is_incremental() %}
    union all
    select {{ columns | join(', ') }} from at_the_addresses
    {%- endif %}
),

-- where a burglary names an address but no premises, another one may say which premises that address is
premises_of_address as (
    select
        address_token,
        min(named_premises_token) as premises_token
    from burglaries
    where address_token is not null and named_premises_token is not null
    group by address_token
),

placed as (
    select
        burglaries.*,
        coalesce(burglaries.named_premises_token, known.premises_token, burglaries.address_token) as premises_token
    from burglaries
    left join premises_of_address as known on burglaries.address_token = known.address_token
),

{% if is_incremental() -%}
premises as (
    select premises_token from placed
    union
    select premises_token from replaced
    union
    select premises_token from at_the_addresses
),

{% endif -%}
at_premises as (
    select * from placed
    {%- if is_incremental() %}
    union all
    select
        {%- for column in columns %}
        held.{{ column }},
        {%- endfor %}
        held.premises_token
    from {{ this }} as held
    inner join premises on held.premises_token = premises.premises_token
    where
        held.recorded_offence_key not in (select changed.recorded_offence_key from changed)
        and held.recorded_offence_key not in (select placed.recorded_offence_key from placed)
    {%- endif %}
),

-- a second burglary recorded on the same day may be the same event: earlier is an earlier day
with_earlier as (
    select
        *,
        count(*) over twelve_months_before as burglaries_in_previous_12_months,
        max(recorded_date) over twelve_months_before as previous_recorded_date
    from at_premises
    window
        twelve_months_before as (
            partition by premises_token
            order by recorded_date
            range between interval '1 year' preceding and interval '1 day' preceding
        )
)

select
    {%- for column in columns %}
    {{ column }},
    {%- endfor %}
    premises_token,
    burglaries_in_previous_12_months::integer as burglaries_in_previous_12_months,
    previous_recorded_date,
    {{ build_id() }} as build_id
from with_earlier
{% if is_incremental() -%}
-- of the others those that are told something new: the months that repeats are counted anew for are theirs
where
    not exists (
        select 1
        from {{ this }} as held
        where
            held.recorded_offence_key = with_earlier.recorded_offence_key
            and held.recorded_offence_key not in (select changed.recorded_offence_key from changed)
            and held.premises_token = with_earlier.premises_token
            and held.burglaries_in_previous_12_months = with_earlier.burglaries_in_previous_12_months
            and held.previous_recorded_date is not distinct from with_earlier.previous_recorded_date
    )
{%- endif %}
