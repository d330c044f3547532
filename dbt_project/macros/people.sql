{#- A sex as people read it; anything but M and F is not known. -#}
{% macro sex_name(column) -%}
    case {{ column }} when 'M' then 'Male' when 'F' then 'Female' else 'Not known' end
{%- endmacro %}


{#-
    The people of one side of offences, with what an analyst groups them by in words: `role` is victim or accused.
    A person who stands in several offences is a row in each. Offences that are no longer held are left out, since
    nobody can say any more what their people were victims of. `condition` chooses by columns of `people` and
    `offences` (dim_offence), before the names are looked up: most victims are of no interest to a priority.
    A model that is rebuilt by financial years (meta.rebuilds) takes the people of those only.
-#}
{% macro people_of_offences(role, condition='true', offence_columns=[]) -%}
    {%- set relationship = 'relationship_to_accused' if role == 'victim' else 'relationship_to_victim' -%}
    select
        '{{ role }}' as role,
        people.recorded_offence_key,
        people.offence_id_police,
        people.{{ role }}_token as person_token,
        people.recorded_date,
        people.month,
        {{ financial_year('people.month') }} as financial_year,
        people.offence_key,
        people.borough_key,
        people.ward_key,
        people.is_domestic_abuse,
        people.is_hate_crime,
        people.is_knife_used,
        people.is_knife_threatened,
        people.is_firearm,
        people.is_on_carnival_day,
        people.age,
        age_bands.age_band_name as age_band,
        {{ sex_name('people.sex_code') }} as sex,
        coalesce(nullif(people.ethnic_appearance, 'Unknown'), 'Not known') as ethnic_appearance,
        case
            when people.residence_borough_key <> {{ unknown_key() }} then residences.borough_name
            else coalesce(nullif(people.residence_name, 'Unknown'), 'Not known')
        end as residence,
        case
            when people.{{ relationship }} is null then 'Not known'
            else coalesce(relationships.relationship_group_name, 'Not listed')
        end as relationship,
        {% if role == 'victim' -%}
        coalesce(people.injury_degree, 'Not known') as injury_degree,
        {%- else -%}
        'Not applicable' as injury_degree,
        {%- endif %}
        {%- for column in offence_columns %}
        offences.{{ column }},
        {%- endfor %}
        people.is_simulated
    from {{ ref('fct_offence_' ~ role) }} as people
    inner join {{ ref('dim_offence') }} as offences on people.offence_key = offences.offence_key
    left join {{ ref('dim_age_band') }} as age_bands on people.age_band_key = age_bands.age_band_key
    left join {{ ref('dim_borough') }} as residences on people.residence_borough_key = residences.borough_key
    left join {{ ref('relationships') }} as relationships
        on people.{{ relationship }} = relationships.relationship_name
    where
        people.is_offence_held
        and ({{ condition }})
        {%- if execute and is_incremental() %}
        {%- set rebuilds = config.get('meta')['rebuilds'] %}
        and people.month in (
            {{ months_of_changed_financial_years(rebuilds.feeds, rebuilds.lookups, rebuilds.people) }}
        )
        {%- endif %}
{%- endmacro %}


{#-
    How the people of each group are distributed: one row a group, characteristic and value, in one reading of
    `relation` (a row a person in an offence: the columns of `groups`, those of `characteristics`, person_token, age,
    is_simulated). The row of characteristic `all` holds the whole group.
-#}
{% macro people_by_characteristic(relation, groups, characteristics) -%}
    {%- set keys = groups | join(', ') -%}
    select
        {{ keys }},
        case
            {%- for characteristic in characteristics %}
            when grouping({{ characteristic }}) = 0 then '{{ characteristic }}'
            {%- endfor %}
            else 'all'
        end as characteristic,
        case
            {%- for characteristic in characteristics %}
            when grouping({{ characteristic }}) = 0 then {{ characteristic }}
            {%- endfor %}
            else 'All'
        end as characteristic_value,
        count(*)::integer as people_count,
        count(distinct person_token)::integer as different_people_count,
        avg(age)::numeric(20, 10) as mean_age,
        {{ any_true('is_simulated') }} as is_simulated
    from {{ relation }}
    group by grouping sets (
        ({{ keys }})
        {%- for characteristic in characteristics %},
        ({{ keys }}, {{ characteristic }})
        {%- endfor %}
    )
{%- endmacro %}


{#- A row's people as a share (0-1) of its whole group, the row of characteristic `all`. -#}
{% macro share_of_group(relation, groups) -%}
    (
        {{ relation }}.people_count::numeric
        / max(case when {{ relation }}.characteristic = 'all' then {{ relation }}.people_count end) over (
            partition by {{ relation }}.{{ groups | join(', ' ~ relation ~ '.') }}
        )
    )::numeric(20, 10)
{%- endmacro %}


{#-
    People of one cell of a distribution (a `<subject>_people_financial_year`, aliased `people`) as a column of a wide
    mart: a role, a value of a characteristic or the whole group, and a class where there are several. `value` is an
    SQL expression, `class` a pair of column and value.
-#}
{% macro people_in(role, characteristic='all', value="'All'", class=none, column='people_count') -%}
    sum(
        case
            when
                people.role = '{{ role }}'
                {% if class -%}
                and people.{{ class[0] }} = '{{ class[1] }}'
                {% endif -%}
                and people.characteristic = '{{ characteristic }}'
                and people.characteristic_value = {{ value }}
                then people.{{ column }}
            else 0
        end
    )::integer
{%- endmacro %}


{#- Their mean age, of the whole group. -#}
{% macro mean_age_in(role) -%}
    max(case when people.role = '{{ role }}' and people.characteristic = 'all' then people.mean_age end)
{%- endmacro %}


{#- How many boroughs of London (CTE `london`, joined by residence) the people of a class and role live in. -#}
{% macro boroughs_of_people(role, class) -%}
    count(
        distinct case
            when
                people.role = '{{ role }}'
                and people.{{ class[0] }} = '{{ class[1] }}'
                then london.borough_code
        end
    )::integer
{%- endmacro %}
