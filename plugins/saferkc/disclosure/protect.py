"""Secondary suppression: what is shown together must not give a suppressed count away.

Whoever reads a table may add up and subtract: a month is a part of its quarter, a class a part of its total. So each
suppressed count is attacked, exactly, by linear programming over all that is shown, and where too few whole numbers
are left that it may be, the least important of the shown figures that pin it is suppressed as well. The measure is
how many numbers are left, as of the interval that cell suppression commonly asks for (Fischetti and Salazar, "Models
and algorithms for optimizing cell suppression", 2000); to take figures away one by one instead of finding the fewest is
ours: a report has a few dozen figures, and which of them matter is known.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from saferkc.disclosure.gate import gate_count, least_and_most
from saferkc.disclosure.rules import Rule

# a part that is the sum of other parts, and those
Equality = tuple[Hashable, frozenset[Hashable]]
# how far a bound may be from a whole number by the solver's tolerance
_SLACK = 1e-6
_CONTRADICTION = "the cells of a table contradict each other: a total is not the sum of its parts"


@dataclass(frozen=True)
class Cell:
    """A count that is shown, or suppressed by the rule.

    ``parts`` are what it is the sum of; two cells with a part in common tell of each other. ``importance`` says which
    cell is given up first, the lowest; ``is_fixed`` is one that was shown before and can't be taken back.
    """

    key: Hashable
    count: int
    parts: frozenset[Hashable]
    importance: float = 0
    is_fixed: bool = False


@dataclass(frozen=True)
class _Attack:
    """What a suppressed cell may be, and the cells without which it might be less or more."""

    low: float
    high: float
    pinned_by: frozenset[Hashable]
    # what the parts are where the cell is least and where it is most: both fit all that is shown
    solutions: tuple[dict[Hashable, float], ...]

    @property
    def values(self) -> int:
        return _whole_numbers(self.low, self.high)


def _whole_numbers(low: float, high: float) -> int:
    return math.floor(high + _SLACK) - math.ceil(low - _SLACK) + 1


class Ranges:
    """The attack: between which numbers each part, and so each suppressed cell, must lie.

    ``equalities`` are parts that are the sum of other parts, as a class of the classes under it. ``hidden`` are the
    keys of cells that are suppressed though the rule would show them: nothing is known of those.
    """

    def __init__(
        self,
        rule: Rule,
        cells: Iterable[Cell],
        equalities: Sequence[Equality],
        hidden: Collection[Hashable] = (),
    ) -> None:
        self.rule = rule
        self.cells = list(cells)
        self.equalities = list(equalities)
        self.hidden = frozenset(hidden) - {cell.key for cell in self.suppressed}

    @cached_property
    def suppressed(self) -> list[Cell]:
        """The cells that the rule suppresses."""
        return [cell for cell in self.cells if gate_count(self.rule, cell.count).is_suppressed]

    def of(self, cell: Cell) -> tuple[float, float]:
        """Between which numbers a cell lies for whoever sees all the others."""
        found = self.attack(cell)
        return found.low, found.high

    def attack(self, cell: Cell) -> _Attack:
        """Find the least and the most that a cell may be. Raises ``ValueError`` where cells contradict each other."""
        cells, parts = self._related(cell)
        place = {part: number for number, part in enumerate(parts)}
        equalities = [(whole, of) for whole, of in self.equalities if whole in place]
        known = {part for one in cells for part in one.parts}
        if len(equalities) <= 1 and len(known) == len(cells) and all(len(one.parts) == 1 for one in cells):
            return self._by_one_sum(cell, cells, *equalities)
        return self._by_programme(cell, cells, place, equalities)

    def _by_one_sum(self, cell: Cell, cells: Sequence[Cell], sums: Equality | None = None) -> _Attack:
        """The attack where cells are single parts, and one of these is the sum of the others at most: no programme."""
        known = {part: self._between(one) for one in cells for part in one.parts}
        (own,) = cell.parts
        low, high = known.get(own, (0.0, math.inf))
        pinned: frozenset[Hashable] = frozenset()
        if sums is not None:
            whole, of = sums
            of_others = [known.get(part, (0.0, math.inf)) for part in of - {own}]
            least, most = sum(one for one, _ in of_others), sum(other for _, other in of_others)
            if own != whole:
                of_whole = known.get(whole, (0.0, math.inf))
                least, most = of_whole[0] - most, of_whole[1] - least
            if least > low or most < high:
                low, high = max(low, least), min(high, most)
                pinned = frozenset(one.key for one in cells if one.key != cell.key)
        if low > high:
            raise ValueError(_CONTRADICTION)
        return _Attack(low, high, pinned, ())

    def _by_programme(
        self, cell: Cell, cells: list[Cell], place: Mapping[Hashable, int], equalities: Sequence[Equality]
    ) -> _Attack:
        # takes half a second, and most that goes through the gate needs none of it
        from scipy.optimize import linprog  # noqa: PLC0415
        from scipy.sparse import csr_array  # noqa: PLC0415

        parts = list(place)
        equal = np.zeros((len(equalities), len(parts)))
        for row, (whole, of) in enumerate(equalities):
            equal[row, place[whole]] = 1
            equal[row, [place[part] for part in of]] = -1
        sums = np.zeros((len(cells), len(parts)))
        lows, highs = [], []
        for row, one in enumerate(cells):
            sums[row, [place[part] for part in one.parts]] = 1
            low, high = self._between(one)
            lows.append(low)
            highs.append(high)
        aim = np.zeros(len(parts))
        aim[[place[part] for part in cell.parts]] = 1
        limits = csr_array(np.vstack([sums, -sums]))
        bounds = np.concatenate([highs, [-low for low in lows]])
        ends, pinned, solutions = [], set(), []
        for sign in (1, -1):
            found = linprog(
                sign * aim, A_ub=limits, b_ub=bounds, A_eq=equal if equalities else None,
                b_eq=np.zeros(len(equalities)) if equalities else None, bounds=(0, None), method="highs",
            )  # fmt: skip
            if found.status != 0:
                raise ValueError(_CONTRADICTION)
            ends.append(sign * found.fun)
            solutions.append(dict(zip(parts, map(float, found.x), strict=True)))
            binding = np.abs(found.ineqlin.marginals) > _SLACK
            pinned |= {cells[row % len(cells)].key for row in np.flatnonzero(binding)}
        return _Attack(ends[0], ends[1], frozenset(pinned), tuple(solutions))

    def _between(self, cell: Cell) -> tuple[float, float]:
        """What anybody knows of a cell by itself."""
        shown = gate_count(self.rule, cell.count).value
        return (0.0, float(self.rule.suppress_up_to)) if shown is None else least_and_most(self.rule, shown)

    @cached_property
    def _groups(self) -> dict[Hashable, int]:
        """The group of each part: parts of one group tell of each other."""
        leader: dict[Hashable, Hashable] = {}

        def lead(part: Hashable) -> Hashable:
            while leader.setdefault(part, part) != part:
                leader[part] = leader[leader[part]]
                part = leader[part]
            return part

        known = (cell.parts for cell in self.cells if cell.key not in self.hidden)
        for together in (*known, *({whole, *of} for whole, of in self.equalities)):
            first, *rest = together
            lead(first)
            for part in rest:
                leader[lead(part)] = lead(first)
        numbers: dict[Hashable, int] = {}
        return {part: numbers.setdefault(lead(part), len(numbers)) for part in list(leader)}

    @cached_property
    def _members(self) -> tuple[dict[int, list[Cell]], dict[int, list[Hashable]]]:
        cells: dict[int, list[Cell]] = defaultdict(list)
        parts: dict[int, list[Hashable]] = defaultdict(list)
        for cell in self.cells:
            if cell.key not in self.hidden:
                cells[self._groups[next(iter(cell.parts))]].append(cell)
        for part, group in self._groups.items():
            parts[group].append(part)
        return cells, parts

    def _related(self, cell: Cell) -> tuple[list[Cell], list[Hashable]]:
        group = self._groups[next(iter(cell.parts))]
        return self._members[0][group], self._members[1][group]


def protect(
    rule: Rule,
    cells: Sequence[Cell],
    equalities: Sequence[Equality] = (),
    hidden: Collection[Hashable] = (),
) -> frozenset[Hashable]:
    """Return the keys of the cells to suppress besides those that the rule suppresses, ``hidden`` among them.

    Afterwards every cell that the rule suppresses may be ``values_left`` numbers or more, as long as no fixed cells
    alone leave fewer. Raises ``ValueError`` where the cells contradict each other.
    """
    given_up = set(hidden)
    suppressed = Ranges(rule, cells, equalities).suppressed
    pending = suppressed if rule.values_left else []
    seen: dict[Hashable, tuple[float, float]] = {}
    while pending:
        ranges = Ranges(rule, cells, equalities, given_up)
        shown = {
            cell.key: cell
            for cell in cells
            if not cell.is_fixed and cell.key not in given_up and not gate_count(rule, cell.count).is_suppressed
        }
        more: set[Hashable] = set()
        again: list[Cell] = []
        for cell in pending:
            # what it was in other solutions it may be; whatever is given up later leaves it more and not less
            if cell.key in seen and _whole_numbers(*seen[cell.key]) >= rule.values_left:
                continue
            found = ranges.attack(cell)
            _remember(seen, pending, found.solutions)
            pinning = [shown[key] for key in found.pinned_by if key in shown]
            if found.values < rule.values_left and pinning:
                again.append(cell)
                if not more & found.pinned_by:
                    more.add(min(pinning, key=lambda one: (one.importance, repr(one.key))).key)
        given_up |= more
        pending = again
    return frozenset(given_up)


def _remember(
    seen: dict[Hashable, tuple[float, float]], cells: Iterable[Cell], solutions: Iterable[Mapping[Hashable, float]]
) -> None:
    """Keep between which numbers cells have lain in solutions."""
    for cell in cells:
        for solution in solutions:
            if all(part in solution for part in cell.parts):
                value = sum(solution[part] for part in cell.parts)
                low, high = seen.get(cell.key, (value, value))
                seen[cell.key] = (min(low, value), max(high, value))
