"""When people are told what need not be told at once: engineers every morning, the team on Mondays."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from saferkc.alerts.ledger import wake
from saferkc.alerts.outbox import Audience, Kind, queue
from saferkc.warehouse.connection import Connection

_LONDON = ZoneInfo("Europe/London")
# by the clock of London
MORNING = time(7)

# what people should hear of; that something was seen again, or a message sent, is for the history alone
_TOLD = ("raised", "escalated", "woken", "asked_the_agency", "confirmed", "rejected", "resolved")


def next_digest(now: datetime) -> datetime:
    """When the team is told next what need not be told at once: the next Monday's morning."""
    here = now.astimezone(_LONDON)
    return datetime.combine(here.date() + timedelta(days=7 - here.weekday()), MORNING, _LONDON)


def queue_summaries(connection: Connection, now: datetime) -> None:
    """Queue the summaries that are due by ``now``, each with all that no message tells yet; runs in a transaction.

    One a day and one a week, by their keys: a clock that is set back brings none a second time. A morning before which
    nothing happened has none, unless the day is past by which engineers should have acted and no summary said so, and a
    week only where no answer is due either. One that was missed, because nothing ran at its time, is made up for.
    """
    wake(connection, now=now)
    here = now.astimezone(_LONDON)
    morning = datetime.combine(here.date(), MORNING, _LONDON)
    if here >= morning and (_has_news(connection, "engineers", morning, now) or _is_past(connection, now)):
        _queue(connection, f"summary:{here:%Y-%m-%d}", "summary", "engineers", now)
    monday = morning - timedelta(days=here.weekday())
    is_due = here.date() == monday.date() and _is_due(connection, now)
    if here >= monday and (is_due or _has_news(connection, "community_safety_team", monday, now)):
        year, week, _ = here.isocalendar()
        _queue(connection, f"digest:{year}-W{week:02}", "digest", "community_safety_team", now)


def _has_news(connection: Connection, audience: Audience, until: datetime, now: datetime) -> bool:
    """Whether something happened until then that no message tells; what a wrong clock put after ``now`` is news too."""
    row = connection.execute(
        """
        select true from quality.alert_event as e
        inner join quality.alert as a using (alert_id)
        where e.message_id is null and e.event = any(%(told)s) and a.audience = %(audience)s
            and (e.happened_at <= %(until)s or e.happened_at > %(now)s)
        limit 1
        """,
        {"told": list(_TOLD), "audience": audience, "until": until, "now": now},
    ).fetchone()
    return row is not None


def _queue(connection: Connection, key: str, kind: Kind, audience: Audience, now: datetime) -> None:
    message_id = queue(connection, key, kind, audience, now=now)
    if message_id is not None:
        connection.execute(
            """
            update quality.alert_event as e set message_id = %s
            from quality.alert as a
            where a.alert_id = e.alert_id and e.message_id is null and e.event = any(%s) and a.audience = %s
            """,
            (message_id, list(_TOLD), audience),
        )


def _is_due(connection: Connection, now: datetime) -> bool:
    """Whether the team should answer something before the next digest, or should have answered it."""
    row = connection.execute(
        "select true from quality.alert where audience = 'community_safety_team' and state in ('open', 'acknowledged')"
        " and (snoozed_until is null or snoozed_until <= %(now)s) and due_date < %(now)s::date + 7 limit 1",
        {"now": now},
    ).fetchone()
    return row is not None


def _is_past(connection: Connection, now: datetime) -> bool:
    """Whether engineers should have acted by a day that is past, and no summary after that day has said so."""
    row = connection.execute(
        """
        select true from quality.alert as a
        where a.audience = 'engineers' and a.state in ('open', 'acknowledged')
            and (a.snoozed_until is null or a.snoozed_until <= %(now)s) and a.due_date < %(now)s::date
            and not exists (
                select from quality.outbox as m
                where m.audience = a.audience and m.kind = 'summary'
                    and (m.queued_at at time zone 'Europe/London')::date > a.due_date
            )
        limit 1
        """,
        {"now": now},
    ).fetchone()
    return row is not None
