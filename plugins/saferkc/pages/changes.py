"""Recording changes: what was found and what the register knows, in the words in which people are told of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from saferkc.alerts.answering import Answer, NotApplicableError
from saferkc.alerts.answering import answer as give
from saferkc.disclosure import DisclosureRules
from saferkc.recording.decisions import decide
from saferkc.recording.ledger import list_changes
from saferkc.recording.register import Register
from saferkc.recording.standing import evidence_of
from saferkc.recording.telling import safe_of, sureness_of, title_of, unsafe_of
from saferkc.warehouse.connection import Connection, fetch_all

# so many charts are drawn of the series that a change concerns
CHARTS = 2
_OF_COUNTING = ("recording", "unsure")
_OTHERS = {
    "real": "it happened more, or less, often; it is recorded as before",
    "data_fault": "a delivery is probably wrong",
    "unsure": "part of it is counting, part may be real",
}
_DECISIONS = """
select change_id, decision, decided_by, decided_at, note from quality.recording_decision
where change_id = any(%s) order by decision_id desc
"""
_ALERT = "select alert_id from quality.alert where change_id = %s and state in ('open', 'acknowledged')"
_STATES: dict[str, Literal["confirmed", "rejected"]] = {
    "recording_change": "confirmed",
    "not_a_recording_change": "rejected",
}


@dataclass(frozen=True)
class Change:
    """A row of the ledger as people read it. ``entry`` is the register's, None where it has none.

    ``sentences`` are its evidence with the counts that the reader may see.
    """

    row: Mapping[str, Any]
    title: str
    entry: Mapping[str, str] | None
    sentences: tuple[str, ...]
    do_not: str
    safe: str
    sureness: str

    @property
    def is_open(self) -> bool:
        """Whether somebody should decide on it."""
        return bool(self.row["state"] == "suspected" and self.row["kind"] in (*_OF_COUNTING, "data_fault"))


def read_changes(
    connection: Connection, register: Register, rules: DisclosureRules, audience: str, *, include_all: bool = False
) -> list[Change]:
    """Changes that stand (or all) as an audience may read them, those to be decided first, then the newest."""
    found = [_told(row, register, rules, audience) for row in list_changes(connection, include_all=include_all)]
    found.sort(key=lambda one: one.row["effective_month"], reverse=True)
    return sorted(found, key=lambda one: not one.is_open)


def read_change(
    connection: Connection, register: Register, rules: DisclosureRules, audience: str, change_id: int
) -> tuple[Change, list[dict[str, Any]]] | None:
    """One change as an audience may read it, and the decisions on it, the latest first; None where there is none."""
    found = next((row for row in list_changes(connection, include_all=True) if row["change_id"] == change_id), None)
    if found is None:
        return None
    return _told(found, register, rules, audience), fetch_all(connection, _DECISIONS, [[change_id]])


def take(connection: Connection, change_id: int, answer: str, *, by: str, note: str) -> None:
    """Confirm or reject a change, by the open alert that asks about it where there is one.

    Raises ``NotApplicableError``, or what ``alerts.answering.answer`` raises.
    """
    if answer not in _STATES:
        raise NotApplicableError("a change is confirmed or rejected")
    if not note.strip():
        raise NotApplicableError("a decision needs a note: why is it so")
    rows = fetch_all(connection, _ALERT, [change_id])
    if rows:
        give(connection, rows[0]["alert_id"], cast(Answer, answer), by=by, note=note)
    else:
        decide(connection, change_id, _STATES[answer], by=by, note=note)


def _told(row: Mapping[str, Any], register: Register, rules: DisclosureRules, audience: str) -> Change:
    entry = register.change(row["register_id"]) if row["register_id"] else None
    is_of_counting = row["kind"] in _OF_COUNTING
    subject = row["parent_series"] or row["series"]
    if entry is not None:
        name = entry["change_name"]
        title = name if name.startswith(subject) else f"{subject}: {name}"
    elif is_of_counting and row["kind"] == "recording":
        title = title_of(row)
    else:
        title = f"{subject}: {_OTHERS[row['kind']]}"
    return Change(
        row=row,
        title=title,
        entry=entry,
        sentences=evidence_of(row, rules, audience),
        do_not=entry["unsafe_to_say"] if entry else f"Do not {unsafe_of(row)}" if is_of_counting else "",
        safe=entry["safe_to_say"] if entry else safe_of(row) if is_of_counting else "",
        sureness=sureness_of(row),
    )
