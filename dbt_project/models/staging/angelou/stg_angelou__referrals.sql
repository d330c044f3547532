select
    record.record_key,
    delivery.scope,
    record.period,
    record.referral_id_angelou,
    record.referred_date,
    record.strands,
    record.referral_source,
    record.is_repeat,
    record.borough_name,
    record.ward_name,
    record.age,
    record.sex_name,
    record.support_from_date,
    record.client_token,
    record.delivery_id,
    delivery.is_simulated
from {{ source('raw', 'angelou_referrals') }} as record
inner join {{ source('quality', 'delivery') }} as delivery on record.delivery_id = delivery.delivery_id
where record.withdrawn_delivery_id is null
