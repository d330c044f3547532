"""When people are told what need not be told at once: engineers every morning, the team once a week."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from saferkc.alerts.ledger import wake
from saferkc.alerts.outbox import queue
from saferkc.warehouse.connection import Connection

_LONDON = ZoneInfo("Europe/London")
# by the clock of London
MORNING = 7
DIGEST_WEEKDAY = 0  # Monday

# what people should hear of; that something was seen again, or a message sent, is for the history alone
_TOLD = ("raised", "escalated", "woken", "asked_the_agency", "confirmed", "rejected", "resolved")


def queue_summaries(connection: Connection, now: datetime) -> None:
    """Queue the summaries that are due by ``now``, each with all that no message tells yet; runs in a transaction.

    One a day and one a week, by their keys: a clock that is set back brings none a second time. A day on which nothing
    happened has none, and a week only where no answer is due either.
    """
    wake(connection, now=now)
    here = now.astimezone(_LONDON)
    year, week, weekday = here.isocalendar()
    if here.hour >= MORNING:
        _queue(connection, f"summary:{here:%Y-%m-%d}", "engineers", now)
    # a Monday on which nothing ran is made up for on the next day
    if weekday - 1 > DIGEST_WEEKDAY or (weekday - 1 == DIGEST_WEEKDAY and here.hour >= MORNING):
        _queue(connection, f"digest:{year}-W{week:02}", "community_safety_team", now)


def _queue(connection: Connection, key: str, audience: str, now: datetime) -> None:
    untold = connection.execute(
        """
        select e.event_id from quality.alert_event as e
        inner join quality.alert as a using (alert_id)
        where e.message_id is null and e.event = any(%s) and a.audience = %s
        order by e.event_id
        for update of e
        """,
        (list(_TOLD), audience),
    ).fetchall()
    if not untold and not (audience == "community_safety_team" and _is_due(connection, now)):
        return
    message_id = queue(
        connection,
        key,
        "summary" if audience == "engineers" else "digest",
        audience,
        now=now,  # type: ignore[arg-type]
    )
    if message_id is not None:
        connection.execute(
            "update quality.alert_event set message_id = %s where event_id = any(%s)",
            (message_id, [row[0] for row in untold]),
        )


def _is_due(connection: Connection, now: datetime) -> bool:
    """Whether the team should answer something before the next digest, or should have answered it."""
    row = connection.execute(
        "select true from quality.alert where audience = 'community_safety_team' and state in ('open', 'acknowledged')"
        " and (snoozed_until is null or snoozed_until <= %(now)s) and due_date < %(now)s::date + 7 limit 1",
        {"now": now},
    ).fetchone()
    return row is not None
