"""Answers to alerts: by a page, by a link in a message, or on the command line, all to the same effect.

A link carries a signed token, for one alert, one answer and one recipient, until it expires, and it works once.
Reading a token decides nothing: programs that scan mail follow links. The page that a link opens shows what would be
answered, asks for a note, and posts; only then ``answer`` is called.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, get_args

import jwt

from saferkc.alerts.ledger import (
    Alert,
    Event,
    read_alert,
    take_on,
)
from saferkc.alerts.outbox import assign, queue
from saferkc.privacy.keys import KeyRing, KeyRingError
from saferkc.recording.decisions import decide
from saferkc.settings import Settings
from saferkc.warehouse.connection import Connection

Answer = Literal["recording_change", "not_a_recording_change", "ask_the_agency", "snooze"]

# how long an agency may take before the question is due again, and how long an alert sleeps where nobody says
DAYS_FOR_THE_AGENCY = 14
DAYS_OF_A_SNOOZE = 7
DAYS_OF_A_LINK = 30

_EVENTS: dict[Answer, Event] = {
    "recording_change": "confirmed",
    "not_a_recording_change": "rejected",
    "ask_the_agency": "asked_the_agency",
    "snooze": "snoozed",
}
# the purpose of the keys that sign links, among the others of the key ring
PURPOSE = "answer_links"
_ALGORITHM = "HS256"
_ISSUER = "saferkc"


class AnswerError(Exception):
    """An answer was not taken; the message says why, for whoever gave it."""


class NotOpenError(AnswerError):
    """The alert is closed, or was answered otherwise."""


class NotApplicableError(AnswerError):
    """Such an answer does not fit such an alert, or lacks a note or a day."""


class TokenError(AnswerError):
    """The token of a link can't be taken."""


class ForgedTokenError(TokenError):
    """The token was not signed here, or was made for something or somebody else."""


class ExpiredTokenError(TokenError):
    """The time of the link is over."""


class UsedTokenError(TokenError):
    """The link has been used already."""


@dataclass(frozen=True)
class Link:
    """What a token says: who may give which answer to which alert, and until when."""

    alert_id: int
    answer: Answer
    recipient: str
    expires: datetime
    token_id: str


def answers_to(alert: Alert) -> tuple[Answer, ...]:
    """The answers that an alert may be given now, none where it is closed."""
    if not alert.is_open:
        return ()
    may_sleep: tuple[Answer, ...] = () if alert.severity == "held" else ("snooze",)
    of_change: tuple[Answer, ...] = ("recording_change", "not_a_recording_change", "ask_the_agency")
    return (*of_change, *may_sleep) if alert.change_id is not None else may_sleep


def answer(
    connection: Connection,
    alert_id: int,
    answer: Answer,
    *,
    by: str,
    note: str,
    until: datetime | None = None,
    token_id: str | None = None,
    now: datetime | None = None,
) -> Alert:
    """Take somebody's answer to an alert and return the alert as it is then.

    ``recording_change`` and ``not_a_recording_change`` decide on the change in the register of changes, and so on the
    marts from the next build on. ``ask_the_agency`` queues a question to the agency and gives it
    ``DAYS_FOR_THE_AGENCY``; the change stays suspected. ``snooze`` keeps reminders away until ``until`` (default:
    ``DAYS_OF_A_SNOOZE`` from now). The same answer once more changes nothing. ``token_id`` is of the link that it came
    by (``Link.token_id``); ``now`` is for tests. All in the caller's transaction.

    Raises ``AlertNotFoundError`` where there is no such alert, ``NotOpenError``, ``NotApplicableError`` or
    ``UsedTokenError``; nothing is changed then.
    """
    if answer not in get_args(Answer):
        raise NotApplicableError(f"{answer!r} is no answer; answers are {', '.join(get_args(Answer))}")
    if not by.strip() or not note.strip():
        raise NotApplicableError("an answer needs a name and a note: why is it so?")
    moment = now or datetime.now(UTC)
    alert = read_alert(connection, alert_id, for_update=True)
    if token_id is not None:
        check_unused(connection, token_id)
    if _is_given(connection, alert, answer, until):
        return alert
    if not alert.is_open:
        raise NotOpenError(f"alert {alert_id} is {alert.state} already{f': {alert.note}' if alert.note else ''}")
    if answer not in answers_to(alert):
        raise NotApplicableError(_why_not(alert, answer))

    if answer in ("recording_change", "not_a_recording_change"):
        assert alert.change_id is not None  # noqa: S101 - else it were not among the answers
        decide(
            connection,
            alert.change_id,
            "confirmed" if answer == "recording_change" else "rejected",
            by=by,
            note=note,
            now=now,
        )
    elif answer == "ask_the_agency":
        due = (moment + timedelta(days=DAYS_FOR_THE_AGENCY)).date()
        event_id = take_on(connection, alert_id, "asked_the_agency", by=by, note=note, due_date=due, now=now)
        question = queue(connection, f"question:{event_id}", "question", "agency_contact", now=moment)
        assign(connection, event_id, question)
    else:
        wake_at = until or moment + timedelta(days=DAYS_OF_A_SNOOZE)
        if wake_at <= moment:
            raise NotApplicableError("the day until which it is to wait is past")
        take_on(connection, alert_id, "snoozed", by=by, note=note, until=wake_at, now=now)
    if token_id is not None:
        _use(connection, alert_id, token_id)
    return read_alert(connection, alert_id)


def _is_given(connection: Connection, alert: Alert, answer: Answer, until: datetime | None) -> bool:
    """Whether the last answer to the alert is this one, and still holds."""
    row = connection.execute(
        "select event, until from quality.alert_event where alert_id = %s"
        " and event in ('confirmed', 'rejected', 'asked_the_agency', 'snoozed', 'woken')"
        " order by event_id desc limit 1",
        (alert.alert_id,),
    ).fetchone()
    if row is None or row[0] != _EVENTS[answer]:
        return False
    return answer != "snooze" or until is None or row[1] == until


def _why_not(alert: Alert, answer: Answer) -> str:
    if answer == "snooze":
        return f"alert {alert.alert_id} keeps figures from being published: it can't wait"
    return f"alert {alert.alert_id} does not ask about a change in counting"


def sign(
    settings: Settings,
    alert_id: int,
    answer: Answer,
    recipient: str,
    expires: datetime,
    *,
    token_id: str | None = None,
) -> str:
    """Return a token by which ``recipient`` may give this answer to this alert until ``expires``, once.

    ``token_id`` is what it is known by once it is used: the copies of one message share it.
    Raises ``KeyRingError`` where the key of links was lost.
    """
    key_id, key = KeyRing(settings).current(PURPOSE)
    claims = {
        "iss": _ISSUER,
        "aud": recipient,
        "sub": str(alert_id),
        "answer": answer,
        "exp": expires,
        "jti": token_id or secrets.token_urlsafe(12),
    }
    return jwt.encode(claims, key, algorithm=_ALGORITHM, headers={"kid": key_id})


def read_token(settings: Settings, token: str, *, recipient: str | None = None, now: datetime | None = None) -> Link:
    """Return what a token says, where it was signed here and its time is not over; decides nothing.

    ``recipient`` is who is signed in, where that is known: a token of somebody else is not taken then. Whether it was
    used already, ``check_unused`` says. Raises ``ForgedTokenError`` or ``ExpiredTokenError``.
    """
    try:
        key = KeyRing(settings).key(PURPOSE, str(jwt.get_unverified_header(token).get("kid")))
        claims = jwt.decode(
            token,
            key,
            algorithms=[_ALGORITHM],
            issuer=_ISSUER,
            audience=recipient,
            options={
                "require": ["iss", "aud", "sub", "exp", "jti"],
                "verify_aud": recipient is not None,
                "verify_exp": False,
            },
        )
        answer = claims["answer"]
        if answer not in get_args(Answer):
            raise ForgedTokenError("the link is for no answer that there is")
        link = Link(
            int(claims["sub"]), answer, str(claims["aud"]), datetime.fromtimestamp(claims["exp"], UTC), claims["jti"]
        )
    except (jwt.InvalidTokenError, KeyRingError, KeyError, TypeError, ValueError) as error:
        # not what is wrong with it: who forges one need not know
        raise ForgedTokenError("this link was not made here for you: use the one in your message") from error
    if (now or datetime.now(UTC)) >= link.expires:
        raise ExpiredTokenError(f"this link was good until {link.expires:%-d %B %Y}: answer on the page of alerts")
    return link


def check_unused(connection: Connection, token_id: str) -> None:
    """Raise ``UsedTokenError`` where a link was used already, with what was answered, by whom and when."""
    row = connection.execute(
        "select event, by_whom, happened_at from quality.alert_event where token_id = %s", (token_id,)
    ).fetchone()
    if row is not None:
        said = row[0].replace("_", " ")
        raise UsedTokenError(f"this link has been used: {said} by {row[1]} on {row[2]:%-d %B %Y, %H:%M}")


def _use(connection: Connection, alert_id: int, token_id: str) -> None:
    connection.execute(
        "update quality.alert_event set token_id = %s where event_id = (select max(event_id) from quality.alert_event"
        " where alert_id = %s and event in ('confirmed', 'rejected', 'asked_the_agency', 'snoozed'))",
        (token_id, alert_id),
    )
