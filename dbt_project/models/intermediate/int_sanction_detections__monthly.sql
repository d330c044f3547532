-- An offence is detected once, by its earliest sanction detection, however many people were dealt with for it.
select
    month,
    outcome_month,
    borough_key,
    ward_key,
    offence_key,
    coalesce(is_domestic_abuse, false) as is_domestic_abuse,
    coalesce(is_hate_crime, false) as is_hate_crime,
    coalesce(is_knife_used, false) as is_knife_used,
    count(*)::integer as detected_offence_count,
    {{ any_true('is_simulated') }} as is_simulated
from {{ ref('fct_offence_outcome') }}
where
    is_first_sanction_detection
    and is_offence_held
group by
    month, outcome_month, borough_key, ward_key, offence_key,
    coalesce(is_domestic_abuse, false), coalesce(is_hate_crime, false), coalesce(is_knife_used, false)
