"""Alerts as templates see them: in plain words, with what must not be said, and no count but for who may see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from saferkc.alerts.answering import Answer, answers_to
from saferkc.alerts.ledger import Alert
from saferkc.alerts.messages.links import answer_of, page_of
from saferkc.recording.telling import is_of_earlier_years, safe_of, sureness_of, unsafe_of
from saferkc.recording.words import month_in_words

_BUTTONS: dict[Answer, str] = {
    "recording_change": "Yes, the recording changed",
    "not_a_recording_change": "No, it really happened more, or less, often",
    "ask_the_agency": "Ask the agency",
    "snooze": "Remind me in a week",
}
_BUTTONS_OF_NAMES: dict[Answer, str] = _BUTTONS | {
    "recording_change": "Yes, only names or codes changed",
    "not_a_recording_change": "No, it is something else",
}
# so long before its own day the team needs the answer of an agency
_TO_DECIDE = timedelta(days=5)


@dataclass(frozen=True)
class Told:
    """An alert with the event that is told. ``do_not`` and so on are None where it asks about no change in counting."""

    alert_id: int
    title: str
    body: str
    severity: str
    is_open: bool
    state: str
    due_date: date | None
    is_overdue: bool
    page: str
    answers: tuple[tuple[str, str], ...]
    owner: str | None = None
    note: str | None = None
    decided_by: str | None = None
    asked_at: datetime | None = None
    what: str | None = None
    do_not: str | None = None
    safe: str | None = None
    sure: str | None = None
    month: str | None = None
    source: str | None = None
    about: str | None = None
    ask_by: date | None = None
    is_of_names: bool = False
    is_of_earlier_years: bool = False


def told(
    alert: Alert,
    change: Mapping[str, Any] | None,
    *,
    now: datetime,
    evidence: Sequence[str] = (),
    source: str | None = None,
    event: Mapping[str, Any] | None = None,
) -> Told:
    """An alert as templates see it; ``change`` is the row of the ledger of changes that it asks about, ``evidence``
    what may be said of it to whom the message goes.
    """
    is_by_person = event is not None and event["by_whom"] != "warehouse"
    is_of_names = change is not None and (change["kind"], change["nature"]) == ("recording", "rename")
    buttons = _BUTTONS_OF_NAMES if is_of_names else _BUTTONS
    basic: dict[str, Any] = {
        "alert_id": alert.alert_id,
        "title": alert.title,
        "body": alert.body,
        "severity": alert.severity,
        "is_open": alert.is_open,
        "state": alert.state,
        "due_date": alert.due_date,
        "is_overdue": alert.due_date is not None and alert.due_date < now.date() and alert.is_open,
        "is_of_names": is_of_names,
        "owner": alert.owner,
        "page": page_of(alert.alert_id),
        "answers": tuple((buttons[name], answer_of(alert.alert_id, name)) for name in answers_to(alert)),
        "note": (event or {}).get("note") or alert.note,
        "decided_by": event["by_whom"] if event is not None and is_by_person else None,
        "asked_at": event["happened_at"] if event is not None else None,
    }
    if change is None:
        return Told(**basic)
    return Told(
        **basic,
        what=" ".join(evidence),
        do_not=unsafe_of(change),
        safe=safe_of(change),
        sure=sureness_of(change),
        month=month_in_words(change["effective_month"]),
        source=source or change["feed"],
        about=change["parent_series"] or change["series"],
        ask_by=alert.due_date and max(alert.due_date - _TO_DECIDE, now.date()),
        is_of_earlier_years=is_of_earlier_years(change),
    )
