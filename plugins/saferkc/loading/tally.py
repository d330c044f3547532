"""Counts of one document while it is read."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from saferkc.contracts import Contract
from saferkc.loading.faults import QuarantinedRow


@dataclass
class Tally:
    """Counts of one document while it is read.

    ``held``: its records, whatever became of them. ``is_whole``: it was read to its end. ``is_unsettled``: rows
    that repeat one of another block are still to be settled. ``off_label``: records of another period than the
    document's label says, by their period.
    """

    held: int = 0
    quarantined: int = 0
    repeated: int = 0
    is_unsettled: bool = False
    is_whole: bool = False
    off_label: Counter[date] = field(default_factory=Counter)
    periods: set[date] = field(default_factory=set)
    seen: dict[int, set[str]] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)

    def add(
        self,
        frame: pl.DataFrame,
        held: int,
        faults: Sequence[QuarantinedRow],
        repeated: int,
        off_label: Counter[date],
    ) -> None:
        """Count one block: ``frame`` are its rows that go on, ``faults`` those that do not."""
        self.held += held
        self.quarantined += len(faults)
        self.faults.update(f"{row.column_name or 'line'}: {row.reason}" for row in faults)
        self.repeated += repeated
        self.off_label.update(off_label)
        if len(self.periods) < 10_000:
            self.periods.update(frame["period"].unique().to_list())

    def see(self, frame: pl.DataFrame, contract: Contract) -> None:
        """Note which of the values that a whole delivery must hold have been seen."""
        for number, rule in enumerate(contract.delivery.must_contain):
            seen = self.seen.setdefault(number, set())
            wanted = [value for value in rule.values if value not in seen]
            if not wanted:
                continue
            values = frame[rule.column].unique().drop_nulls()
            if rule.starts_with:
                # in order, whatever begins so stands at or right behind the beginning itself
                ordered = [*values.sort().to_list(), ""]
                places = (bisect_left(ordered, value, hi=len(values)) for value in wanted)
                seen.update(v for v, place in zip(wanted, places, strict=True) if ordered[place].startswith(v))
            else:
                seen.update(values.filter(values.is_in(wanted)).to_list())
