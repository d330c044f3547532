-- The register and the ledger together. What people decided wins: a finding that they confirmed counts as an entry of
-- the register does, and an entry that they rejected for an area has no effect there.
with registered as (
    select
        concerned.change_code,
        concerned.series,
        coalesce(regimes.valid_from, changes.effective_from) as changed_on,
        nullif(concerned.feed, '') as feed,
        boroughs.borough_code,
        case parts.is_parent
            when true then coalesce(regimes.treatment_of_parent, concerned.treatment_of_parent)
            else coalesce(regimes.treatment_of_children, concerned.treatment_of_children)
        end as treatment,
        parts.is_parent
    from {{ ref('recording_change_series') }} as concerned
    inner join {{ ref('recording_changes') }} as changes on concerned.change_code = changes.change_code
    left join {{ ref('recording_regimes') }} as regimes on concerned.regime_code = regimes.regime_code
    -- a change of one borough; England and Wales, or London, are all boroughs
    left join {{ ref('boroughs') }} as boroughs on changes.geography = boroughs.borough_name
    cross join (values (true), (false)) as parts (is_parent)
    where changes.status = 'active'
),

found as (
    select * from {{ ref('int_recording__findings') }}
),

mapped as (
    select distinct change_code
    from {{ ref('int_recording__code_maps_found') }}
),

-- the register speaks for a finding where its entry says how to compare
confirmed as (
    select
        found.*,
        case
            when found.treatment in ('note', 'reload') then 'note'
            when found.is_level then 'bridge'
            when found.treatment = 'bridge' and not found.is_parent and mapped.change_code is not null then 'bridge'
            else 'break'
        end as treatment_decided
    from found
    left join mapped on found.change_code = mapped.change_code
    left join registered
        on
            found.register_id = registered.change_code
            and found.series = registered.series
            and found.is_parent = registered.is_parent
            and registered.treatment in ('bridge', 'break')
    where
        found.state = 'confirmed'
        and found.kind <> 'data_fault'
        and registered.change_code is null
)

select
    change_code,
    series,
    is_parent,
    null::text as class_name,
    borough_code,
    null::text as ward_code,
    feed,
    changed_on,
    treatment,
    'registered' as status,
    null::date as provisional_from,
    null::date as provisional_to,
    null::text as caveat
from registered
where treatment in ('bridge', 'break')
union all
select
    change_code,
    series,
    is_parent,
    class_name,
    borough_code,
    ward_code,
    feed,
    changed_on,
    treatment_decided as treatment,
    'confirmed' as status,
    null as provisional_from,
    null as provisional_to,
    'Counting changed in ' || {{ month_in_words('changed_on') }} || ', which has been confirmed'
    || case treatment_decided
        when 'break' then ': do not compare the figures as recorded before it with those since.'
        when 'bridge' then ': figures before it and since are comparable as they stand beside each other here.'
        else '; compare figures before it and since with care.'
    end as caveat
from confirmed
union all
select
    register_id as change_code,
    series,
    is_parent,
    null as class_name,
    borough_code,
    ward_code,
    feed,
    changed_on,
    'rejected' as treatment,
    'rejected' as status,
    null as provisional_from,
    null as provisional_to,
    'A change in counting that is known from elsewhere was looked at and found not to have happened here in '
    || {{ month_in_words('changed_on') }} || '.' as caveat
from found
where
    state = 'rejected'
    and register_id is not null
union all
select
    change_code,
    series,
    is_parent,
    class_name,
    borough_code,
    ward_code,
    feed,
    changed_on,
    'provisional' as treatment,
    'suspected' as status,
    changed_on as provisional_from,
    ({{ add_years('changed_on', 1) }} - interval '1 month')::date as provisional_to,
    'From ' || {{ month_in_words('changed_on') }} || ' on the counting may have changed, and not what is counted'
    || ': this is suspected and not confirmed. Compare with the months before only with care.' as caveat
from found
where
    state = 'suspected'
    and kind in ('recording', 'unsure')
    and not is_level
union all
-- the months of a fault, and those that are compared with them
select
    found.change_code,
    found.series,
    found.is_parent,
    found.class_name,
    found.borough_code,
    found.ward_code,
    found.feed,
    found.changed_on,
    'provisional' as treatment,
    'data_fault' as status,
    case years_later.years when 0 then found.changed_on else {{ add_years('found.changed_on', 1) }} end
        as provisional_from,
    case years_later.years when 0 then found.latest_month else {{ add_years('found.latest_month', 1) }} end
        as provisional_to,
    case years_later.years
        when 0 then 'The figure may be faulty or not whole: the files of '
        else 'The figure of the year before may be faulty or not whole: the files of '
    end
    || {{ month_in_words('found.changed_on') }}
    || case
        when found.latest_month > found.changed_on then ' to ' || {{ month_in_words('found.latest_month') }} else ''
    end
    || ' are being checked.' as caveat
from found
cross join (values (0), (1)) as years_later (years)
where
    found.kind = 'data_fault'
    and found.state in ('suspected', 'registered', 'confirmed')
