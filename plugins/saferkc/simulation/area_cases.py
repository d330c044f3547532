"""A borough whose wards are redrawn, its records coded both ways: what a bridge of areas is to be held against.

Records lie in a few hundred points on the map, as data.police.uk publishes them. Each kind of offence has its own
busy points. Wards are the ground nearest to each of their middles; from one month on the middles are others, so most
wards lose a part to their neighbours. What the new wards would have counted before is known of every month.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from saferkc.recording.series import Floats
from saferkc.simulation.chance import generator

WARDS = 18
POINTS = 700
# how far apart the busiest and the quietest points lie, on the log scale: all kinds of offence, and each by itself
_SPREAD, _SPREAD_OF_A_KIND = 0.8, 0.6
_SEASON = 0.1

_Codes = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Redrawn:
    """The points of a borough with their ward before and after, and their records.

    ``before`` and ``after`` are the numbers of a point's wards, shape (points,); ``records`` are counts of a kind of
    offence, shape (kinds, months, points); ``place`` is the number of the first month of the new wards.
    """

    before: _Codes
    after: _Codes
    records: Floats
    place: int

    def by_ward(self, kind: int, wards: _Codes) -> Floats:
        """The months of a kind of offence by ward, shape (months, wards)."""
        return np.asarray(np.stack([self.records[kind][:, wards == ward].sum(axis=1) for ward in range(WARDS)], axis=1))

    def coded_both_ways(self, kind: int, ward: int) -> Floats:
        """What each point of a former ward counted in each of the new ones since, shape (points, wards)."""
        inside = np.flatnonzero(self.before == ward)
        counted = self.records[kind, self.place :, inside].sum(axis=1)
        coded = np.zeros((len(inside), WARDS))
        coded[np.arange(len(inside)), self.after[inside]] = counted
        return np.asarray(coded[counted > 0])


def redrawn(
    seed: int, volume: float, *, moved: float = 0.05, kinds: int = 2, months: int = 48, after: int = 24
) -> Redrawn:
    """Make a borough whose wards' middles move by about ``moved`` of its breadth; the same seed gives the same.

    ``volume`` is the mean number of records of a kind a month in the whole borough; the new wards hold for the last
    ``after`` of the ``months``.
    """
    chance = generator(seed, "redrawn areas")
    points = chance.uniform(0, 1, (POINTS, 2))
    middles = chance.uniform(0, 1, (WARDS, 2))
    usual = chance.normal(0, _SPREAD, POINTS)
    busy = np.exp(usual + chance.normal(0, _SPREAD_OF_A_KIND, (kinds, POINTS)))
    season = 1 + _SEASON * np.sin(2 * np.pi * np.arange(months) / 12)
    means = volume * season[:, None] * (busy / busy.sum(axis=1, keepdims=True))[:, None, :]
    return Redrawn(
        _nearest(points, middles),
        _nearest(points, middles + chance.normal(0, moved, middles.shape)),
        chance.poisson(means).astype(float),
        months - after,
    )


def _nearest(points: Floats, middles: Floats) -> _Codes:
    return np.asarray(((points[:, None] - middles[None]) ** 2).sum(axis=2).argmin(axis=1))
