"""History that says something else than it did: an earlier vintage beside the current one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from saferkc.recording.series import Floats, Panel

# late records and corrections move the newest months a little: those are no restatement
_SETTLED_AFTER = 6
_LEAST_MONTHS = 6
_NOTICEABLE = 0.02
# single records are put into another class long after: a class differs where more than that, and one a month, did
_NOTICEABLE_OF_CLASS, _LEAST_A_MONTH = 0.05, 1.0
# all areas together stay within this: what one lost another has
_SAME_TOTAL = 0.01


@dataclass(frozen=True)
class Restatement:
    """Areas (row numbers) whose settled history was restated, and by how much.

    ``changes`` say by row how much of its offences differ (0 to 1). ``moved_between_areas`` tells whether all areas
    together stayed as they were. ``first`` and ``last`` are the first and last restated month of the current panel.
    ``classes`` are those whose history was restated while their whole stayed as it was, the most changed first; none
    where it was the whole's.
    """

    rows: tuple[int, ...]
    changes: tuple[float, ...]
    first: int
    last: int
    moved_between_areas: bool
    classes: tuple[str, ...] = ()


def find_restatement(earlier: Panel, current: Panel) -> Restatement | None:
    """Compare settled months that both vintages hold, of the areas that both hold; None where they agree.

    Wholes first. Where these agree their classes are compared, names that were only replaced left out.
    """
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
        return _of_classes(earlier, current, areas, months)
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


def _of_classes(earlier: Panel, current: Panel, areas: Sequence[str], months: Sequence[date]) -> Restatement | None:
    """Classes of a whole that agrees, where an area's history is divided among them in another way."""
    names = tuple(dict.fromkeys((*earlier.children, *current.children)))
    old, new = (_counts(panel, names, areas, months) for panel in (earlier, current))
    kept = _not_renamed(old.sum(axis=0), new.sum(axis=0))
    names = tuple(name for name, is_kept in zip(names, kept, strict=True) if is_kept)
    old, new = old[:, kept], new[:, kept]
    difference = np.abs(new - old)
    changed = difference > _NOTICEABLE_OF_CLASS * np.maximum(old, 1.0)
    relative = difference.sum(axis=2) / np.maximum(old.sum(axis=2), 1.0)
    restated = (
        (changed.mean(axis=2) > 0.5) & (relative > _NOTICEABLE_OF_CLASS) & (difference.mean(axis=2) >= _LEAST_A_MONTH)
    )
    if not restated.any():
        return None
    rows = np.flatnonzero(restated.any(axis=1))
    size = np.where(restated, difference.sum(axis=2), 0.0).sum(axis=0)
    where = np.flatnonzero((changed & restated[:, :, None]).any(axis=(0, 1)))
    return Restatement(
        tuple(current.areas.index(areas[int(row)]) for row in rows),
        tuple(float(relative[row][restated[row]].max()) for row in rows),
        current.months.index(months[int(where[0])]),
        current.months.index(months[int(where[-1])]),
        moved_between_areas=False,
        classes=tuple(names[number] for number in np.argsort(-size, kind="stable") if size[number] > 0),
    )


def _counts(panel: Panel, names: Sequence[str], areas: Sequence[str], months: Sequence[date]) -> Floats:
    """Counts by area, class and month, 0 where the panel has no such class."""
    counts = np.zeros((len(areas), len(names), len(months)))
    of_panel = panel.counts[
        np.ix_([panel.areas.index(area) for area in areas], range(len(panel.children)),
               [panel.months.index(month) for month in months])
    ]  # fmt: skip
    counts[:, [names.index(child) for child in panel.children]] = of_panel
    return counts


def _not_renamed(old: Floats, new: Floats) -> npt.NDArray[np.bool_]:
    """Which classes are not merely called otherwise: what stood under a name that is gone stands under another."""
    kept = np.ones(len(old), dtype=bool)
    gone = [number for number in range(len(old)) if old[number].any() and not new[number].any()]
    for one in gone:
        for other in (number for number in range(len(old)) if number not in gone and kept[number]):
            rest = np.abs(new[other] - old[other] - old[one]).sum()
            if rest <= _NOTICEABLE_OF_CLASS * old[one].sum():
                kept[[one, other]] = False
                break
    return kept
