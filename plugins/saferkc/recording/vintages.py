"""History that says something else than it did: an earlier vintage beside the current one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from saferkc.recording.series import Panel

# late records and corrections move the newest months a little: those are no restatement
_SETTLED_AFTER = 6
_LEAST_MONTHS = 6
_NOTICEABLE = 0.02
# all areas together stay within this: what one lost another has
_SAME_TOTAL = 0.01


@dataclass(frozen=True)
class Restatement:
    """Areas (row numbers) whose settled history was restated, and by how much.

    ``changes`` say by row how much of its offences differ (0 to 1). ``moved_between_areas`` tells whether all areas
    together stayed as they were. ``first`` and ``last`` are the first and last restated month of the current panel.
    """

    rows: tuple[int, ...]
    changes: tuple[float, ...]
    first: int
    last: int
    moved_between_areas: bool


def find_restatement(earlier: Panel, current: Panel) -> Restatement | None:
    """Compare settled months that both vintages hold, of the areas that both hold; None where they agree."""
    areas = [area for area in current.areas if area in earlier.areas]
    settled = earlier.months[: max(0, len(earlier.months) - _SETTLED_AFTER)]
    months = [month for month in settled if month in current.months]
    if not areas or len(months) < _LEAST_MONTHS:
        return None
    old = earlier.total[np.ix_([earlier.areas.index(a) for a in areas], [earlier.months.index(m) for m in months])]
    places = [current.months.index(month) for month in months]
    rows = [current.areas.index(area) for area in areas]
    new = current.total[np.ix_(rows, places)]
    changed = np.abs(new - old) > _NOTICEABLE * np.maximum(old, 1.0)
    relative = np.abs(new - old).sum(axis=1) / np.maximum(old.sum(axis=1), 1.0)
    # restated: half of the months differ, and by more than corrections do
    restated = (changed.mean(axis=1) > 0.5) & (relative > _NOTICEABLE)
    if not restated.any():
        return None
    total = float(abs(new.sum() / max(old.sum(), 1.0) - 1))
    where = np.flatnonzero(changed[restated].any(axis=0))
    found = np.flatnonzero(restated)
    return Restatement(
        tuple(rows[number] for number in found),
        tuple(float(relative[number]) for number in found),
        places[int(where[0])],
        places[int(where[-1])],
        len(areas) > 1 and total <= _SAME_TOTAL,
    )
