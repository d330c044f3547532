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

with offences as (
    select
        monthly.borough_key,
        monthly.ward_key,
        monthly.month,
        monthly.offence_count,
        monthly.is_simulated,
        {%- for offence_type, name, definition, series in offence_types() %}
        classes.{{ definition }}{{ ' as is_' ~ offence_type if definition != 'is_' ~ offence_type }},
        {%- endfor %}
        -- an offence whose code nobody has listed counts until somebody says that it is not notifiable
        coalesce(classes.is_notifiable, true) as is_notifiable,
        coalesce(classes.is_notifiable, true) and classes.is_fraud as is_fraud,
        monthly.is_domestic_abuse,
        classes.is_violence_with_injury and not coalesce(monthly.is_domestic_abuse, false)
            as is_non_domestic_violence_with_injury,
        monthly.is_hate_crime,
        coalesce(monthly.is_knife_used, false) or coalesce(monthly.is_knife_threatened, false) as is_knife_offence
    from {{ ref('int_offences__monthly') }} as monthly
    inner join {{ ref('dim_offence') }} as classes on monthly.offence_key = classes.offence_key
    {% if is_incremental() %}
    where
        monthly.month in ({{ changed_months(['police_offences'], lookups=place_lookups()) }})
    {% endif %}
)

select
    borough_key,
    ward_key,
    month,
    {%- for kind in offence_kinds() %}
    sum(case when is_{{ kind }} then offence_count else 0 end)::integer as {{ kind }}_count,
    {%- endfor %}
    {{ any_true('is_simulated') }} as is_simulated,
    {{ build_id() }} as build_id
from offences
group by borough_key, ward_key, month
