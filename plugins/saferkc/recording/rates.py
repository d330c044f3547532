"""Steps in how records are captured: empty fields, lag of reporting, geographic match."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from saferkc.recording.series import Rate
from saferkc.recording.steps import LEAST_BEFORE, filled, step_at

_STEP_T, _LEAST_POINTS = 6.0, 0.03
_ONE_STEP_MONTHS = 9


@dataclass(frozen=True)
class RateStep:
    """A rate that steps at month number ``place`` in all areas together, from ``before`` to ``after`` (0 to 1)."""

    rate: Rate
    place: int
    before: float
    after: float


def find_rate_steps(rates: tuple[Rate, ...], since: int) -> list[RateStep]:
    """Find steps of rates from month number ``since`` on.

    A rate begins with the first month that has records, and is asked about no month without any. On the arcsine scale
    a share's variance does not depend on the share (Anscombe 1948).
    """
    found = []
    for rate in rates:
        having, records = np.nansum(rate.having, axis=0), np.nansum(rate.records, axis=0)
        begins = int(np.argmax(records > 0))
        having, records = having[begins:], records[begins:]
        stable = 2 * np.sqrt(records + 0.5) * np.arcsin(np.sqrt((having + 0.375) / (records + 0.75)))
        # scaled to the mean number of records, so that more records are no step
        stable *= np.sqrt(records.mean() / np.maximum(records, 1.0))
        stable = filled(np.where(records > 0, stable, np.nan)[None, None])[0, 0]
        scores = []
        for place in range(max(since - begins, LEAST_BEFORE), len(stable)):
            steps = step_at(stable[None, None, :], place, poisson=False)
            error = max(float(steps.standard_error[0, 0]), 0.3) if steps else 1.0
            scores.append((abs(float(steps.size[0, 0])) / error if steps else 0.0, place))
        while scores:
            best, place = max(scores)
            if best < _STEP_T:
                break
            before = float(having[max(0, place - 12) : place].sum() / max(records[max(0, place - 12) : place].sum(), 1))
            after = float(having[place : place + 12].sum() / max(records[place : place + 12].sum(), 1))
            if abs(after - before) >= _LEAST_POINTS:
                found.append(RateStep(rate, begins + place, before, after))
            scores = [score for score in scores if abs(score[1] - place) > _ONE_STEP_MONTHS]
    return found
