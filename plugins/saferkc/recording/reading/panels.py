"""Counted cells as panels: arrays of areas, classes and months, with holes where nothing was delivered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import numpy as np
import numpy.typing as npt

from saferkc.recording.reading.counts import Cell
from saferkc.recording.reading.trees import Tree, series_of_flag
from saferkc.recording.series import Floats, Panel, Rate

Flags = npt.NDArray[np.bool_]
# a class with fewer records a month than this since it was first used comes and goes by chance
_RARE = 1.0


def panels_of(
    tree: Tree,
    cells: Sequence[Cell],
    months: Sequence[date],
    covered: frozenset[date] | None = None,
    known: frozenset[str] = frozenset(),
) -> tuple[Panel, ...]:
    """Make one panel a whole of a tree's cells; ``known`` are labels that the contract lists.

    A month that is not ``covered`` is not known (NaN). No panels where there are no cells in these months.
    """
    when = {month: number for number, month in enumerate(months)}
    areas = tuple(sorted({cell.area for cell in cells if cell.month in when}))
    if not areas:
        return ()
    unknown = _unknown(tree, cells, areas, when, covered)
    place = {area: number for number, area in enumerate(areas)}
    panels = []
    for parent in sorted({cell.parent for cell in cells}):
        own = [cell for cell in cells if cell.parent == parent]
        inside = [cell for cell in own if cell.month in when]
        names = tuple(sorted({cell.child for cell in inside if cell.child}))
        number = {name: n for n, name in enumerate(names)}
        counts = np.zeros((len(areas), len(names), len(months)))
        base = np.zeros((len(areas), len(months)))
        for cell in inside:
            at = place[cell.area], when[cell.month]  # type: ignore[index]
            if cell.child is None:
                base[at] += cell.count
            else:
                counts[at[0], number[cell.child], at[1]] += cell.count
        if not names:
            continue
        counts[np.broadcast_to(unknown[:, None, :], counts.shape)] = np.nan
        base[unknown] = np.nan
        used_before = {cell.child for cell in own if cell.month is None and cell.child}
        dimension = "flag" if tree.is_joined else tree.dimension
        panels.append(
            Panel(
                tree.name, parent, areas, names, tuple(months), counts, dimension,
                listed=frozenset(used_before) | _rare(names, counts, known),
                base=base if dimension == "flag" and np.nansum(base) > 0 else None,
                series=tree.series.get(parent, ""),
                child_series=_series_of(names) if dimension == "flag" else {},
            )
        )  # fmt: skip
    return (*panels, *_flags(tree, cells, areas, months, unknown))


def _unknown(
    tree: Tree, cells: Sequence[Cell], areas: Sequence[str], when: Mapping[date, int], covered: frozenset[date] | None
) -> Flags:
    unknown = np.zeros((len(areas), len(when)), dtype=bool)
    if covered is not None:
        unknown[:, [number for month, number in when.items() if month not in covered]] = True
    if tree.absent_is_unknown:
        there = {(cell.area, cell.month) for cell in cells}
        unknown |= np.array([[(area, month) not in there for month in when] for area in areas])
    return unknown


def _rare(names: Sequence[str], counts: Floats, known: frozenset[str]) -> frozenset[str]:
    """Classes that the contract lists and that are hardly ever used: their first use is chance and no news."""
    result = set()
    for name, used in zip(names, np.nansum(counts, axis=0), strict=True):
        since = int(np.flatnonzero(used > 0)[0]) if used.any() else 0
        if name in known and used[since:].mean() < _RARE:
            result.add(name)
    return frozenset(result)


def _series_of(flags: Sequence[str]) -> dict[str, str]:
    return {name: series for name in flags if (series := series_of_flag(name))}


def _flags(
    tree: Tree, cells: Sequence[Cell], areas: Sequence[str], months: Sequence[date], unknown: Flags
) -> Iterable[Panel]:
    """The flags of all records as one panel; they are columns, so their first use is no news."""
    if not tree.flags:
        return
    counts = _measured(cells, areas, months, range(len(tree.flags)))
    base = _measured(cells, areas, months, [-1])[:, 0]
    counts[np.broadcast_to(unknown[:, None, :], counts.shape)] = np.nan
    base[unknown] = np.nan
    names = tuple(tree.flags)
    yield Panel(
        tree.name, tree.everything, tuple(areas), names, tuple(months), counts, "flag", frozenset(names), base,
        child_series=_series_of(names),
    )  # fmt: skip


def rates_of(tree: Tree, cells: Sequence[Cell], areas: Sequence[str], months: Sequence[date]) -> tuple[Rate, ...]:
    """The tree's qualities of records, each with how many have it and of how many, by area and month."""
    first = len(tree.flags)
    rates = []
    for number, quality in enumerate(tree.qualities):
        having, asked = (_measured(cells, areas, months, [first + 2 * number + offset])[:, 0] for offset in (0, 1))
        rates.append(Rate(quality.name, quality.nature, having, asked))
    return tuple(rates)


def _measured(cells: Sequence[Cell], areas: Sequence[str], months: Sequence[date], measures: Iterable[int]) -> Floats:
    """Sums of measures over all wholes and classes, shape (areas, measures, months); measure -1 is the count."""
    wanted = list(measures)
    place = {area: number for number, area in enumerate(areas)}
    when = {month: number for number, month in enumerate(months)}
    result = np.zeros((len(areas), len(wanted), len(months)))
    for cell in cells:
        if cell.area in place and cell.month in when:
            values = [cell.count if number < 0 else cell.measures[number] for number in wanted]
            result[place[cell.area], :, when[cell.month]] += values
    return result


def by_month(cells: Sequence[Cell]) -> dict[date, float]:
    """Records by month."""
    result: dict[date, float] = defaultdict(float)
    for cell in cells:
        if cell.month is not None:
            result[cell.month] += cell.count
    return dict(result)
