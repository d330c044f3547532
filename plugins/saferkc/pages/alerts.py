"""Alerts: the open ones, the gravest first; one of them with its history and the answers that it may be given."""

from __future__ import annotations

from typing import cast

from saferkc.alerts import Alert, AlertEvent, acknowledge_alert, list_alerts, read_alert, read_history
from saferkc.alerts.answering import DAYS_OF_A_SNOOZE, Answer, answer, answers_to
from saferkc.warehouse.connection import Connection

CLOSED_SHOWN = 100
_ACKNOWLEDGE = "acknowledge"
_BUTTONS: dict[str, str] = {
    "recording_change": "Recording change: confirm",
    "not_a_recording_change": "Not a recording change",
    "ask_the_agency": "Ask the agency",
    "snooze": f"Snooze for {DAYS_OF_A_SNOOZE} days",
    _ACKNOWLEDGE: "I take it on",
}


def read_alerts(connection: Connection, *, include_closed: bool) -> list[Alert]:
    """Open alerts, the gravest first; with ``include_closed`` closed ones behind them, ``CLOSED_SHOWN`` at most."""
    found = list_alerts(connection, include_closed=include_closed)
    closed = [alert for alert in found if not alert.is_open]
    return [alert for alert in found if alert.is_open] + closed[:CLOSED_SHOWN]


def read_one(connection: Connection, alert_id: int) -> tuple[Alert, list[AlertEvent]]:
    """An alert and all that happened to it, the first first. Raises ``AlertNotFoundError``."""
    return read_alert(connection, alert_id), read_history(connection, alert_id)


def buttons_of(alert: Alert) -> list[tuple[str, str]]:
    """The answers that an alert may be given now, each with what its button says."""
    answers: list[str] = [*answers_to(alert)]
    if alert.state == "open":
        answers.append(_ACKNOWLEDGE)
    return [(name, _BUTTONS[name]) for name in answers]


def take(connection: Connection, alert_id: int, given: str, *, by: str, note: str, token_id: str | None = None) -> None:
    """Take an answer to an alert. Raises ``AlertNotFoundError`` or ``AnswerError``."""
    if given == _ACKNOWLEDGE and token_id is None:
        acknowledge_alert(connection, alert_id, by=by, note=note)
    else:
        answer(connection, alert_id, cast(Answer, given), by=by, note=note, token_id=token_id)
