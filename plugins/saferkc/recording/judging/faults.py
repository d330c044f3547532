"""Findings from faults of deliveries and from restated history."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from saferkc.recording.faults import Fault, find_faults
from saferkc.recording.findings import Effect, Finding
from saferkc.recording.levels import beside
from saferkc.recording.series import Feed
from saferkc.recording.vintages import find_restatement
from saferkc.recording.words import counted, listed, month_in_words, percent, where

_SAYS = {
    "missing": (
        "Nothing at all was delivered for {when} {where}, where {expected} a month were to be expected. "
        "The month is unknown, not zero."
    ),
    "incomplete": (
        "{when} holds only about {factor} of what was to be expected, in every class alike, {where}: the month is not "
        "all there yet."
    ),
    "loaded_twice": (
        "{when} holds about twice what was to be expected, in every class alike, {where}: a delivery was probably "
        "loaded twice."
    ),
}


def real_faults(feed: Feed, since: int) -> list[Fault]:
    """Faults of the feed's months from number ``since`` on, without those that a feed beside it shares."""
    return [fault for fault in find_faults(feed.panels, since) if not _seen_elsewhere(feed, fault)]


def _seen_elsewhere(feed: Feed, fault: Fault) -> bool:
    """Tell whether another feed that sees the same thing falls or rises as well: then it happened."""
    rows = list(fault.rows)
    looks = [
        beside(counts[rows].sum(axis=0)[: fault.last + 1], fault.first, fault.factor - 1)
        for _, counts in feed.sisters.values()
    ]
    return any(look is not None and look.moves for look in looks)


def judge_faults(feed: Feed, faults: Sequence[Fault]) -> Iterator[Finding]:
    """Say what each fault is and what to do."""
    areas = feed.panels[0].areas
    # what is missing in several areas in the same months is one fault
    spans = dict.fromkeys((fault.kind, fault.first, fault.last) for fault in faults)
    for kind, first, last in spans:
        alike = [fault for fault in faults if (fault.kind, fault.first, fault.last) == (kind, first, last)]
        rows = sorted({row for fault in alike for row in fault.rows})
        named = tuple(areas[row] for row in rows)
        factor = float(np.mean([fault.factor for fault in alike]))
        months = [feed.months[first], feed.months[last]]
        when = month_in_words(months[0]) + (f" to {month_in_words(months[1])}" if first != last else "")
        yield Finding(
            kind="data_fault", nature="coverage", feed=feed.name, series="all", whole="all", bridged_parent=None,
            areas=named,
            month=months[0], earliest=months[0], latest=months[1], confidence=0.9 if kind != "incomplete" else 0.85,
            treatment="hold",
            evidence=(
                _SAYS[kind].format(
                    when=when, where=where(feed, named), factor=percent(factor),
                    expected=counted(float(np.mean([fault.expected for fault in alike]))),
                ),
            ),
            signals=("completeness",), effect=Effect(factor, factor, factor, "of what was to be expected"),
        )  # fmt: skip


def judge_vintages(feed: Feed) -> Iterator[Finding]:
    """Say where an earlier vintage had another history."""
    for earlier in feed.earlier:
        current = next((panel for panel in feed.panels if panel.parent == earlier.parent), None)
        found = find_restatement(earlier, current) if current else None
        if current is None or found is None:
            continue
        months = current.months[found.first], current.months[found.last]
        named = tuple(current.areas[row] for row in found.rows)
        sizes = found.changes
        differs = f"now differ{'s' if len(found.classes) < 2 else ''} from what was published before"
        evidence = [
            f"History was restated: {listed(found.classes) if found.classes else current.parent} {where(feed, named)} "
            f"{differs}, by {percent(min(sizes))} to {percent(max(sizes))}, in months from "
            f"{month_in_words(months[0])} to {month_in_words(months[1])}."
        ]
        if found.classes:
            evidence.append(f"{current.parent} as a whole is as it was: it was divided among its classes otherwise.")
        if found.moved_between_areas:
            evidence.append("All areas together are as they were: offences were moved between areas.")
        evidence.append("Figures of the two vintages must not be mixed.")
        is_of_places = found.moved_between_areas or (bool(found.classes) and current.dimension == "place")
        yield Finding(
            kind="recording", nature="geography" if is_of_places else "revision", feed=feed.name,
            series=found.classes[0] if found.classes else current.parent, whole=current.parent,
            bridged_parent=current.parent if found.classes else None, areas=named, month=months[0],
            earliest=months[0],
            latest=months[1], confidence=0.95, treatment="reload", evidence=tuple(evidence), signals=("vintages",),
            classes=found.classes,
        )  # fmt: skip
