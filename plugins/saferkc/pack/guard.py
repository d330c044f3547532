"""Takes all figures of a pack through the gate at once: each by its rule, and none that gives another away.

What the packs of earlier months have shown of the same build counts as shown: a figure of this month is given up where
it would tell what an earlier pack kept back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

from saferkc.disclosure import Cell, Equality, Gated, Rule, gate_count, protect
from saferkc.pack.outline import Row
from saferkc.pack.periods import Basis, Span, compare, financial_year_start, spans_of
from saferkc.pack.read import Month
from saferkc.recording.months import months_before, months_between

# label, first and last month, and whether as recorded or by the rule of today
Key = tuple[str, date, date, Basis]


@dataclass(frozen=True)
class Guard:
    """The gate of a pack. ``months`` are the series by label, ``since`` the first month that a chart shows."""

    rule: Rule
    rows: Sequence[Row]
    months: Mapping[str, Mapping[date, Month]]
    month: date
    since: date

    def shown(self, label: str, span: Span, count: float | None, basis: Basis = "recorded") -> Gated:
        """Return the count of a series over a span as it may be shown."""
        gated = gate_count(self.rule, count)
        is_hidden = gated.value is not None and (label, span.months[0], span.months[-1], basis) in self.hidden
        return Gated(None, is_suppressed=True) if is_hidden else gated

    def hidden_months(self, label: str) -> set[date]:
        """Return the months of a series that may not be shown though the rule would show them."""
        return {first for name, first, last, _ in self.hidden if name == label and first == last}

    @cached_property
    def hidden(self) -> frozenset[Key]:
        """The figures that are suppressed because they would give another away."""
        found: set[Key] = set()
        for labels in self._families():
            rounds, equalities = self._rounds(labels), self._equalities(labels)
            cells = [cell for cells in rounds.values() for cell in cells]
            # what all packs together do not give away, none of them does
            if not protect(self.rule, cells, equalities):
                continue
            given_up: frozenset[Key] = frozenset()
            shown: list[Cell] = []
            for _, new in sorted(rounds.items()):
                given_up = protect(self.rule, [*shown, *new], equalities, given_up)  # type: ignore[assignment]
                shown += [replace(cell, is_fixed=True) for cell in new]
            found |= given_up
        return frozenset(found)

    def _families(self) -> Iterator[list[str]]:
        """Labels that tell of each other: a total and its classes, or one label by itself."""
        for row in self.rows:
            if row.parts_of is None:
                yield [row.label, *(other.label for other in self.rows if other.parts_of == row.label)]

    def _rounds(self, labels: Sequence[str]) -> dict[date, list[Cell]]:
        """The cells by the month of the pack that showed them first."""
        first = financial_year_start(months_before(self.month, 12))
        cells: dict[Key, tuple[date, Cell]] = {}

        def add(shown_in: date, label: str, span: Span, basis: Basis, count: float, importance: int) -> None:
            key = (label, span.months[0], span.months[-1], basis)
            if key not in cells and count == int(count):
                parts = frozenset(self._part(label, month, basis) for month in span.months)
                cells[key] = (shown_in, Cell(key, int(count), parts, importance + 10 * (label == labels[0])))

        for label in labels:
            months = self.months[label]
            row = next(row for row in self.rows if row.label == label)
            for month in months_between(self.since, months_before(first, 1)):
                if month in months and row.by_month:
                    add(month, label, Span((month,)), "recorded", months[month].recorded, 1)
            for end in months_between(first, self.month):
                for importance, span in enumerate(spans_of(end), 2):
                    if not row.shows(len(span.months)):
                        continue
                    compared = compare(months, span)
                    if compared.now is not None:
                        add(end, label, span, "recorded", compared.now, importance)
                    if compared.before is not None and not compared.is_estimate:
                        add(end, label, span.year_before(), compared.basis, compared.before, importance - 1)
            for month in months_between(self.since, self.month) if row.by_month else ():
                restated = months.get(month)
                if restated is not None and restated.is_exact and restated.comparable != restated.recorded:
                    add(month, label, Span((month,)), "today", restated.comparable or 0, 1)
        rounds: dict[date, list[Cell]] = {}
        for shown_in, cell in cells.values():
            rounds.setdefault(shown_in, []).append(cell)
        return rounds

    def _part(self, label: str, month: date, basis: Basis) -> tuple[str, date, Basis]:
        """A month's count; by the rule of today it is often the same one."""
        known = self.months[label].get(month)
        return (label, month, "recorded" if known is not None and known.comparable == known.recorded else basis)

    def _equalities(self, labels: Sequence[str]) -> list[Equality]:
        """The months in which the classes add up to their total, as recorded and by the rule of today."""
        total, *classes = labels
        found: list[Equality] = []
        if not classes:
            return found
        for month, whole in self.months[total].items():
            parts = [self.months[label].get(month) for label in classes]
            if not self.since <= month <= self.month:
                continue
            if sum(part.recorded for part in parts if part is not None) == whole.recorded:
                of = frozenset(self._part(label, month, "recorded") for label in classes)
                found.append((self._part(total, month, "recorded"), of))
            today = [part.comparable for part in parts if part is not None and part.is_exact]
            if len(today) == len(classes) and sum(value or 0 for value in today) == whole.comparable:
                of = frozenset(self._part(label, month, "today") for label in classes)
                if (self._part(total, month, "today"), of) not in found:
                    found.append((self._part(total, month, "today"), of))
        return found
