{{ config(indexes=[{'columns': ['vawg_referral_key', 'strand_name'], 'unique': true}]) }}

select distinct
    {{ surrogate_key(['referral_id_angelou']) }} as vawg_referral_key,
    {{ each_of_list('strands') }} as strand_name,
    is_simulated,
    {{ build_id() }} as build_id
from {{ ref('stg_angelou__referrals') }}
