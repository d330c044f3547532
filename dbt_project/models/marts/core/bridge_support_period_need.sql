{{ config(indexes=[{'columns': ['support_period_key', 'need_name'], 'unique': true}]) }}

select distinct
    {{ surrogate_key(['client_id_rahab', 'support_from_date']) }} as support_period_key,
    {{ each_of_list('needs') }} as need_name,
    is_simulated,
    {{ build_id() }} as build_id
from {{ ref('stg_rahab__clients') }}
