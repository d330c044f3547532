"""Recodes with their truth coded both ways: what a bridge from a change of counting is to be held against.

Burglary of the world of ``recording_cases``: from one April on a part of the burglaries of other buildings counts as
of dwellings. The simulation knows of each month, before and after, how many the new rule means; the panel shows only
what is counted. Areas differ in their part.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from saferkc.recording.series import Floats, Panel
from saferkc.simulation.chance import generator
from saferkc.simulation.recording_cases import CHANGE, drawn, means, months

GAINER, GIVER = "Dwelling", "Other building"
# areas' parts lie about so far apart, in log-odds: 30 % on average is 25 to 36 % in two areas of three
SPREAD = 0.25


@dataclass(frozen=True, eq=False)
class Recoded:
    """A panel of two classes (that which gains, that which gives), and what is true of it.

    ``place`` is the number of the first month of the new rule. ``given`` is what the giving class is by the old rule,
    ``moved`` how many of it the new rule means, both of all months, shape (areas, months); ``weights`` the chance that
    it does, shape (areas,).
    """

    panel: Panel
    place: int
    given: Floats
    moved: Floats
    weights: Floats

    def until(self, after: int) -> Panel:
        """The panel when the new rule was ``after`` months old."""
        return self.panel.until(self.place + after)


def recoded(
    seed: int, volume: float, areas: int, share: float, *, spread: float = SPREAD, drift: float = 0.0
) -> Recoded:
    """Make a recode of ``share`` in ``areas`` areas (1 is the home borough alone); the same seed gives the same.

    ``volume`` is as in ``make_case``. ``drift`` is a trend of the giving class a month beside that of the world.
    """
    world = means(seed, volume, areas)["Burglary"]
    trend = np.exp(drift * (np.arange(world[GIVER].shape[1]) - CHANGE))
    gained, given = drawn(seed, GAINER, world[GAINER]), drawn(seed, GIVER, world[GIVER] * trend)
    chance = generator(seed, "recording bridge")
    weights = 1 / (1 + (1 - share) / share * np.exp(-chance.normal(0, spread, areas)))
    moved = chance.binomial(given.astype(int), weights[:, None]).astype(float)
    shown = np.where(np.arange(given.shape[1]) >= CHANGE, moved, 0.0)
    counts = np.stack([gained + shown, given - shown], axis=1)
    names = tuple(f"Area {number}" for number in range(1, areas + 1))
    panel = Panel("simulated", "Burglary", names, (GAINER, GIVER), months(), counts, series="burglary")
    return Recoded(panel, CHANGE, given, moved, weights)
