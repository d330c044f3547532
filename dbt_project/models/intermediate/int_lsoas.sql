with names as (
    select
        lsoa_code,
        lsoa_name,
        borough_code,
        '2011' as boundary_vintage,
        1 as place,
        is_simulated
    from {{ ref('stg_reference__lsoa_ward') }}
    union all
    select
        lsoa_code,
        lsoa_name,
        borough_code,
        '2011' as boundary_vintage,
        2 as place,
        is_simulated
    from {{ ref('stg_reference__lsoa_population') }}
    union all
    select
        lsoa_2011_code as lsoa_code,
        lsoa_2011_name as lsoa_name,
        borough_code,
        '2011' as boundary_vintage,
        3 as place,
        is_simulated
    from {{ ref('stg_reference__lsoa_2001_2011') }}
    union all
    select
        lsoa_2001_code as lsoa_code,
        lsoa_2001_name as lsoa_name,
        borough_code,
        '2001' as boundary_vintage,
        4 as place,
        is_simulated
    from {{ ref('stg_reference__lsoa_2001_2011') }}
    union all
    select
        area_code as lsoa_code,
        max(area_name) as lsoa_name,
        max(borough_code) as borough_code,
        min(boundary_year)::text as boundary_vintage,
        5 as place,
        {{ any_true('is_simulated') }} as is_simulated
    from {{ ref('stg_reference__boundaries') }}
    where area_type = 'lsoa'
    group by area_code
    union all
    -- areas outside London, or of a vintage that no look-up knows, that crimes were published in
    select
        lsoa_code,
        max(lsoa_name) as lsoa_name,
        null as borough_code,
        'unlisted' as boundary_vintage,
        6 as place,
        {{ any_true('is_simulated') }} as is_simulated
    from {{ ref('stg_police_open__street') }}
    where lsoa_code is not null
    group by lsoa_code
),

names_ranked as (
    select
        *,
        row_number() over (partition by lsoa_code order by place, lsoa_name, borough_code) as rank_of_source
    from names
)

select
    names_ranked.lsoa_code,
    names_ranked.lsoa_name,
    names_ranked.boundary_vintage,
    names_ranked.is_simulated,
    {{ district_of_lsoa_name('names_ranked.lsoa_name') }} as district_name,
    coalesce(names_ranked.borough_code, borough_names.borough_code) as borough_code
from names_ranked
left join {{ ref('int_borough_names') }} as borough_names
    on
        {{ fold_label(district_of_lsoa_name('names_ranked.lsoa_name')) }} = borough_names.folded_name
        and borough_names.is_known
where names_ranked.rank_of_source = 1
