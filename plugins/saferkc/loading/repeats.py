"""Rows that repeat one already met in the same document: separate records, or one record said twice."""

from __future__ import annotations

import polars as pl

# beyond it the database finds repeats in its own memory: a remembered hash takes about 130 bytes here
MOST_REMEMBERED = 250_000


class Repeats:
    """Numbers equal hashes 1, 2, … through all blocks of a document, as far as it may remember them."""

    def __init__(self) -> None:
        self._times: dict[str, int] = {}
        self.overflowed = False

    def number(self, hashes: pl.Series) -> pl.Series:
        """Return the occurrence (from 1) of each hash of the next block."""
        times, occurrence = self._times, []
        for value in hashes.to_list():  # a plain loop is several times faster here than any grouping of strings
            times[value] = n = times.get(value, 0) + 1
            occurrence.append(n)
        self._forget_if_too_many()
        return pl.Series("occurrence", occurrence, dtype=pl.Int64)

    def meets_again(self, keys: pl.Series) -> bool:
        """Whether any key of the next block stood in an earlier one (or may have, once there were too many)."""
        values = keys.to_list()
        again = self.overflowed or not self._times.keys().isdisjoint(values)
        if not self.overflowed:
            self._times.update(dict.fromkeys(values, 1))
        self._forget_if_too_many()
        return again

    def _forget_if_too_many(self) -> None:
        if self.overflowed or len(self._times) > MOST_REMEMBERED:
            self.overflowed = True
            self._times.clear()
