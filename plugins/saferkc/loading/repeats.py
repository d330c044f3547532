"""Rows that repeat one already met in the same document: separate records, or one record said twice."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

# beyond it the database finds repeats in its own memory: a remembered hash takes about 120 bytes here
MOST_REMEMBERED = 250_000


class Repeats:
    """Numbers equal hashes 1, 2, … through all blocks of a document, as far as it may remember them."""

    def __init__(self) -> None:
        self._met: set[str] = set()
        self._often: dict[str, int] = {}
        self.overflowed = False

    def number(self, hashes: pl.Series) -> pl.Series:
        """Return the occurrence (from 1) of each hash of the next block."""
        values = hashes.to_list()
        before = {value: self._often.get(value, 1) for value in self._met.intersection(values)}
        occurrence = _within(hashes)
        if before:
            hit = hashes.is_in(pl.Series(list(before), dtype=pl.String).implode())
            earlier = hashes.filter(hit).replace_strict(before, return_dtype=pl.Int64)
            occurrence = occurrence.scatter(hit.arg_true(), occurrence.filter(hit) + earlier)
        repeated = occurrence > 1
        self._often.update(zip(hashes.filter(repeated).to_list(), occurrence.filter(repeated).to_list(), strict=True))
        self._remember(values)
        return occurrence.alias("occurrence")

    def meets_again(self, keys: pl.Series) -> bool:
        """Whether any key of the next block stood in an earlier one (or may have, once there were too many)."""
        values = keys.to_list()
        again = self.overflowed or not self._met.isdisjoint(values)
        self._remember(values)
        return again

    def _remember(self, values: Iterable[str]) -> None:
        if self.overflowed:
            return
        self._met.update(values)
        if len(self._met) > MOST_REMEMBERED:
            self.overflowed = True
            self._met.clear()
            self._often.clear()


def _within(hashes: pl.Series) -> pl.Series:
    """Number equal hashes within one block; only the few that repeat are counted one by one."""
    ones = pl.repeat(1, len(hashes), dtype=pl.Int64, eager=True)
    first = hashes.is_first_distinct()
    if first.all():
        return ones
    repeated = hashes.is_in(hashes.filter(~first).unique().implode())
    counted = hashes.filter(repeated).to_frame().select(pl.first().cum_count().over(pl.first()).cast(pl.Int64))
    return ones.scatter(repeated.arg_true(), counted.to_series())
