"""The nightly look at the published series: what the detector finds is kept in ``quality.recording_change``.

A change is one row however often it is found: later nights make it surer, or take it back. What somebody has decided
is never changed here.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from saferkc.recording.detect import examine
from saferkc.recording.findings import Change
from saferkc.recording.read import recorded_crime
from saferkc.recording.register import known_changes, read_register
from saferkc.recording.series import Feed
from saferkc.recording.steps import LEAST_BEFORE
from saferkc.settings import Settings
from saferkc.warehouse.connection import Connection, connect, fetch_all

# a night looks at these; what is older was judged by the nights before
_MONTHS_OF_A_NIGHT = 18
# a month that is told more exactly later is still the same change
_SAME_WITHIN_MONTHS = 3
# what a person has decided is not undone by a night, and what went may come back
_UNDECIDED = ("suspected", "registered", "gone")


@dataclass(frozen=True)
class Watched:
    """What a night's look came to: changes found in all, those new tonight, those that no longer show."""

    found: int = 0
    new: int = 0
    gone: int = 0


def watch(settings: Settings) -> Watched:
    """Examine the published series and bring ``quality.recording_change`` up to date, in one transaction.

    The first look at a feed is at all of its history, later ones at the last year and a half.
    """
    register = known_changes(read_register(settings.dbt_project_dir / "seeds"))
    with connect(settings) as connection:
        if connection.execute("select to_regclass('core.fct_recorded_crime_monthly')").fetchone() == (None,):
            return Watched()  # nothing was ever published
        panels = recorded_crime(connection)
        if not panels:
            return Watched()
        feed = Feed(panels[0].feed, panels)
        known = _rows(connection, feed.name)
        since = max(LEAST_BEFORE, len(feed.months) - _MONTHS_OF_A_NIGHT) if known else LEAST_BEFORE
        changes = examine(feed, register, since=since)
        left = list(known)
        new = 0
        for change in changes:
            row = _same(left, change)
            if row is None:
                _insert(connection, feed, change)
                new += 1
            else:
                left.remove(row)
                _update(connection, row, feed, change)
        gone = [row for row in left if row["state"] == "suspected" and row["effective_month"] >= feed.months[since]]
        connection.execute(
            "update quality.recording_change set state = 'gone' where change_id = any(%s)",
            [[row["change_id"] for row in gone]],
        )
    return Watched(len(changes), new, len(gone))


def _rows(connection: Connection, feed: str) -> list[dict[str, Any]]:
    return fetch_all(
        connection,
        "select change_id, series, parent_series, nature, effective_month, evidence, state, kind"
        " from quality.recording_change where feed = %s order by change_id",
        [feed],
    )


def _distance(row: dict[str, Any], change: Change) -> int | None:
    """Months between a kept change and one found tonight, where they may be the same; None where they are two."""
    lead = change.lead
    if row["parent_series"] != lead.whole or not set(row["evidence"].get("areas", ())) & set(change.areas):
        return None
    if (row["kind"] == "real") != (lead.kind == "real"):
        return None  # a move and the real fall beside it are two
    apart = abs(_number(row["effective_month"]) - _number(lead.month))
    # new names in January and a new rule in April are two, a new name that turns out to be a split is one
    allowed = _SAME_WITHIN_MONTHS if row["nature"] == lead.nature else 1
    return apart if apart <= allowed else None


def _same(rows: Sequence[dict[str, Any]], change: Change) -> dict[str, Any] | None:
    """The kept change that this one is: of those that it may be, the nearest in time."""
    distances = [(distance, row) for row in rows if (distance := _distance(row, change)) is not None]
    return min(distances, key=lambda pair: pair[0])[1] if distances else None


def _number(month: date) -> int:
    return month.year * 12 + month.month


def _insert(connection: Connection, feed: Feed, change: Change) -> None:
    values = _values(feed, change)
    connection.execute(
        """
        insert into quality.recording_change (series, parent_series, feed, geography, effective_month, kind, nature,
            confidence, evidence, state, register_id, treatment)
        values (%(series)s, %(parent_series)s, %(feed)s, %(geography)s, %(effective_month)s, %(kind)s, %(nature)s,
            %(confidence)s, %(evidence)s, %(state)s, %(register_id)s, %(treatment)s)
        """,
        values,
    )


def _update(connection: Connection, row: dict[str, Any], feed: Feed, change: Change) -> None:
    """Say what is known tonight; what was decided stays, with the evidence that it was decided on."""
    if row["state"] not in _UNDECIDED:
        return
    connection.execute(
        """
        update quality.recording_change
        set series = %(series)s, geography = %(geography)s, effective_month = %(effective_month)s, kind = %(kind)s,
            nature = %(nature)s, confidence = %(confidence)s, evidence = %(evidence)s, state = %(state)s,
            register_id = %(register_id)s, treatment = %(treatment)s
        where change_id = %(change_id)s
            and (series, geography, effective_month, kind, nature, confidence, evidence, state, register_id, treatment)
            is distinct from (%(series)s, %(geography)s, %(effective_month)s::date, %(kind)s, %(nature)s,
                %(confidence)s::numeric, %(evidence)s::jsonb, %(state)s, %(register_id)s, %(treatment)s)
        """,
        _values(feed, change) | {"change_id": row["change_id"]},
    )


def _values(feed: Feed, change: Change) -> dict[str, Any]:
    lead = change.lead
    return {
        "series": lead.series,
        "parent_series": lead.whole,
        "feed": feed.name,
        "geography": _geography(change.areas, feed.panels[0].areas),
        "effective_month": lead.month,
        "kind": lead.kind,
        "nature": lead.nature,
        "confidence": lead.confidence,
        "evidence": json.dumps(_evidence(change), default=str),
        "state": "registered" if lead.register_id else "suspected",
        "register_id": lead.register_id,
        "treatment": lead.treatment,
    }


def _geography(areas: Sequence[str], all_areas: Sequence[str]) -> str:
    """The areas concerned: ``all``, or their codes."""
    return "all" if set(areas) == set(all_areas) else ", ".join(areas)


def _evidence(change: Change) -> dict[str, Any]:
    lead = change.lead
    return {
        "sentences": list(change.evidence),
        "signals": list(lead.signals),
        "areas": list(change.areas),
        "classes": list(lead.classes),
        "earliest_month": lead.earliest,
        "latest_month": lead.latest,
        "bridged_parent": lead.bridged_parent,
        "effect": asdict(lead.effect) if lead.effect else None,
    }
