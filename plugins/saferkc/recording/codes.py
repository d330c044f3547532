"""Births and deaths of codes: the one sign of a recording change that is certain, and there on the first day.

A code is born in the month of its first use after a year without, and dies in the month from which hardly anything
is counted under it though something was to be expected. Those of one month belong together: a name that goes and one
that comes at the same level is a rename; the rest are splits, merges, new or lost scope, or a code mistyped.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from saferkc.recording.series import Floats, Panel

Flags = npt.NDArray[np.bool_]

_YEAR = 12
# a code that was used in fewer months never lived: its end is no news
_LIVED_MONTHS = 3
# so many must be lacking before a code counts as dead: the chance of none, were it alive, is e^-8
_LACKING = 8.0
# what goes on being counted under a code that has died, beside what was
_REMNANT = 0.01
# a code that comes for one that goes: levels within a factor of 3; a name as like as this is taken at once
_LEVEL_RATIO, _LIKE, _SAME_WORD = 3.0, 0.6, 0.85
# a mistyped code is used for a few records only, and is about as long as the right one
_FEW, _SLIP_LETTERS = 0.1, 1


@dataclass(frozen=True)
class CodeEvent:
    """What happened to the code list at month number ``place``.

    ``renames`` are pairs (old, new); ``born`` and ``died`` what is left; ``mistyped`` pairs (wrong, meant). ``faded``
    is the month in which the first of the dead began to go, where that was earlier.
    """

    place: int
    renames: tuple[tuple[str, str], ...] = ()
    born: tuple[str, ...] = ()
    died: tuple[str, ...] = ()
    mistyped: tuple[tuple[str, str], ...] = ()
    faded: int | None = None


def code_events(panel: Panel) -> list[CodeEvent]:
    """Find the months in which codes were born or died in all areas together, in order of time."""
    used = np.nansum(panel.counts, axis=0)
    delivered: Flags = np.asarray(~np.isnan(panel.counts).all(axis=(0, 1)))
    births: dict[int, list[int]] = {}
    deaths: dict[int, list[tuple[int, int]]] = {}
    for child, name in enumerate(panel.children):
        born = _birth(used[child], delivered)
        if born is not None and name not in panel.listed:
            births.setdefault(born, []).append(child)
        died = _death(used[child], delivered)
        if died is not None:
            deaths.setdefault(died[0], []).append((child, died[1]))
    return [
        _event(panel, used, place, births.get(place, []), deaths.get(place, []))
        for place in sorted(set(births) | set(deaths))
    ]


def _birth(used: Floats, delivered: Flags) -> int | None:
    there = np.flatnonzero(used > 0)
    if not there.size or delivered[: there[0]].sum() < _YEAR:
        return None
    return int(there[0])


def _death(used: Floats, delivered: Flags) -> tuple[int, int] | None:
    """The first month of those up to the end in which hardly anything is counted, and where the fading began."""
    end = len(used)
    if (used > 0).sum() < _LIVED_MONTHS:
        return None
    place = end
    while place > _YEAR:
        if delivered[place - 1] and used[place - 1] > _REMNANT * _best_year(used[: place - 1]):
            break
        place -= 1
    if place == end or used[place - 1] <= _REMNANT * _best_year(used[:place]):
        return None  # it goes on, or was hardly used in the first year either
    level = used[max(0, place - _YEAR) : place].mean()
    if level * delivered[place:].sum() < _LACKING:
        return None
    faded = place
    while faded - 1 > _YEAR and used[faded - 1] < 0.5 * used[max(0, faded - 1 - _YEAR) : faded - 1].mean():
        faded -= 1
    return place, faded


def _best_year(used: Floats) -> float:
    """The highest mean of twelve months: a code that is used now and then after its end is dead all the same."""
    sums = np.concatenate([[0.0], used.cumsum()])
    return float((sums[_YEAR:] - sums[:-_YEAR]).max() / _YEAR) if len(used) >= _YEAR else 0.0


def _event(
    panel: Panel, used: Floats, place: int, births: Sequence[int], deaths: Sequence[tuple[int, int]]
) -> CodeEvent:
    dead = [child for child, _ in deaths]
    # a quarter is compared with the year before, one month where there is no more
    level_before = {child: used[child, max(0, place - _YEAR) : place].mean() for child in dead}
    level_after = {child: used[child, place : place + 3].mean() for child in births}
    renames: list[tuple[str, str]] = []
    left_born, left_dead = set(births), set(dead)
    if births and dead:
        # where more go than come, or the other way round, classes were drawn anew: levels alone make no successor
        by_level = len(births) == len(dead)
        cost = np.array(
            [
                [_unlike(panel, old, new, level_before[old], level_after[new], by_level=by_level) for new in births]
                for old in dead
            ]
        )
        for row, column in zip(*linear_sum_assignment(cost), strict=True):
            if np.isfinite(cost[row, column]) and cost[row, column] < 1e3:
                renames.append((panel.children[dead[row]], panel.children[births[column]]))
                left_dead.discard(dead[row])
                left_born.discard(births[column])
    mistyped = [pair for child in sorted(left_born) if (pair := _mistyped(panel, used, child, place))]
    left_born -= {child for child in left_born if panel.children[child] in {wrong for wrong, _ in mistyped}}
    faded = [faded for child, faded in deaths if child in left_dead]
    return CodeEvent(
        place,
        tuple(renames),
        tuple(panel.children[child] for child in sorted(left_born)),
        tuple(panel.children[child] for child in sorted(left_dead)),
        tuple(mistyped),
        min(faded) if faded and min(faded) < place else None,
    )


def _unlike(panel: Panel, old: int, new: int, before: float, after: float, *, by_level: bool) -> float:
    """How badly a new code fits for an old one; 1,000 and more where it can't be its successor."""
    ratio = abs(float(np.log(max(after, 0.1) / max(before, 0.1))))
    like = likeness(panel.children[old], panel.children[new])
    allowed = np.log(_LEVEL_RATIO) * (2 if like > _LIKE else 1)
    fits = ratio <= allowed and (by_level or (like > _LIKE and bool(_words(panel.children[old], panel.children[new]))))
    return ratio + (1 - like) + (0.0 if fits else 1e3)


def _words(one: str, other: str) -> set[str]:
    """Words that two names share: short names are alike by chance."""
    first, second = (set(re.findall(r"[a-z0-9]{4,}", name.lower())) for name in (one, other))
    return first & second


def likeness(one: str, other: str) -> float:
    """How alike two names are, 0 to 1, whatever their punctuation and capitals."""
    first, second = (re.sub(r"[^a-z0-9]+", " ", name.lower()).strip() for name in (one, other))
    return SequenceMatcher(None, first, second).ratio()


def _mistyped(panel: Panel, used: Floats, child: int, place: int) -> tuple[str, str] | None:
    for other, name in enumerate(panel.children):
        known = used[other, :place].sum() > 0
        few = used[child, place:].mean() <= _FEW * max(used[other, max(0, place - _YEAR) : place].mean(), 1.0)
        as_long = abs(len(name) - len(panel.children[child])) <= _SLIP_LETTERS
        if other != child and known and few and as_long and likeness(name, panel.children[child]) >= _SAME_WORD:
            return panel.children[child], name
    return None


def joined(panel: Panel, events: Sequence[CodeEvent]) -> Panel:
    """The panel with renamed and mistyped codes under one name, the newest, so that series go on across a rename."""
    becomes = {old: new for event in events for old, new in (*event.renames, *event.mistyped)}
    if not becomes:
        return panel

    def newest(name: str) -> str:
        seen = set()
        while name in becomes and name not in seen:
            seen.add(name)
            name = becomes[name]
        return name

    names = tuple(dict.fromkeys(newest(name) for name in panel.children))
    counts = np.zeros((len(panel.areas), len(names), len(panel.months)))
    for child, name in enumerate(panel.children):
        counts[:, names.index(newest(name))] += panel.counts[:, child]
    return replace(panel, children=names, counts=counts)
