"""Births and deaths of whole categories: what is a parent of classes is itself a class of all that a feed counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from saferkc.recording.codes import CodeEvent, code_events
from saferkc.recording.series import EVERYTHING, Panel


def panel_of_wholes(panels: Sequence[Panel], everything: str = EVERYTHING) -> Panel | None:
    """The categories of a feed as classes of everything, so called; None where it has fewer than two."""
    categories = [panel for panel in panels if panel.dimension == "category"]
    if len(categories) < 2:
        return None
    first = categories[0]
    counts = np.stack([panel.total for panel in categories], axis=1)
    names = tuple(panel.parent for panel in categories)
    return Panel(first.feed, everything, first.areas, names, first.months, counts)


def joined_wholes(panels: Sequence[Panel], events: Sequence[CodeEvent]) -> tuple[Panel, ...]:
    """The panels, each category that was renamed being one panel under its newest name, with the classes of both."""
    result = {panel.parent: panel for panel in panels}
    for event in events:
        for old, new in event.renames:
            if old in result and new in result:
                result[new] = _united(result.pop(old), result[new])
    return tuple(result.values())


def _united(old: Panel, new: Panel) -> Panel:
    names = tuple(dict.fromkeys((*old.children, *new.children)))
    counts = np.zeros((len(new.areas), len(names), len(new.months)))
    for panel in (old, new):
        for child, name in enumerate(panel.children):
            counts[:, names.index(name)] += panel.counts[:, child]
    return replace(new, children=names, counts=counts, listed=old.listed | new.listed)


def came_or_went(events: Sequence[CodeEvent], parent: str) -> frozenset[int]:
    """Months (numbers) in which a whole category began or ended: its classes did so because of it."""
    return frozenset(event.place for event in events if parent in (*event.born, *event.died))


def whole_events(panels: Sequence[Panel]) -> list[CodeEvent]:
    """Events of the list of categories, in order of time."""
    wholes = panel_of_wholes(panels)
    return [] if wholes is None else code_events(wholes)
