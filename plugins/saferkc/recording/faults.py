"""Faults of deliveries: a month that is not all there, one that was not delivered at all, one that was loaded twice.

What they have in common is that everything in a delivery goes down or up by the same factor. Crime never does: when a
lockdown empties the streets burglary falls by a third, theft from the person by more, and domestic abuse not at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.stats import chi2

from saferkc.recording.series import Floats, Panel
from saferkc.recording.steps import LEAST_BEFORE, filled, restlessness, step_at

FaultKind = Literal["missing", "incomplete", "loaded_twice"]
# a class says something of a factor where so many were to be expected
_ENOUGH = 5.0
_LEAST_CLASSES = 3
# nothing at all in a month is no crime figure where so many were to be expected in it
_EXPECTED_IN_MISSING = 15.0
_INCOMPLETE_BELOW, _TWICE = 0.85, (1.8, 2.2)
_WORTH_A_LOOK = 1.35
# one area alone: a delivery brings all areas, so it takes more to say that only one is short
_LEVEL, _ALONE_BELOW = 0.12, 0.7
# the factor itself must be sure: 5 standard errors from 1; and the classes must agree on it at the 1 % level
# (nothing real doubles everything, so a delivery loaded twice need not agree so well)
_SURE = 5.0
_AGREEMENT: dict[FaultKind, float] = {"incomplete": 0.01, "loaded_twice": 0.0001}


@dataclass(frozen=True)
class Fault:
    """A fault of the months ``first`` to ``last`` (numbers) in the areas of ``rows``; ``factor`` is what came."""

    kind: FaultKind
    rows: tuple[int, ...]
    first: int
    last: int
    factor: float
    expected: float


def find_faults(panels: Sequence[Panel], since: int) -> list[Fault]:
    """Find faults of a feed's months from number ``since`` on.

    Faults of all areas together are looked for first: one delivery brings them all. Flags hold one another, so that
    they agree says nothing: of them only the whole is looked at, and only where there are no classes beside them.
    """
    classes = [panel.counts for panel in panels if panel.dimension != "flag"]
    counts = np.concatenate(classes or [panel.total[:, None] for panel in panels], axis=1)
    everything = tuple(range(counts.shape[0]))
    faults = list(_missing(counts, since))
    gone = {(row, month) for fault in faults for row in fault.rows for month in range(fault.first, fault.last + 1)}
    whole = filled(counts)
    together = whole.sum(axis=0, keepdims=True)
    for month in range(max(since, LEAST_BEFORE), counts.shape[2]):
        rows = [row for row in everything if (row, month) not in gone]
        if len(everything) > 1:
            fault = _common_factor(together, month, everything) if len(rows) == len(everything) else None
            if fault:
                faults.append(fault)
            # where the other areas go the same way it is no fault of one of them
            rows = [] if fault else [row for row in rows if _others_are_level(together - whole[row], month)]
        alone = [_common_factor(whole[row : row + 1], month, (row,)) for row in rows]
        least = _ALONE_BELOW if len(everything) > 1 else _INCOMPLETE_BELOW
        faults += [fault for fault in alone if fault and (fault.kind != "incomplete" or fault.factor < least)]
    return faults


def _others_are_level(counts: Floats, month: int) -> bool:
    """Tell whether counts of other areas, shape (1, K, months), are about what they were in the year before."""
    total = counts[0].sum(axis=0)
    return bool(abs(total[month] / max(total[month - LEAST_BEFORE : month].mean(), 1.0) - 1) <= _LEVEL)


def _missing(counts: Floats, since: int) -> Iterator[Fault]:
    totals = np.nansum(counts, axis=1)
    absent = (totals == 0) | np.isnan(counts).all(axis=1)
    for row in range(counts.shape[0]):
        month = max(since, 1)
        while month < counts.shape[2]:
            if not absent[row, month]:
                month += 1
                continue
            last = month
            while last + 1 < counts.shape[2] and absent[row, last + 1]:
                last += 1
            before = totals[row, max(0, month - LEAST_BEFORE) : month]
            if before.size >= 3 and before.mean() >= _EXPECTED_IN_MISSING:
                yield Fault("missing", (row,), month, last, 0.0, float(before.mean()))
            month = last + 1


def _common_factor(counts: Floats, month: int, rows: tuple[int, ...]) -> Fault | None:
    """A fault where all classes of month number ``month`` have changed by one factor, as nothing real does.

    ``counts`` has shape (1, K, months).
    """
    is_newest = month == counts.shape[2] - 1
    total = counts[0].sum(axis=0)
    beside_last_year = total[month] / max(float(total[month - LEAST_BEFORE : month].mean()), 1.0)
    # most months need no closer look
    if beside_last_year < _WORTH_A_LOOK and not (is_newest and beside_last_year < 1):
        return None
    so_far = counts[:, :, : month + 1]
    steps = step_at(so_far, month, restlessness(so_far))
    enough = steps.expected[0] >= _ENOUGH if steps is not None else np.zeros(0, dtype=bool)
    if steps is None or enough.sum() < _LEAST_CLASSES:
        return None
    expected, observed = steps.expected[0, enough], counts[0, enough, month]
    factor = float(observed.sum() / expected.sum())
    if factor == 0:
        return None  # nothing at all is for `_missing` to judge
    kind: FaultKind | None = None
    if is_newest and factor < _INCOMPLETE_BELOW:
        kind = "incomplete"
    elif _TWICE[0] <= factor <= _TWICE[1]:
        kind = "loaded_twice"
    # what was multiplied keeps the noise of its month and of what was to be expected
    variance = np.einsum("rkk->rk", steps.covariance)[0, enough] * max(factor, factor**2)
    if kind is None or not _is_one_factor(observed, expected, variance, factor, _AGREEMENT[kind]):
        return None
    return Fault(kind, rows, month, month, factor, float(expected.sum()))


def _is_one_factor(observed: Floats, expected: Floats, variance: Floats, factor: float, level: float) -> bool:
    """Tell whether the factor is surely not 1, and all classes agree on it at this level of significance."""
    sure = abs(factor - 1) * expected.sum() / np.sqrt(variance.sum()) >= _SURE
    disagreement = float(((observed - factor * expected) ** 2 / variance).sum())
    return bool(sure and disagreement <= chi2.ppf(1 - level, len(expected) - 1))
