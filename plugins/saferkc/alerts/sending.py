"""Sends what waits in the outbox: in order for each audience, at least once, each copy under the same key.

What a message says is written down (and committed) before the first attempt, and each channel that took it is
noted after. A crash in between sends a copy under the same ``Message-ID``, which a receiver can drop.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from jinja2 import TemplateError

from saferkc.alerts.answering import sign
from saferkc.alerts.mail import Message, NotSentError, address_of, send_mail
from saferkc.alerts.messages.links import for_everybody, for_recipient
from saferkc.alerts.messages.schedule import next_digest, queue_summaries
from saferkc.alerts.notify import notify
from saferkc.settings import Settings
from saferkc.warehouse.connection import Connection, connect, fetch_all

AUDIENCES = ("engineers", "community_safety_team", "agency_contact")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sending:
    """What a run of the sender came to: messages sent, dropped (nothing left to tell), refused for good, waiting."""

    sent: int = 0
    dropped: int = 0
    refused: int = 0
    waiting: int = 0


def send_messages(settings: Settings, *, now: datetime | None = None) -> Sending:
    """Queue the summaries that are due, and send what waits. Never raises for what a receiver does.

    An audience whose next message can't be sent now keeps its order: the rest of its messages wait as well. What is
    refused for good stands aside, with the reason, and the next one goes. Two senders never have the same message.
    """
    moment = now or datetime.now(UTC)
    with connect(settings, autocommit=True, application_name="saferkc messages") as connection:
        with connection.transaction():
            queue_summaries(connection, moment)
        counts = {"sent": 0, "dropped": 0, "refused": 0}
        for audience in AUDIENCES:
            while (state := _send_next(settings, connection, audience, moment)) is not None:
                counts[state] += 1
        waiting = fetch_all(connection, "select count(*) from quality.outbox where state = 'waiting'")[0]["count"]
    return Sending(**counts, waiting=waiting)


def preview_messages(settings: Settings, *, now: datetime | None = None) -> list[tuple[str, Message]]:
    """Return what would be sent by next Monday's morning, with the audience of each; nothing is kept or sent.

    Links lead to pages and answer nothing. Raises ``jinja2.TemplateError`` for a template that can't be filled in.
    """
    from saferkc.alerts.messages.compose import compose  # noqa: PLC0415 - as in _send_next

    found = []
    with connect(settings) as connection, connection.transaction(force_rollback=True):
        queue_summaries(connection, next_digest(now or datetime.now(UTC)))
        for row in fetch_all(connection, "select * from quality.outbox where state = 'waiting' order by message_id"):
            if row["content"] is None:
                row["content"], row["picture"] = compose(connection, settings, row)
            if row["content"] is not None:
                found.append((row["audience"], _message(row, lambda text: for_everybody(settings, text))))
    return found


def _send_next(settings: Settings, connection: Connection, audience: str, now: datetime) -> str | None:
    """Send the first message that waits for an audience; returns its state, None where none waits or can be sent."""
    # what it says first, in a transaction of its own: from then on it is the same whatever happens
    with connection.transaction():
        row = _first(connection, audience)
        if row is None:
            return None
        if row["content"] is None:
            from saferkc.alerts.messages.compose import compose  # noqa: PLC0415 - most nights there is nothing to compose

            try:
                content, picture = compose(connection, settings, row)
            except TemplateError as error:  # somebody has edited it: once it is mended, all that waits goes
                _wait(connection, row, f"its template can't be filled in: {error}")
                return None
            if content is None:
                return _finish(connection, row, "dropped", now)
            connection.execute(
                "update quality.outbox set content = %s, picture = %s where message_id = %s",
                (json.dumps(content), picture, row["message_id"]),
            )
    with connection.transaction():
        again = _first(connection, audience)
        if again is None or again["message_id"] != row["message_id"]:
            return None  # another sender is at it
        fault = None
        for channel in _channels(settings, again):
            if channel.name in again["sent_over"]:
                continue
            try:
                channel.send(again)
            except NotSentError as error:
                if not error.is_final:
                    _wait(connection, again, str(error))
                    return None
                fault = str(error)
                _log.error("message %s: %s", again["message_id"], error)
            again["sent_over"].append(channel.name)
            connection.execute(
                "update quality.outbox set sent_over = %s, last_error = %s where message_id = %s",
                (again["sent_over"], fault, again["message_id"]),
            )
        return _finish(connection, again, "sent" if fault is None else "refused", now)


def _wait(connection: Connection, row: dict[str, Any], fault: str) -> None:
    """Note why a message has to wait for the next run."""
    connection.execute(
        "update quality.outbox set attempts = attempts + 1, last_error = %s where message_id = %s",
        (fault, row["message_id"]),
    )
    _log.error("message %s waits: %s", row["message_id"], fault)


def _first(connection: Connection, audience: str) -> dict[str, Any] | None:
    rows = fetch_all(
        connection,
        """
        select * from quality.outbox
        where state = 'waiting' and message_id = (
            select min(message_id) from quality.outbox where audience = %s and state = 'waiting'
        )
        for update skip locked
        """,
        (audience,),
    )
    return rows[0] if rows else None


def _finish(connection: Connection, row: dict[str, Any], state: str, now: datetime) -> str:
    connection.execute(
        "update quality.outbox set state = %s, finished_at = %s, attempts = attempts + %s where message_id = %s",
        (state, now, int(state != "dropped"), row["message_id"]),
    )
    if state == "sent":
        connection.execute(
            """
            insert into quality.alert_event (alert_id, happened_at, event, by_whom, note)
            select distinct alert_id, %s::timestamptz, 'sent', 'warehouse', %s
            from quality.alert_event where message_id = %s
            """,
            (now, f"message {row['message_id']}", row["message_id"]),
        )
    return state


@dataclass(frozen=True)
class _Channel:
    name: str
    send: Callable[[dict[str, Any]], None]


def _channels(settings: Settings, row: dict[str, Any]) -> list[_Channel]:
    """All ways by which a message goes: to each address, and to each other channel of its audience."""
    audience = row["audience"]
    known = settings.messages
    addresses = known.mail_to.get(row["content"].get("to") or audience, ())
    is_elsewhere = bool(known.notify.get(audience)) and not known.mail_to.get(audience)
    if not addresses and not is_elsewhere:
        # nobody is set: where there is a mail server as well, a file says so more loudly than nothing
        addresses = (address_of(row["content"].get("to") or audience),)
    found = [_Channel(f"mail:{address}", _mailer(settings, address)) for address in addresses]
    for url in known.notify.get(audience, ()):
        # the address holds a password
        found.append(_Channel(f"notify:{sha256(url.encode()).hexdigest()[:12]}", _notifier(settings, url)))
    return found


def _message(row: dict[str, Any], text: Callable[[str], str]) -> Message:
    content = row["content"]
    return Message(
        key=row["idempotency_key"],
        subject=content["subject"],
        text=text(content["text"]),
        html=text(content["html"]),
        written_at=row["queued_at"],
        picture=None if row["picture"] is None else bytes(row["picture"]),
    )


def _mailer(settings: Settings, address: str) -> Callable[[dict[str, Any]], None]:
    def send(row: dict[str, Any]) -> None:
        message = _message(row, lambda text: for_recipient(settings, text, row, address, sign))
        if row["kind"] == "question":
            message = replace(message, reply_to=settings.messages.mail_to.get("community_safety_team", ()))
        # an address that stands for nobody is for the outbox, whatever server there is
        is_file = address.endswith(".invalid")
        without_server = replace(settings, messages=replace(settings.messages, mail_url=None))
        send_mail(without_server if is_file else settings, address, message)

    return send


def _notifier(settings: Settings, url: str) -> Callable[[dict[str, Any]], None]:
    # a channel is read by many: no link there answers in somebody's name
    return lambda row: notify(url, _message(row, lambda text: for_everybody(settings, text)))
