{#-
    Something came for the feed in the last days; a feed that has never delivered is not in use. What came again as it
    was before has come. Returns the last delivery where it is too long ago.
-#}
{% test arrives_in_time(model, feed, days) %}
select max(delivery.received_at) as last_received_at
from {{ source('quality', 'delivery') }} as delivery
where delivery.feed = '{{ feed }}' and delivery.state in ('admitted', 'duplicate')
having max(delivery.received_at) < current_timestamp - interval '{{ days }} days'
{% endtest %}
