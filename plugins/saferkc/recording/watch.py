"""The nightly look at the published series: what the detector finds goes to the ledger of changes.

A change is one row however often it is found: later nights make it surer, or take it back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from saferkc.recording.detect import MONTHS_OF_A_NIGHT, examine
from saferkc.recording.findings import Change
from saferkc.recording.judging.known import months_apart
from saferkc.recording.ledger import add_change, list_changes, say_anew, set_gone
from saferkc.recording.read import recorded_crime
from saferkc.recording.register import known_changes, read_register
from saferkc.recording.series import Feed
from saferkc.recording.steps import LEAST_BEFORE
from saferkc.settings import Settings
from saferkc.warehouse.connection import connect

# a month that is told more exactly later is still the same change
_SAME_WITHIN_MONTHS = 3


@dataclass(frozen=True)
class Watched:
    """What a night's look came to: changes found in all, those new tonight, those that no longer show."""

    found: int = 0
    new: int = 0
    gone: int = 0


def watch(settings: Settings) -> Watched:
    """Examine the published series and bring the ledger up to date, in one transaction.

    The first look at a feed is at all of its history, later ones at the last ``MONTHS_OF_A_NIGHT``.
    """
    register = known_changes(read_register(settings.dbt_project_dir / "seeds"))
    with connect(settings) as connection:
        if connection.execute("select to_regclass('core.fct_recorded_crime_monthly')").fetchone() == (None,):
            return Watched()  # nothing was ever published
        panels = recorded_crime(connection)
        if not panels:
            return Watched()
        feed = Feed(panels[0].feed, panels)
        left = list_changes(connection, feed=feed.name, include_all=True)
        since = max(LEAST_BEFORE, len(feed.months) - MONTHS_OF_A_NIGHT) if left else LEAST_BEFORE
        changes = examine(feed, register, since=since)
        new = 0
        for change in changes:
            row = _same(left, change)
            if row is None:
                add_change(connection, _values(feed, change))
                new += 1
            else:
                left.remove(row)
                say_anew(connection, row["change_id"], _values(feed, change))
        gone = [
            row["change_id"]
            for row in left
            if row["state"] == "suspected" and row["effective_month"] >= feed.months[since]
        ]
        set_gone(connection, gone)
    return Watched(len(changes), new, len(gone))


def _same(rows: Sequence[dict[str, Any]], change: Change) -> dict[str, Any] | None:
    """The kept change that this one is: of those that it may be, the nearest in time."""
    distances = [(distance, row) for row in rows if (distance := _distance(row, change)) is not None]
    return min(distances, key=lambda pair: pair[0])[1] if distances else None


def _distance(row: dict[str, Any], change: Change) -> int | None:
    """Months between a kept change and one found tonight, where they may be the same; None where they are two."""
    lead = change.lead
    if row["parent_series"] != lead.whole or not set(row["evidence"].get("areas", ())) & set(change.areas):
        return None
    if (row["kind"] == "real") != (lead.kind == "real"):
        return None  # a move and the real fall beside it are two
    apart = abs(months_apart(row["effective_month"], lead.month))
    # new names in January and a new rule in April are two, a new name that turns out to be a split is one
    allowed = _SAME_WITHIN_MONTHS if row["nature"] == lead.nature else 1
    return apart if apart <= allowed else None


def _values(feed: Feed, change: Change) -> dict[str, Any]:
    lead = change.lead
    everywhere = set(change.areas) == set(feed.panels[0].areas)
    return {
        "series": lead.series,
        "parent_series": lead.whole,
        "feed": feed.name,
        "geography": "all" if everywhere else ", ".join(change.areas),
        "effective_month": lead.month,
        "kind": lead.kind,
        "nature": lead.nature,
        "confidence": lead.confidence,
        "evidence": {
            "sentences": list(change.evidence),
            "signals": list(lead.signals),
            "areas": list(change.areas),
            "classes": list(lead.classes),
            "earliest_month": lead.earliest,
            "latest_month": lead.latest,
            "bridged_parent": lead.bridged_parent,
            "effect": asdict(lead.effect) if lead.effect else None,
        },
        "state": "registered" if lead.register_id else "suspected",
        "register_id": lead.register_id,
        "treatment": lead.treatment,
    }
