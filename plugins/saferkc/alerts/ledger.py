"""``quality.alert``: one row a suspected cause, however often it is seen; ``quality.alert_event``: all that befell it.

Titles and bodies are read by people outside the police: no value of a record stands in them. What people should hear
of an event is queued in the caller's transaction (``outbox``). ``now`` is the time of what happens, the database's
where it isn't given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from psycopg.rows import class_row

from saferkc.alerts.outbox import Audience, queue_at_once, queue_closing
from saferkc.warehouse.connection import Connection, fetch_all

Severity = Literal["held", "act", "note"]
State = Literal["open", "acknowledged", "confirmed", "rejected", "resolved"]
Event = Literal[
    "raised", "seen_again", "escalated", "sent", "acknowledged", "confirmed", "rejected", "asked_the_agency",
    "snoozed", "woken", "resolved",
]  # fmt: skip

# who did what nobody did by hand
WAREHOUSE = "warehouse"
_IS_OPEN = "state in ('open', 'acknowledged')"
# days until an engineer should have acted
_DAYS: dict[Severity, int | None] = {"held": 0, "act": 7, "note": None}


class AlertNotFoundError(Exception):
    """There is no alert of that number, or none that is still open; the message says which."""


@dataclass(frozen=True)
class Alert:
    """One entry of the ledger. ``dedup_key`` names the cause, ``group_key`` what it belongs to."""

    alert_id: int
    dedup_key: str
    group_key: str | None
    severity: Severity
    audience: Audience
    title: str
    body: str
    state: State
    first_seen_at: datetime
    last_seen_at: datetime
    times_seen: int
    owner: str | None
    acknowledged_by: str | None
    resolved_at: datetime | None
    note: str | None
    change_id: int | None
    due_date: date | None
    snoozed_until: datetime | None

    @property
    def is_open(self) -> bool:
        """Whether somebody should still do something about it."""
        return self.state in ("open", "acknowledged")


@dataclass(frozen=True)
class AlertEvent:
    """Something that happened to an alert. ``by_whom`` is a person's name, or ``WAREHOUSE``."""

    event_id: int
    alert_id: int
    happened_at: datetime
    event: Event
    by_whom: str
    note: str | None
    until: datetime | None


def raise_alert(
    connection: Connection,
    *,
    dedup_key: str,
    group_key: str | None,
    severity: Severity,
    audience: Audience,
    title: str,
    body: str,
    owner: str | None = None,
    change_id: int | None = None,
    due_date: date | None = None,
    at_once: bool | None = None,
    now: datetime | None = None,
) -> int:
    """Enter an alert and return its id.

    While an alert with the same ``dedup_key`` is open (or acknowledged), that one is seen once more: its
    words become the latest, its state stays, so what somebody has taken on does not come back as new. Runs in
    the caller's transaction, and so does the message: ``at_once`` (default: where a build is held), or with the next
    summary. ``change_id`` is the change in counting that it asks about. ``due_date`` follows from the severity where it
    isn't given; what comes to hold a build is due at once.
    """
    moment = _moment(connection, now)
    days = _DAYS[severity]
    row = connection.execute(
        """
        with before as (
            select severity from quality.alert
            where dedup_key = %(dedup_key)s and state in ('open', 'acknowledged')
        )
        insert into quality.alert (
            dedup_key, group_key, severity, audience, title, body, owner, change_id, due_date,
            first_seen_at, last_seen_at
        )
        values (
            %(dedup_key)s, %(group_key)s, %(severity)s, %(audience)s, %(title)s, %(body)s, %(owner)s, %(change_id)s,
            %(due_date)s, %(now)s, %(now)s
        )
        on conflict (dedup_key) where state in ('open', 'acknowledged') do update
        set times_seen = quality.alert.times_seen + 1,
            last_seen_at = excluded.last_seen_at,
            severity = excluded.severity,
            title = excluded.title,
            body = excluded.body,
            due_date = case
                when excluded.severity = 'held' and quality.alert.severity <> 'held'
                    then least(quality.alert.due_date, excluded.due_date)
                else quality.alert.due_date
            end,
            change_id = coalesce(excluded.change_id, quality.alert.change_id)
        returning alert_id, times_seen, (select severity from before)
        """,
        {
            "dedup_key": dedup_key,
            "group_key": group_key,
            "severity": severity,
            "audience": audience,
            "title": title,
            "body": body,
            "owner": owner,
            "change_id": change_id,
            "due_date": due_date or (None if days is None else moment.date() + timedelta(days=days)),
            "now": moment,
        },
    ).fetchone()
    assert row is not None  # noqa: S101 - an upsert returns its row
    alert_id, times_seen, severity_before = int(row[0]), int(row[1]), row[2]
    is_graver = severity == "held" and severity_before not in (None, "held")
    event: Event = "raised" if times_seen == 1 else "escalated" if is_graver else "seen_again"
    event_id = note_event(connection, alert_id, event, now=moment)
    if event != "seen_again" and (severity == "held" if at_once is None else at_once):
        queue_at_once(connection, event_id, audience, now=moment)
    return alert_id


def resolve(connection: Connection, dedup_key: str, *, note: str, now: datetime | None = None) -> bool:
    """Resolve the open alert of that cause, because the cause is gone. Returns False when none is open."""
    return settle(connection, dedup_key, "resolved", by=WAREHOUSE, note=note, now=now)


def settle(
    connection: Connection,
    dedup_key: str,
    state: Literal["confirmed", "rejected", "resolved"],
    *,
    by: str,
    note: str,
    now: datetime | None = None,
) -> bool:
    """Close the alert of that cause in this state; returns False where there is none to close.

    An answer that is taken back (confirmed, then rejected) changes the alert's state until a build has shown it.
    """
    moment = _moment(connection, now)
    row = connection.execute(
        """
        update quality.alert
        set state = %(state)s, note = %(note)s, snoozed_until = null,
            resolved_at = case when %(state)s = 'resolved' then %(now)s::timestamptz end,
            acknowledged_by = coalesce(acknowledged_by, nullif(%(by)s, %(nobody)s))
        where dedup_key = %(dedup_key)s and state <> %(state)s
            and (state in ('open', 'acknowledged') or (%(state)s <> 'resolved' and state in ('confirmed', 'rejected')))
        returning alert_id, audience
        """,
        {"state": state, "note": note, "by": by, "nobody": WAREHOUSE, "dedup_key": dedup_key, "now": moment},
    ).fetchone()
    if row is None:
        return False
    _note_closing(connection, row[0], row[1], state, by=by, note=note, now=moment)
    return True


def resolve_shown(connection: Connection, build_id: int, *, note: str, now: datetime | None = None) -> int:
    """Resolve what people confirmed or rejected before a build began, because the marts show it; returns how many."""
    moment = _moment(connection, now)
    rows = connection.execute(
        """
        update quality.alert as a set state = 'resolved', resolved_at = %(now)s
        where a.state in ('confirmed', 'rejected')
            and (
                select max(e.happened_at) from quality.alert_event as e
                where e.alert_id = a.alert_id and e.event in ('confirmed', 'rejected')
            ) <= (select b.started_at from quality.build as b where b.build_id = %(build_id)s)
        returning a.alert_id, a.audience
        """,
        {"now": moment, "build_id": build_id},
    ).fetchall()
    for alert_id, audience in rows:
        _note_closing(connection, alert_id, audience, "resolved", by=WAREHOUSE, note=note, now=moment)
    return len(rows)


def _note_closing(
    connection: Connection, alert_id: int, audience: Audience, event: Event, *, by: str, note: str, now: datetime
) -> None:
    event_id = note_event(connection, alert_id, event, by=by, note=note, now=now)
    queue_closing(connection, event_id, alert_id, audience, now=now)


def resolve_alert(connection: Connection, alert_id: int, *, by: str, note: str, now: datetime | None = None) -> None:
    """Resolve an alert by hand. Raises ``AlertNotFoundError`` when no such alert is open."""
    alert = read_alert(connection, alert_id, for_update=True)
    if not alert.is_open or not settle(connection, alert.dedup_key, "resolved", by=by, note=note, now=now):
        raise _not_open(alert_id)


def acknowledge_alert(
    connection: Connection, alert_id: int, *, by: str, note: str | None = None, now: datetime | None = None
) -> None:
    """Take an alert on: it stays in the list, has an owner, and being seen again does not reopen it.

    Raises ``AlertNotFoundError`` when no such alert is open.
    """
    take_on(connection, alert_id, "acknowledged", by=by, note=note, now=now)


def take_on(
    connection: Connection,
    alert_id: int,
    event: Literal["acknowledged", "asked_the_agency", "snoozed"],
    *,
    by: str,
    note: str | None,
    until: datetime | None = None,
    due_date: date | None = None,
    now: datetime | None = None,
) -> int:
    """Acknowledge an alert in one of these ways and return the event's id; ``until`` and ``due_date`` where new.

    Raises ``AlertNotFoundError`` when no such alert is open.
    """
    cursor = connection.execute(
        """
        update quality.alert
        set state = 'acknowledged', acknowledged_by = coalesce(acknowledged_by, %(by)s),
            owner = coalesce(owner, %(by)s),
            note = coalesce(%(note)s, note), snoozed_until = %(until)s, due_date = coalesce(%(due_date)s, due_date)
        where alert_id = %(id)s and state in ('open', 'acknowledged')
        """,
        {"by": by, "note": note, "until": until, "due_date": due_date, "id": alert_id},
    )
    if cursor.rowcount == 0:
        raise _not_open(alert_id)
    return note_event(connection, alert_id, event, by=by, note=note, until=until, now=now)


def wake(connection: Connection, *, now: datetime | None = None) -> int:
    """End the snoozes that are over, so that people are reminded; returns how many."""
    moment = _moment(connection, now)
    rows = connection.execute(
        f"update quality.alert set snoozed_until = null where {_IS_OPEN} and snoozed_until <= %s"  # noqa: S608
        " returning alert_id".encode(),
        (moment,),
    ).fetchall()
    for (alert_id,) in rows:
        note_event(connection, alert_id, "woken", now=moment)
    return len(rows)


def note_event(
    connection: Connection,
    alert_id: int,
    event: Event,
    *,
    by: str = WAREHOUSE,
    note: str | None = None,
    until: datetime | None = None,
    now: datetime | None = None,
) -> int:
    """Add to the history of an alert and return the event's id."""
    row = connection.execute(
        "insert into quality.alert_event (alert_id, event, by_whom, note, until, happened_at)"
        " values (%s, %s, %s, %s, %s, coalesce(%s, clock_timestamp())) returning event_id",
        (alert_id, event, by, note, until, now),
    ).fetchone()
    assert row is not None  # noqa: S101 - an insert returns its row
    return int(row[0])


def read_alert(connection: Connection, alert_id: int, *, for_update: bool = False) -> Alert:
    """Return an alert, open or not; ``for_update`` keeps others from deciding on it. Raises ``AlertNotFoundError``."""
    with connection.cursor(row_factory=class_row(Alert)) as cursor:
        cursor.execute(
            f"select {_COLUMNS} from quality.alert where alert_id = %s"  # noqa: S608
            f"{' for update' if for_update else ''}".encode(),
            (alert_id,),
        )
        alert = cursor.fetchone()
    if alert is None:
        raise AlertNotFoundError(f"there is no alert {alert_id}: `saferkc alerts --all` lists them")
    return alert


def read_history(connection: Connection, alert_id: int) -> list[AlertEvent]:
    """Return all that happened to an alert, the first first; empty where there is no such alert."""
    columns = ", ".join(AlertEvent.__dataclass_fields__)
    with connection.cursor(row_factory=class_row(AlertEvent)) as cursor:
        cursor.execute(
            f"select {columns} from quality.alert_event where alert_id = %s order by event_id".encode(),  # noqa: S608
            (alert_id,),
        )
        return cursor.fetchall()


def list_alerts(
    connection: Connection, *, include_closed: bool = False, audiences: Sequence[Audience] | None = None
) -> list[Alert]:
    """Return the open alerts (or all), of all audiences or of these, the gravest first and then the latest."""
    with connection.cursor(row_factory=class_row(Alert)) as cursor:
        cursor.execute(
            f"select {_COLUMNS} from quality.alert where {'true' if include_closed else _IS_OPEN}"  # noqa: S608
            " and (%(audiences)s::text[] is null or audience = any(%(audiences)s))"
            " order by array_position(array['held', 'act', 'note'], severity), last_seen_at desc,"
            " alert_id desc".encode(),
            {"audiences": None if audiences is None else list(audiences)},
        )
        return cursor.fetchall()


def _moment(connection: Connection, now: datetime | None) -> datetime:
    return now or fetch_all(connection, "select now() as now")[0]["now"]


def _not_open(alert_id: int) -> AlertNotFoundError:
    return AlertNotFoundError(f"alert {alert_id} is not open: `saferkc alerts` lists those that are")


_COLUMNS = ", ".join(Alert.__dataclass_fields__)
