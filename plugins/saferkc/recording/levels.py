"""Steps and ramps in the level of a series, and what stands beside them: peers, the other feed, the rest of the feed.

A step alone never says why. Peers that step too may live through the same rule or the same lockdown; only what is
independent of how this feed counts can tell: a feed that sees the same thing and does not move.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from saferkc.recording.series import Floats
from saferkc.recording.steps import LEAST_BEFORE, restlessness, step_at

# a step of all areas together, or of one, is worth a question from so many standard errors and so much of the level
STEP_T, STEP_RATIO = 5.0, 0.08
_ONE_STEP_MONTHS = 9
# most wholes at once: each need not be so sure
_UPHEAVAL_MONTHS, _UPHEAVAL_T = 2, 3.0
# the interval of the month: places whose t comes this near to the best
_INTERVAL_T = 1.0
_AGREEING_AREAS = 0.75
# a ramp: each of the last two years lies so much above the one before it, against the other feed
_RAMP_A_YEAR = 0.06
_STRAIGHT_FITS_BETTER = 0.85


@dataclass(frozen=True)
class LevelStep:
    """A step of one series in one row at month number ``place``; ``ratio`` is its size beside what was expected."""

    row: int
    series: int
    place: int
    earliest: int
    latest: int
    size: float
    standard_error: float
    ratio: float
    t: float
    after: int


def find_steps(counts: Floats, since: int, *, t: float = STEP_T) -> list[LevelStep]:
    """Find the steps of each series of ``counts``, shape (R, K, months), from month number ``since`` on.

    Steps of one series are at least nine months apart, the clearest first.
    """
    places = list(range(max(since, 2 * LEAST_BEFORE), counts.shape[2]))
    drift = restlessness(counts)
    all_steps = [step_at(counts, place, drift) for place in places]
    steps = [found for found in all_steps if found is not None]
    if not steps:
        return []
    scores = np.array([found.t for found in steps])
    sizes = np.array([found.size for found in steps])
    expected = np.maximum(np.array([found.expected for found in steps]), 0.5)
    worth = np.where((np.abs(scores) >= t) & (np.abs(sizes) >= STEP_RATIO * expected), np.abs(scores), 0.0)
    result = []
    for row, series in np.argwhere(worth.max(axis=0) > 0):
        left = worth[:, row, series].copy()
        while left.max() > 0:
            best = int(left.argmax())
            near = np.abs(scores[:, row, series]) >= abs(scores[best, row, series]) - _INTERVAL_T
            low = high = best
            while low > 0 and near[low - 1]:
                low -= 1
            while high + 1 < len(places) and near[high + 1]:
                high += 1
            result.append(
                LevelStep(
                    int(row), int(series), places[best], places[low], places[high],
                    float(sizes[best, row, series]), float(steps[best].standard_error[row, series]),
                    float(sizes[best, row, series] / expected[best, row, series]),
                    float(scores[best, row, series]), steps[best].after,
                )
            )  # fmt: skip
            left[max(0, best - _ONE_STEP_MONTHS) : best + _ONE_STEP_MONTHS + 1] = 0.0
    return result


def find_upheavals(wholes: Floats, since: int) -> frozenset[int]:
    """Months about which most of several wholes, shape (K, months), step at once, as in a lockdown."""
    if wholes.shape[0] < 2:
        return frozenset()
    result: set[int] = set()
    drift = restlessness(wholes[None])
    for place in range(max(since, 2 * LEAST_BEFORE), wholes.shape[1]):
        steps = step_at(wholes[None], place, drift)
        if steps is None:
            continue
        stepping = (np.abs(steps.t[0]) >= _UPHEAVAL_T) & (np.abs(steps.size[0]) >= STEP_RATIO * steps.expected[0])
        if stepping.sum() >= max(2.0, wholes.shape[0] / 2):
            result |= set(range(place - _UPHEAVAL_MONTHS, place + _UPHEAVAL_MONTHS + 1))
    return frozenset(result)


def agree(counts: Floats, place: int, sign: float) -> bool:
    """Tell whether three in four areas of ``counts``, shape (areas, months), step at ``place`` in this direction."""
    steps = step_at(counts[:, None, :], place, restlessness(counts[:, None, :]))
    if steps is None:
        return False
    big = steps.expected[:, 0] >= 1
    return bool(big.any()) and float((np.sign(steps.size[big, 0]) == np.sign(sign)).mean()) >= _AGREEING_AREAS


@dataclass(frozen=True)
class Beside:
    """What another series does where a series steps: whether it ``moves`` as well, or stays ``level``, or neither."""

    ratio: float
    moves: bool
    level: bool


def beside(counts: Floats, place: int, ratio: float) -> Beside | None:
    """Look at another series (months) at the place of a step by ``ratio``; None where it says nothing.

    Months that the other feed does not have (NaN) cut the series off, before and after the step.
    """
    if np.isnan(counts[place]):
        return None
    holes = np.flatnonzero(np.isnan(counts))
    first = int(holes[holes < place].max(initial=-1)) + 1
    counts, place = counts[first : int(holes[holes > place].min(initial=len(counts)))], place - first
    steps = step_at(counts[None, None, :], place, restlessness(counts[None, None, :]))
    if steps is None or steps.expected[0, 0] < 1:
        return None
    own, error = (
        float(steps.size[0, 0] / steps.expected[0, 0]),
        float(steps.standard_error[0, 0] / steps.expected[0, 0]),
    )
    same_way = own * np.sign(ratio)
    return Beside(
        own,
        moves=same_way >= 0.4 * abs(ratio) and same_way > 2.5 * error,
        level=same_way < 0.4 * abs(ratio) and abs(ratio) - same_way > 2.5 * error,
    )


@dataclass(frozen=True)
class Ramp:
    """A rise or fall over two years or more against another feed; ``first`` and ``last`` are numbers of months."""

    first: int
    last: int
    ratio: float
    low: float
    high: float


def find_ramp(counts: Floats, sister: Floats) -> Ramp | None:
    """Find a ramp of ``counts`` against ``sister`` (both months) that runs at the end; a step is none.

    On the log of their ratio season and what really happened cancel out.
    """
    if len(counts) < 5 * LEAST_BEFORE:
        return None
    ratio = np.log((counts + 0.5) / (sister + 0.5))
    years = [ratio[len(ratio) - 12 * (n + 1) : len(ratio) - 12 * n].mean() for n in range(5)][::-1]
    last, before = years[4] - years[3], years[3] - years[2]
    earlier = max(abs(years[2] - years[1]), abs(years[1] - years[0]))
    noise = float(np.std(np.diff(ratio)) / np.sqrt(2) * np.sqrt(2 / 12))
    sign = np.sign(last)
    least = max(_RAMP_A_YEAR, 3 * noise)
    if min(last * sign, before * sign) < least or earlier > 0.5 * abs(last + before) / 2:
        return None
    recent = ratio[-36:]
    if _straight(recent) > _STRAIGHT_FITS_BETTER * _best_step(recent):
        return None
    total = float(last + before)
    first = _beginning(ratio)
    return Ramp(
        first, len(ratio) - 1, float(np.expm1(total)), float(np.expm1(total - 2 * noise)),
        float(np.expm1(total + 2 * noise)),
    )  # fmt: skip


def _straight(values: Floats) -> float:
    """Squares left by a line with a bend wherever it fits best."""
    months = np.arange(len(values), dtype=float)
    left = []
    for bend in range(0, len(values) - 6, 3):
        design = np.column_stack([np.ones(len(values)), np.maximum(months - bend, 0)])
        left.append(float(((values - design @ np.linalg.lstsq(design, values, rcond=None)[0]) ** 2).sum()))
    return min(left)


def _best_step(values: Floats) -> float:
    cuts = range(3, len(values) - 2)
    return min(float(values[:c].var() * c + values[c:].var() * (len(values) - c)) for c in cuts)


def _beginning(ratio: Floats) -> int:
    """The month where a line with one bend fits the last five years best."""
    values = ratio[-60:]
    months = np.arange(len(values), dtype=float)
    best, place = np.inf, 0
    for bend in range(12, len(values) - 12):
        design = np.column_stack([np.ones(len(values)), np.maximum(months - bend, 0)])
        left = float(((values - design @ np.linalg.lstsq(design, values, rcond=None)[0]) ** 2).sum())
        if left < best:
            best, place = left, bend
    return len(ratio) - len(values) + place
