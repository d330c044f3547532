"""Control charts, change points and z-scores: prompts to look at a series, never a verdict on why it moved.

They fire on real falls and on Carnival as readily as on a change of counting; ``benchmarks/recording.py`` shows how
often. The detector does not use them; a chart may show them.
"""

from __future__ import annotations

import numpy as np

from saferkc.recording.series import Floats

# Limits of a chart of individual values: 2.66 mean moving ranges about the mean (Wheeler, Understanding Variation);
# eight in a row on one side are a signal as well
_LIMIT, _RUN = 2.66, 8
LEAST_POINTS = 12


def xmr_signals(values: Floats, baseline: int = 24) -> list[int]:
    """Months (numbers) that an XmR chart signals, each against the ``baseline`` months before it.

    Limits from fewer than 12 points are on trial: such months give no signal.
    """
    found = []
    for month in range(LEAST_POINTS, len(values)):
        before = values[max(0, month - baseline) : month]
        mean, spread = before.mean(), np.abs(np.diff(before)).mean()
        last = values[max(0, month - _RUN + 1) : month + 1]
        runs = len(last) == _RUN and ((last > mean).all() or (last < mean).all())
        if abs(values[month] - mean) > _LIMIT * spread or runs:
            found.append(month)
    return found


def pelt_changes(values: Floats, *, jump: int = 1, penalty: float | None = None) -> list[int]:
    """Months (numbers) at which PELT sees the mean change (Killick et al. 2012, in ruptures).

    ``jump`` 1 looks at every month; the library's own default looks at every fifth only. ``penalty`` defaults to
    twice the log of the number of months times the variance from month to month.
    """
    import ruptures  # noqa: PLC0415  (slow to import, and a night doesn't need it)

    if len(values) < LEAST_POINTS:
        return []
    variance = float(np.var(np.diff(values)) / 2)
    chosen = 2 * np.log(len(values)) * max(variance, 1e-9) if penalty is None else penalty
    found = ruptures.Pelt(model="l2", jump=jump).fit(values).predict(pen=chosen)
    return [int(month) for month in found[:-1]]


def z_score_signals(values: Floats, *, training: int = 14, limit: float = 3.0) -> list[int]:
    """Months (numbers) beyond ``limit`` standard deviations of the ``training`` months before, as dbt packages test."""
    found = []
    for month in range(training, len(values)):
        before = values[month - training : month]
        if abs(values[month] - before.mean()) > limit * max(float(before.std(ddof=1)), 1e-9):
            found.append(month)
    return found
