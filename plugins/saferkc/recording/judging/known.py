"""What is known of a month beforehand: entries of the register, and days on which counting tends to change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from saferkc.recording.findings import Nature, Treatment
from saferkc.recording.months import months_apart
from saferkc.recording.series import Feed, Panel


@dataclass(frozen=True)
class KnownChange:
    """An entry of the register as the detector needs it; ``to`` is the end of a change that came by and by."""

    register_id: str
    series: str
    start: date
    to: date | None
    nature: Nature
    treatment: Treatment
    name: str


def known_change(
    register: Sequence[KnownChange], panel: Panel, month: date, child: str | None = None
) -> KnownChange | None:
    """The register's entry for this series within a month of ``month``, if there is one: a day before a range.

    The series is the panel's, or that of its class ``child``, where this has one of its own.
    """
    series = panel.series if child is None else panel.child_series.get(child, panel.series)
    for entry in sorted(register, key=lambda entry: entry.to is not None):
        end = entry.to or entry.start
        if entry.series == series and months_apart(month, entry.start) >= -1 and months_apart(month, end) <= 1:
            return entry
    return None


def is_expected(feed: Feed, register: Sequence[KnownChange], panel: Panel, month: date) -> bool:
    """Tell whether a change of counting at this month would be no surprise."""
    return feed.is_usual(month) or known_change(register, panel, month) is not None
