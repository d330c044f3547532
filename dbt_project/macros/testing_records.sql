{#-
    Records of a feed that came, changed or went since the last published build, one row each: record_key and
    `columns`. A test that reads these alone costs what the night brought. Where everything is built anew they are all.
-#}
{% macro records_to_test(feed, columns) -%}
    {%- set previous = 0 if execute and flags.FULL_REFRESH else newest_build('published') | trim -%}
    {%- set unseen -%}
    select delivery.delivery_id
    from {{ source('quality', 'delivery') }} as delivery
    where
        delivery.state = 'admitted'
        and delivery.feed = '{{ feed }}'
        and not exists (
            select 1
            from {{ source('quality', 'build_delivery') }} as seen
            where
                seen.delivery_id = delivery.delivery_id
                and seen.build_id = {{ previous }}
        )
    {%- endset -%}
    {#- as numbers, so that the planner finds their rows by index -#}
    {%- set deliveries = (run_query(unseen).columns[0].values() if execute else []) | join(', ') or 'null' -%}
    select
        record.record_key,
        record.{{ columns | join(', record.') }}
    from {{ source('raw', feed) }} as record
    where record.delivery_id in ({{ deliveries }})
    union
    select
        record.record_key,
        record.{{ columns | join(', record.') }}
    from {{ source('raw', feed) }} as record
    where record.withdrawn_delivery_id in ({{ deliveries }})
{%- endmacro %}
