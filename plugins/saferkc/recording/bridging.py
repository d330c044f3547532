"""Code maps: which part of what a class counted counts under which class since a change, with 90 % bounds.

For a change that was found, or one whose month and classes are known from the register. Two things the monthly
counts cannot tell: records that went to two classes are divided as these gained, and a code that is new is taken to
have got all of it from the classes that gave to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from saferkc.recording.bridged import is_worth_bridging
from saferkc.recording.codes import CodeEvent, code_events, joined
from saferkc.recording.findings import Change, Finding
from saferkc.recording.recodes import MOST_AFTER, MOST_BEFORE, Shift, shifts
from saferkc.recording.series import Feed, Floats, Panel
from saferkc.recording.steps import LEAST_BEFORE, filled

# a class of which hardly anything is left has given all
_NOTHING_LEFT = 0.01
_DECIMALS = 4


@dataclass(frozen=True)
class CodeWeight:
    """The share of records of one class that counts under another since, in one area or (None) in all together.

    The class itself is one of those: what it keeps. The weights of a class in an area add up to 1. Bounds are of 90 %.
    """

    from_class: str
    to_class: str
    area: str | None
    weight: float
    weight_low: float
    weight_high: float


def code_map(feed: Feed, change: Change) -> list[dict[str, Any]]:
    """The code map of a change that may be bridged, as the ledger keeps it; empty where there is none."""
    lead = change.lead
    if lead.kind == "data_fault" or lead.bridged_parent is None:
        return []
    panel = next((panel for panel in feed.panels if panel.parent == lead.whole), None)
    if panel is None or panel.dimension != "category":
        return []
    rows = [i for i, area in enumerate(panel.areas) if area in set(change.areas)]
    panel = replace(panel, areas=tuple(panel.areas[i] for i in rows), counts=panel.counts[rows])
    found: dict[tuple[str, str, str | None], CodeWeight] = {}
    for place, gives in _by_month(panel, change.findings).items():
        for weight in code_weights(panel, place, gives, only_worth=True):
            found.setdefault((weight.from_class, weight.to_class, weight.area), weight)
    return [asdict(weight) for weight in found.values()]


def _by_month(panel: Panel, findings: Sequence[Finding]) -> dict[int, dict[str, list[str]]]:
    """Which class gives to which, by the number of the month from which it does."""
    all_events = code_events(panel)
    events = {event.place: event for event in all_events}
    known = set(joined(panel, all_events).children)
    result: dict[int, dict[str, list[str]]] = {}
    for finding in findings:
        if finding.whole != panel.parent or finding.bridged_parent is None or finding.kind == "real":
            continue
        place = panel.months.index(finding.month)
        gives = result.setdefault(place, {})
        for giver, gainer in _pairs(finding, events.get(place)):
            if {giver, gainer} <= known and gainer not in gives.setdefault(giver, []):
                gives[giver].append(gainer)
    return result


def _pairs(finding: Finding, event: CodeEvent | None) -> Iterator[tuple[str, str]]:
    """Which class gives to which by one finding; a rename needs none, and is told by the code list."""
    if "sibling_share" in finding.signals:
        gainer, giver = finding.classes[:2]
        yield giver, gainer
    elif event is not None:
        came_or_went = (*event.born, *event.died)
        partner = finding.classes[len(came_or_went) :]
        if came_or_went and finding.classes[: len(came_or_went)] == came_or_went:
            for giver in event.died or partner:
                for gainer in event.born or partner:
                    yield giver, gainer


def code_weights(
    panel: Panel, place: int, gives: Mapping[str, Sequence[str]], *, only_worth: bool = False
) -> list[CodeWeight]:
    """Estimate the code map of a change at month number ``place``, for all areas together and for each.

    ``gives`` names for each class that gave those that it gave to, as they are called now. Codes that were renamed in
    that month are told by their old name; older renames are joined. Nothing is said of a class while the months tell
    nothing: without one after, or without a year before. With ``only_worth`` nothing is said either of a class whose
    bridge, of a year in all areas together, would tell less than its figures as recorded: what it gave is hardly
    known, and beside a larger giver it is often an echo.

    Raises ``ValueError`` where a class is not among the panel's.
    """
    events = code_events(panel)
    former = {new: old for event in events if event.place == place for old, new in event.renames}
    whole = joined(panel, events)
    whole = replace(whole, counts=filled(whole.counts))
    concerned = list(dict.fromkeys([*gives, *(name for names in gives.values() for name in names)]))
    places = {name: whole.children.index(name) for name in concerned}
    counts = {name: whole.counts[:, number] for name, number in places.items()}
    total: Floats = sum(counts.values(), start=np.zeros_like(whole.total))
    areas = (None, *panel.areas)
    told: set[str] = set()
    result: list[CodeWeight] = []
    for giver, gainers in gives.items():
        shift = _shift(counts, total, giver, place)
        if shift is None or (only_worth and not _is_worth(counts[giver], place, shift[0])):
            continue
        told.add(giver)
        parts = _parts([counts[name] for name in gainers], place)
        for area, own in zip(areas, shift, strict=True):
            result += _rows(former.get(giver, giver), giver, gainers, parts, area, own)
    # what was only renamed keeps all
    renamed = [(former[name], name) for name in former if name not in told]
    result += [CodeWeight(old, new, area, 1.0, 1.0, 1.0) for old, new in renamed for area in areas]
    return result


_Bounds = tuple[float, float, float]


def _shift(counts: Mapping[str, Floats], total: Floats, giver: str, place: int) -> list[_Bounds] | None:
    """What a class gave in all, with bounds: in all areas together, then in each."""
    kept = counts[giver]
    before = kept[:, max(0, place - LEAST_BEFORE) : place]
    after = kept[:, place : place + MOST_AFTER]
    if not after.size or not before.sum():
        return None
    if after.mean() <= _NOTHING_LEFT * before.mean():
        return [(1.0, 1.0, 1.0)] * (len(kept) + 1)
    others = total - kept
    is_new = not others[:, max(0, place - MOST_BEFORE) : place].any()
    if place < LEAST_BEFORE and not is_new:
        return None
    together, own = shifts(kept, total, place, is_new=is_new)
    return [_bounds(together, ()), *(_bounds(own, number) for number in range(len(kept)))]


def _is_worth(kept: Floats, place: int, gave: _Bounds) -> bool:
    year = kept[:, max(0, place - LEAST_BEFORE) : place].sum(keepdims=True)[0]
    return bool(is_worth_bridging(year, *(np.array([value]) for value in gave)))


def _bounds(shift: Shift, index: int | tuple[()]) -> _Bounds:
    return float(shift.weight[index]), float(shift.weight_low[index]), float(shift.weight_high[index])


def _parts(gainers: Sequence[Floats], place: int) -> list[float]:
    """How what a class gave is divided among those that it gave to: as they gained, in all areas together."""
    gained = [
        max(float(c[:, place:].sum(axis=0).mean() - c[:, max(0, place - 12) : place].sum(axis=0).mean()), 0.0)
        for c in gainers
    ]
    whole = sum(gained)
    return [g / whole for g in gained] if whole else [1 / len(gainers)] * len(gainers)


def _rows(
    old: str, giver: str, gainers: Sequence[str], parts: Sequence[float], area: str | None, gave: _Bounds
) -> Iterator[CodeWeight]:
    rest: _Bounds = (1.0, 1.0, 1.0)
    for gainer, part in zip(gainers, parts, strict=True):
        own = [round(value * part, _DECIMALS) for value in gave]
        yield CodeWeight(old, gainer, area, own[0], own[1], own[2])
        rest = (rest[0] - own[0], rest[1] - own[2], rest[2] - own[1])
    if gave != (1.0, 1.0, 1.0):
        kept = [round(max(value, 0.0), _DECIMALS) for value in rest]
        yield CodeWeight(old, giver, area, kept[0], kept[1], kept[2])
