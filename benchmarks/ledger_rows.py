"""Accounts of ten years of nights for the benchmark of the pages: deliveries, builds, task runs, checks, alerts.

They are written by SQL beside what the real loader, detector and publishing left: nobody waits ten years for them.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg
from saferkc.contracts import Contract, load_contracts
from saferkc.contracts.calendar import IsHoliday, bank_holidays
from saferkc.settings import Settings

# what a night of `make run` writes, in round numbers
_CHECKS_OF_A_BUILD = 600
_CHECKS_OF_A_DELIVERY = 20
# so many of the newest builds say which deliveries they saw: the pages ask only for the last that was published
_BUILDS_WITH_DELIVERIES = 30
_OPEN_ALERTS = 40
_LINES_OF_A_BAD_DELIVERY = 100_000

_TABLES = (
    "delivery", "quarantine", "build", "build_delivery", "task_run", "check_result", "alert", "alert_event",
    "recording_change", "recording_decision",
)  # fmt: skip


def write(settings: Settings, url: str, years: int) -> dict[str, int]:
    """Enter ``years`` years of nights up to now; rows in each table of the account afterwards."""
    now = datetime.now(UTC)
    with psycopg.connect(url, autocommit=True) as connection:
        published = _one(connection, "select max(build_id) from quality.build where state = 'published'")
        with connection.transaction():
            _deliveries(connection, settings, now, years)
            _builds(connection, now, years, published)
            _checks(connection)
            _changes(connection, years)
            _alerts(connection, now, years)
        for table in _TABLES:
            connection.execute(f"vacuum (analyze) quality.{table}".encode())
        return {table: _one(connection, f"select count(*) from quality.{table}") for table in _TABLES}  # noqa: S608


def bad_delivery(url: str) -> int:
    """The number of the delivery with the most quarantined lines."""
    query = "select delivery_id from quality.quarantine group by 1 order by count(*) desc limit 1"
    with psycopg.connect(url) as connection:
        return _one(connection, query)


def _deliveries(connection: psycopg.Connection, settings: Settings, now: datetime, years: int) -> None:
    """A delivery for each time that one was due by its contract; one in fifty refused, one in fifty known already."""
    since = now - timedelta(days=365 * years)
    holiday = bank_holidays(settings.bank_holidays_file)
    connection.execute("create temporary table due (feed text, at timestamptz, contract_version text)")
    with connection.cursor().copy("copy due from stdin") as copy:
        for contract in load_contracts(settings.contracts_dir).values():
            for at in _due(contract, since, now, holiday):
                copy.write_row((contract.feed, at, contract.version))
    connection.execute(
        """
        insert into quality.delivery (feed, source_name, sha256, bytes, received_at, finished_at, covers_from,
            covers_to, scope, vintage, state, rows_in, rows_admitted, rows_unchanged, rows_quarantined, rows_refused,
            reason, is_simulated, contract_version)
        select feed, feed || '_' || to_char(at, 'YYYY-MM-DD') || '.csv', repeat(md5(feed || at), 2), 40000,
            at - random() * interval '5 hours', at, at::date - 1, at::date - 1, 'benchmark', at::date, state,
            case when state = 'refused' then 0 else 400 end, case when state = 'admitted' then 390 else 0 end,
            case when state = 'duplicate' then 400 else 0 end,
            case when state = 'admitted' then 10 else 0 end, case when state = 'refused' then 400 else 0 end,
            case when state = 'refused' then 'The heading of a column is missing.' end, true, contract_version
        from (
            select *, case abs(hashtext(feed || at)) % 50 when 0 then 'refused' when 1 then 'duplicate'
                else 'admitted' end as state
            from due
        ) as due
        order by due.at
        """
    )
    connection.execute(
        """
        insert into quality.quarantine (delivery_id, feed, line_number, column_name, rule, reason)
        select delivery_id, feed, line, 'offence_code', 'unknown_code', 'The code is not in the list of the contract.'
        from quality.delivery, generate_series(1, 10) as line
        where state = 'admitted' and scope = 'benchmark'
        union all
        select last.delivery_id, last.feed, line, column_name, rule, 'The value breaks a rule of the contract.'
        from (
            select delivery_id, feed from quality.delivery
            where state = 'admitted' and scope = 'benchmark' order by delivery_id desc limit 1
        ) as last,
            generate_series(11, %s) as line,
            (values ('offence_code', 'unknown_code'), ('committed_on', 'not_a_date')) as broken (column_name, rule)
        """,
        [10 + _LINES_OF_A_BAD_DELIVERY // 2],
    )


def _due(contract: Contract, since: datetime, until: datetime, holiday: IsHoliday) -> list[datetime]:
    calendar, found = contract.operation.calendar, []
    at = calendar.last_due(until, holiday)
    while at is not None and at > since:
        found.append(at)
        at = calendar.last_due(at - timedelta(minutes=1), holiday)
    return found


def _builds(connection: psycopg.Connection, now: datetime, years: int, published: int) -> None:
    """A build a night, one in a hundred held and one in a hundred failed, with its tasks and those of the feeds."""
    connection.execute(
        """
        insert into quality.build (started_at, finished_at, state, reason, models_built, checks_run, checks_failed,
            rows_changed)
        select at, at + interval '9 minutes', state, case when state <> 'published' then 'A check failed.' end, 200,
            %s, 0, 1000
        from (
            select %s - night * interval '1 day' as at, case night %% 100 when 50 then 'held' when 75 then 'failed'
                else 'published' end as state
            from generate_series(%s, 0, -1) as night
        ) as nights
        """,
        [_CHECKS_OF_A_BUILD, now - timedelta(hours=1), 365 * years],
    )
    connection.execute(
        """
        insert into quality.build_delivery (build_id, delivery_id)
        select build_id, delivery_id
        from (
            select build_id from quality.build where build_id > %s order by build_id desc limit %s
        ) as newest,
            quality.delivery
        where state = 'admitted'
        """,
        [published, _BUILDS_WITH_DELIVERIES],
    )
    connection.execute(
        """
        insert into quality.task_run (task, feed, build_id, began_at, ended_at, succeeded)
        select task, feed, build_id, at, at + (20 + 20 * random()) * interval '1 second', random() > 0.01
        from (
            select task, null as feed, build_id, started_at + place * interval '2 minutes' as at
            from quality.build, unnest(array['watch', 'dbt', 'audit', 'publish']) with ordinality as t (task, place)
            where build_id > %s
            union all
            select task, feed, null, received_at + place * interval '1 minute'
            from quality.delivery, unnest(array['land', 'load', 'check']) with ordinality as t (task, place)
            where scope = 'benchmark'
        ) as runs
        order by runs.at
        """,
        [published],
    )


def _checks(connection: psycopg.Connection) -> None:
    connection.execute(
        """
        insert into quality.check_result (build_id, delivery_id, feed, suite, check_name, table_name, severity,
            success, meaning, next_step, checked_at)
        select build_id, delivery_id, feed, 'benchmark', 'check_' || number, 'raw.table', 'warning',
            number > 1 or id %% 20 > 0, 'What it means that this check did not pass, in plain English.',
            'What to do about it.', at
        from (
            select build_id as id, build_id, null::bigint as delivery_id, null as feed, finished_at as at, %s as checks
            from quality.build where checks_run > 0
            union all
            select delivery_id, null, delivery_id, feed, finished_at, %s
            from quality.delivery where scope = 'benchmark'
        ) as checked
        cross join lateral generate_series(1, checks) as number
        order by checked.at
        """,
        [_CHECKS_OF_A_BUILD, _CHECKS_OF_A_DELIVERY],
    )


def _changes(connection: psycopg.Connection, years: int) -> None:
    """What the detector found in these figures, found in each year and gone, or decided on with two changes of mind."""
    connection.execute(
        """
        insert into quality.recording_change (series, parent_series, feed, geography, effective_month, detected_at,
            kind, nature, confidence, evidence, state, register_id, treatment)
        select series, parent_series, feed, geography, (effective_month - year * interval '1 year')::date,
            detected_at - year * interval '1 year', kind, nature, confidence, evidence,
            (array['gone', 'rejected', 'confirmed'])[1 + (change_id + year) %% 3], null, treatment
        from quality.recording_change, generate_series(1, %s) as year
        """,
        [years],
    )
    connection.execute(
        """
        insert into quality.recording_decision (change_id, decision, decided_by, decided_at, note, before, after)
        select change_id, state, 'Ada', detected_at, 'A sentence that says why it is so.', '{}', '{}'
        from quality.recording_change, generate_series(1, 3) where state in ('rejected', 'confirmed')
        """
    )


def _alerts(connection: psycopg.Connection, now: datetime, years: int) -> None:
    """An alert a night, all but the last ones closed, each raised, seen again, sent, taken on and resolved."""
    connection.execute(
        """
        insert into quality.alert (dedup_key, group_key, severity, audience, title, body, state, first_seen_at,
            last_seen_at, times_seen, resolved_at)
        select 'benchmark:' || night, 'benchmark', (array['held', 'act', 'note'])[1 + night %% 3],
            (array['engineers', 'community_safety_team'])[1 + night %% 2], 'A feed is late or a check did not pass',
            repeat('A sentence of an alert that says what happened and why. ', 9) || E'\\n\\nNext step: look.',
            case when night < %s then 'open' else 'resolved' end, at, at, 5,
            case when night < %s then null else at + interval '1 day' end
        from (
            select night, %s - night * interval '1 day' as at from generate_series(%s, 0, -1) as night
        ) as nights
        """,
        [_OPEN_ALERTS, _OPEN_ALERTS, now - timedelta(hours=1), 365 * years],
    )
    connection.execute(
        """
        insert into quality.alert_event (alert_id, happened_at, event, by_whom, note)
        select alert_id, first_seen_at + place * interval '1 hour', event, 'warehouse', 'A note.'
        from quality.alert, unnest(array['raised', 'seen_again', 'seen_again', 'seen_again', 'seen_again', 'sent',
            'acknowledged', 'resolved']) with ordinality as e (event, place)
        where group_key = 'benchmark' and (state <> 'open' or event not in ('acknowledged', 'resolved'))
        """
    )


def _one(connection: psycopg.Connection, query: str) -> int:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None  # noqa: S101 - an aggregate returns a row
    return int(row[0])
