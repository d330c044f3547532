"""The nightly look: what the detector finds in the feeds goes to the ledger of changes, and people are told.

A change is one row however often it is found: later nights make it surer, or take it back.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from saferkc.alerts import raise_alert, resolve
from saferkc.contracts import load_contracts
from saferkc.disclosure import DisclosureRules, Rule, read_rules
from saferkc.monitoring import timed
from saferkc.privacy.showing import without_hidden
from saferkc.recording.bridging import code_map
from saferkc.recording.detect import MONTHS_OF_A_NIGHT, MONTHS_TO_READ, examine
from saferkc.recording.findings import Change
from saferkc.recording.judging.known import KnownChange
from saferkc.recording.ledger import add_change, list_changes, say_anew, set_gone
from saferkc.recording.looks import Due, feeds_due, note_look
from saferkc.recording.months import months_apart
from saferkc.recording.reading import FEEDS, read_feeds
from saferkc.recording.register import known_changes, read_register
from saferkc.recording.series import Feed
from saferkc.recording.standing import relation_of
from saferkc.recording.steps import LEAST_BEFORE
from saferkc.recording.telling import tell_people
from saferkc.recording.words import as_shown
from saferkc.settings import Settings
from saferkc.warehouse.connection import Connection, connect

# a month that is told more exactly later is still the same change
_SAME_WITHIN_MONTHS = 3
_BROKEN_ALERT = "recording watch:broken"
_log = logging.getLogger(__name__)


class WatchError(Exception):
    """Feeds could not be looked at; the message names them and the kinds of errors, and holds no value."""


@dataclass(frozen=True)
class Watched:
    """What a look came to: feeds looked at; changes found in all, those new tonight, those that no longer show."""

    feeds: int = 0
    found: int = 0
    new: int = 0
    gone: int = 0

    def __add__(self, other: Watched) -> Watched:
        return Watched(self.feeds + other.feeds, self.found + other.found, self.new + other.new, self.gone + other.gone)


@timed("watch")
def watch(settings: Settings, build_id: int | None = None) -> Watched:
    """Examine the feeds that have something new for this build, bring the ledger up to date, and tell people.

    Without a build all feeds are looked at, in all of their history. So is a feed that is looked at for the first time,
    or for the first time after the register has changed; later looks are at the last ``MONTHS_OF_A_NIGHT``, and read
    no more than these need. Each feed is a transaction of its own. Where some can't be looked at, the others are, the
    engineers get an alert, and ``WatchError`` is raised.
    """
    register = known_changes(read_register(settings.dbt_project_dir / "seeds"))
    rules = read_rules(settings.disclosure_file)
    total, broken = Watched(), {}
    with connect(settings, autocommit=True) as connection:
        due = [Due(feed, whole=True) for feed in FEEDS] if build_id is None else feeds_due(connection, build_id, FEEDS)
        for one in due:
            try:
                with connection.transaction():
                    total += _look(connection, settings, one, register, build_id, rules)
            except Exception as error:  # one feed that can't be read must not keep the others from being looked at
                # the kind only: a message may hold what stands in a record
                broken[one.feed] = type(error).__name__
                where = "".join(traceback.format_tb(error.__traceback__))
                _log.error("%s could not be looked at: %s\n%s", one.feed, broken[one.feed], where)
        with connection.transaction():
            names = {feed: contract.name for feed, contract in load_contracts(settings.contracts_dir).items()}
            tell_people(connection, names)
            _tell_engineers(connection, broken)
    if broken:
        raise WatchError(_told(broken))
    return total


def _look(
    connection: Connection,
    settings: Settings,
    due: Due,
    register: Sequence[KnownChange],
    build_id: int | None,
    rules: DisclosureRules,
) -> Watched:
    watched = Watched()
    months = None if due.whole else MONTHS_TO_READ
    for feed in read_feeds(connection, settings, only={due.feed}, months=months):
        watched += _enter(connection, feed, register, rules.strictest(relation_of(feed.name)), is_night=not due.whole)
    if build_id is not None:
        note_look(connection, build_id, due.feed, asdict(watched))
    return watched


def _enter(
    connection: Connection, feed: Feed, register: Sequence[KnownChange], rule: Rule, *, is_night: bool
) -> Watched:
    """Examine a feed, its last months or all of them, and bring its part of the ledger up to date.

    ``rule`` is the one by which anybody may read of the feed's counts.
    """
    left = list_changes(connection, feed=feed.name, include_all=True)
    since = max(LEAST_BEFORE, len(feed.months) - MONTHS_OF_A_NIGHT) if is_night else LEAST_BEFORE
    changes = examine(feed, register, since=since)
    new = 0
    for change in changes:
        # what may be somebody's name, or a count that says something of single people, leaves the detector here
        values = without_hidden(_values(feed, change, rule), feed.hidden)
        row = _same(left, change, values["parent_series"])
        if row is None:
            add_change(connection, values)
            new += 1
        else:
            left.remove(row)
            say_anew(connection, row["change_id"], values)
    looked_at = feed.months[since:]
    gone = [row["change_id"] for row in left if _may_go(row) and looked_at and row["effective_month"] >= looked_at[0]]
    set_gone(connection, gone)
    return Watched(1, len(changes), new, len(gone))


def _may_go(row: dict[str, Any]) -> bool:
    """Tell whether a change is over when it no longer shows: one that nobody decided on, or a fault that was mended."""
    return bool(row["state"] == "suspected" or (row["kind"], row["state"]) == ("data_fault", "confirmed"))


def _tell_engineers(connection: Connection, broken: dict[str, str]) -> None:
    if not broken:
        resolve(connection, _BROKEN_ALERT, note="All feeds could be looked at.")
        return
    raise_alert(
        connection,
        dedup_key=_BROKEN_ALERT,
        group_key="recording watch",
        severity="act",
        audience="engineers",
        title="Changes in counting could not be looked for",
        body=f"{_told(broken)}\n\nThe night goes on without, and new changes in these feeds are not flagged. Next step:"
        " read the log of the task watch, mend the cause and run the nightly again.",
    )


def _told(broken: dict[str, str]) -> str:
    return "; ".join(f"{feed} could not be looked at ({kind})" for feed, kind in broken.items())


def _same(rows: Sequence[dict[str, Any]], change: Change, whole: str) -> dict[str, Any] | None:
    """The kept change that this one is: of those that it may be, the nearest in time. ``whole`` is as it is shown."""
    distances = [(distance, row) for row in rows if (distance := _distance(row, change, whole)) is not None]
    return min(distances, key=lambda pair: pair[0])[1] if distances else None


def _distance(row: dict[str, Any], change: Change, whole: str) -> int | None:
    """Months between a kept change and one found tonight, where they may be the same; None where they are two."""
    lead = change.lead
    if row["parent_series"] != whole or not set(row["evidence"].get("areas", ())) & set(change.areas):
        return None
    if (row["kind"] == "real") != (lead.kind == "real"):
        return None  # a move and the real fall beside it are two
    apart = abs(months_apart(row["found_month"], lead.month))
    if row["found_nature"] == lead.nature == "coverage":
        # a month that is not all there says nothing of the next one: what was decided of the one is not of the other
        return None if apart else 0
    # new names in January and a new rule in April are two, a new name that turns out to be a split is one
    allowed = _SAME_WITHIN_MONTHS if row["found_nature"] == lead.nature else 1
    return apart if apart <= allowed else None


def _values(feed: Feed, change: Change, rule: Rule) -> dict[str, Any]:
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
            "sentences": [as_shown(text, rule) for text in change.evidence],
            "sentences_as_counted": list(change.evidence),
            "signals": list(lead.signals),
            "areas": list(change.areas),
            "classes": list(lead.classes),
            "earliest_month": lead.earliest,
            "latest_month": lead.latest,
            "bridged_parent": lead.bridged_parent,
            "effect": asdict(lead.effect) if lead.effect else None,
            "code_map": code_map(feed, change),
        },
        "state": "registered" if lead.register_id else "suspected",
        "register_id": lead.register_id,
        "treatment": lead.treatment,
    }
