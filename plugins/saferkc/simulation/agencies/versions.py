"""States of records, and what an extract of a day holds of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import polars as pl

SEEN = "@seen"
# states of a financial year's records in one block of the world, given seed, year, block and the block's size
States = Callable[[int, int, int, float], pl.DataFrame]


@dataclass(frozen=True)
class Feed:
    """A feed of an agency: where its records come from, their key, and the first financial year that has any.

    ``years_back`` is how many years before the one of a night still change.
    """

    name: str
    source: str
    key: tuple[str, ...]
    states: States
    since: int = 2006
    years_back: int = 1

    def standing(self, states: pl.DataFrame, day: date) -> pl.DataFrame:
        """Every record as it stood at the end of ``day``, deleted ones too, with its ``SEEN``."""
        return states.filter(pl.col(SEEN) <= day).unique(list(self.key), keep="last", maintain_order=True)

    def changed(self, states: pl.DataFrame, day: date) -> pl.DataFrame:
        """The records that became new or other on ``day``."""
        return states.filter(pl.col(SEEN) == day).unique(list(self.key), keep="last", maintain_order=True)


def stacked(*states: pl.DataFrame) -> pl.DataFrame:
    """States of records one after another, in the order of the days on which they were seen."""
    return pl.concat(states).sort(SEEN, maintain_order=True)
