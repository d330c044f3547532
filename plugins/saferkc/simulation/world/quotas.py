"""Exact shares in random order: what makes a simulated year have the plan's counts and not only about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


def parts(total: int, weights: Sequence[float] | Floats) -> Ints:
    """Divide ``total`` by ``weights`` into whole numbers that add up to it (largest remainder)."""
    weight = np.asarray(weights, dtype=np.float64)
    if total <= 0 or weight.sum() <= 0:
        return np.zeros(len(weight), dtype=np.int64)
    exact = weight / weight.sum() * total
    counts: Ints = np.floor(exact + 1e-9).astype(np.int64)
    order = np.argsort(counts - exact, kind="stable")
    counts[order[: total - int(counts.sum())]] += 1
    return counts


def allot(chance: np.random.Generator, total: int, weights: Sequence[float] | Floats) -> Ints:
    """Return ``total`` indexes of ``weights`` with exactly their shares, in random order."""
    indexes: Ints = chance.permutation(np.repeat(np.arange(len(weights)), parts(total, weights)))
    return indexes


def choose(chance: np.random.Generator, total: int, shares: Mapping[str, float]) -> npt.NDArray[np.object_]:
    """Return ``total`` of the words of ``shares`` with exactly their shares, in random order."""
    words = np.array(list(shares), dtype=object)
    return words[allot(chance, total, list(shares.values()))]


def flags(chance: np.random.Generator, total: int, count: float) -> Flags:
    """Return ``total`` flags of which ``round(count)`` are true, in random order."""
    marked = np.zeros(total, dtype=bool)
    marked[: min(total, round(count))] = True
    return chance.permutation(marked)


def ages(chance: np.random.Generator, total: int, *, mean: float, spread: float, low: int, high: int) -> Ints:
    """Return ``total`` ages from ``low`` to ``high`` whose mean is ``mean`` as nearly as whole years allow."""
    if not total:
        return np.zeros(0, dtype=np.int64)
    drawn = np.clip(np.rint(chance.gamma((mean / spread) ** 2, spread**2 / mean, total)), low, high).astype(np.int64)
    for _ in range(high):
        missing = round(mean * total) - int(drawn.sum())
        step = 1 if missing > 0 else -1
        free = np.flatnonzero((drawn + step >= low) & (drawn + step <= high))
        if not missing or not len(free):
            break
        drawn[chance.permutation(free)[: abs(missing)]] += step
    return drawn


def text(values: npt.NDArray[np.object_]) -> pl.Series:
    """A column of words, of which some may be missing."""
    return pl.Series(values.tolist(), dtype=pl.String)
