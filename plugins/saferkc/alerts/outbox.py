"""``quality.outbox``: messages that wait to be sent, queued in the transaction of what they tell.

An event of an alert is told by one message (``alert_event.message_id``): at once, or by the next summary or digest,
which takes every event that no message tells yet. Whatever the clock does, nothing is told twice or left out.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from saferkc.warehouse.connection import Connection

Audience = Literal["engineers", "community_safety_team", "agency_contact"]
Kind = Literal["at_once", "closing", "summary", "digest", "question"]

# with the weekly digest the team gets three messages a week at most; what comes beyond waits for the digest
TEAM_AT_ONCE_A_WEEK = 2


def queue_at_once(connection: Connection, event_id: int, audience: Audience, *, now: datetime) -> None:
    """Tell an event at once: with the message to that audience that waits already, or with a new one.

    To the team no more than ``TEAM_AT_ONCE_A_WEEK`` in seven days.
    """
    waiting = _waiting(connection, audience, "at_once")
    if waiting is None and audience == "community_safety_team":
        row = connection.execute(
            "select count(*) from quality.outbox where audience = %s and kind = 'at_once' and state <> 'dropped'"
            " and queued_at > %s and queued_at <= %s",
            (audience, now - timedelta(days=7), now),
        ).fetchone()
        if row is not None and row[0] >= TEAM_AT_ONCE_A_WEEK:
            return
    message = waiting or queue(connection, f"at_once:{event_id}", "at_once", audience, now=now)
    assign(connection, event_id, message)


def queue_closing(connection: Connection, event_id: int, alert_id: int, audience: Audience, *, now: datetime) -> None:
    """Tell engineers at once that something is over that they were told of at once; all else the summaries tell."""
    if audience != "engineers":
        return
    opened = connection.execute(
        "select m.message_id, m.state, m.content is not null from quality.alert_event as e"
        " inner join quality.outbox as m on m.message_id = e.message_id and m.kind = 'at_once'"
        " where e.alert_id = %s order by e.event_id desc limit 1",
        (alert_id,),
    ).fetchone()
    if opened is None:
        return
    waiting = _waiting(connection, audience, "closing")
    assign(connection, event_id, waiting or queue(connection, f"closing:{event_id}", "closing", audience, now=now))


def queue(connection: Connection, key: str, kind: Kind, audience: Audience, *, now: datetime) -> int | None:
    """Queue a message under its key and return its number; None where there is one of that key already."""
    row = connection.execute(
        "insert into quality.outbox (idempotency_key, kind, audience, queued_at) values (%s, %s, %s, %s)"
        " on conflict (idempotency_key) do nothing returning message_id",
        (key, kind, audience, now),
    ).fetchone()
    return None if row is None else int(row[0])


def assign(connection: Connection, event_id: int, message_id: int | None) -> None:
    """Have an event told by a message."""
    connection.execute("update quality.alert_event set message_id = %s where event_id = %s", (message_id, event_id))


def _waiting(connection: Connection, audience: Audience, kind: Kind) -> int | None:
    """The message of that kind that nobody has begun to send; locked, so that it isn't begun meanwhile."""
    row = connection.execute(
        "select message_id from quality.outbox where audience = %s and kind = %s and state = 'waiting'"
        " and content is null order by message_id for update skip locked limit 1",
        (audience, kind),
    ).fetchone()
    return None if row is None else int(row[0])
