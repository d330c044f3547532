{{
    config(
        materialized='incremental',
        incremental_strategy='replace_changed_records',
        on_schema_change='fail',
        indexes=[
            {'columns': ['recorded_offence_key'], 'unique': true},
            {'columns': ['premises_token']},
            {'columns': ['build_id']},
        ],
        meta={
            'rebuilds': {
                'feeds': ['police_offences'],
                'lookups': place_lookups(),
                'key': 'offence_id_police',
                'key_column': 'recorded_offence_key',
                'follows': 'int_burglary__premises',
            }
        },
    )
}}

select
    repeats.recorded_offence_key,
    repeats.offence_id_police,
    repeats.premises_token,
    repeats.recorded_date,
    repeats.month,
    {{ financial_year('repeats.month') }} as financial_year,
    repeats.previous_recorded_date,
    (repeats.recorded_date - repeats.previous_recorded_date)::integer as days_since_previous,
    repeats.burglaries_in_previous_12_months,
    repeats.burglary_class as burglary_class_as_recorded,
    places.location_type_name,
    repeats.is_walk_in_entry,
    boroughs.borough_code,
    boroughs.borough_name,
    wards.ward_code,
    wards.ward_name,
    repeats.is_simulated,
    {{ build_id() }} as build_id
from {{ ref('int_burglary__premises') }} as repeats
left join {{ ref('dim_borough') }} as boroughs on repeats.borough_key = boroughs.borough_key
left join {{ ref('dim_ward') }} as wards on repeats.ward_key = wards.ward_key
left join {{ ref('dim_location_type') }} as places on repeats.location_type_key = places.location_type_key
where
    repeats.burglaries_in_previous_12_months > 0
    {% if is_incremental() %}
    and repeats.recorded_offence_key in ({{ rows_written_since('int_burglary__premises', 'recorded_offence_key') }})
    {% endif %}
