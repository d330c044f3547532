{{ config(meta={
    'meaning': 'The shares of an area that was redrawn do not add up to 1, so records would be lost or counted twice.',
    'next_step': 'Look at int_areas__weights, and at the boundaries and look-ups that were delivered; mend the model or withdraw the delivery.',
}) }}

select
    change_code,
    from_area_code,
    is_simulated
from {{ ref('recording_code_weight') }}
where from_area_code is not null
group by change_code, from_area_code, is_simulated
having abs(sum(weight) - 1) > 0.000001
