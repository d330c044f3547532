"""How much of what: expected volumes by offence, borough and month.

Volumes are round figures of London's size. Three things are put in on purpose, because the warehouse must tell
them apart: the seasons, Notting Hill Carnival (a real August peak here), and the burglary classes of April 2017
(dwellings gain what other buildings lose, all burglary stays level).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from saferkc.simulation.chance import CARNIVAL_MONTH, generator
from saferkc.simulation.places import HOME_BOROUGH, london, read_seed

NEW_BURGLARY_CLASSES = date(2017, 4, 1)
MOVED_SHARE = 0.32
_SEASON_SIZE = {"flat": 0.0, "winter": 0.12, "summer": -0.10}
_CARNIVAL = {
    "Drugs": 1.9,
    "Public order": 1.5,
    "Possession of weapons": 2.0,
    "Robbery": 1.6,
    "Theft from the person": 2.4,
    "Violence and sexual offences": 1.4,
    "Anti-social behaviour": 1.3,
}

Figures = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Offence:
    """The finest class simulated: its type on data.police.uk and its labels in three generations of MPS files."""

    name: str
    street_type: str
    london_monthly: float
    season: str
    labels: dict[int, tuple[str, str]]


@lru_cache(maxsize=1)
def offences() -> list[Offence]:
    """All offences, in a fixed order."""
    return [
        Offence(
            row["offence"],
            row["street_type"],
            float(row["london_monthly"]),
            row["season"],
            {year: (row[f"major_{year}"], row[f"minor_{year}"]) for year in (2008, 2017, 2019)},
        )
        for row in read_seed("offences.csv")
    ]


def season(kind: str, month: date) -> float:
    """Factor of the time of year about 1: ``winter`` peaks in January, ``summer`` in July."""
    return float(1 + _SEASON_SIZE[kind] * np.cos(2 * np.pi * (month.month - 1) / 12))


@lru_cache(maxsize=8)
def borough_shares(seed: int) -> Figures:
    """Share of each borough (rows) in each offence (columns) of London; columns sum to 1."""
    weight = np.array([borough.weight for borough in london().boroughs])
    tilt = generator(seed, "borough tilt").lognormal(0, 0.25, (len(weight), len(offences())))
    # the tilt of the two burglary classes is one, else a redefinition would move burglary between boroughs
    tilt[:, 1] = tilt[:, 0]
    shares: Figures = weight[:, None] * tilt
    shares /= shares.sum(axis=0)
    return shares


@lru_cache(maxsize=512)
def expected(seed: int, month: date) -> Figures:
    """Expected offences of the month by borough (rows) and offence (columns), for the whole of London."""
    kinds = offences()
    volume = np.array([o.london_monthly * season(o.season, month) for o in kinds])
    figures: Figures = borough_shares(seed) * volume
    if month >= NEW_BURGLARY_CLASSES:
        moved = MOVED_SHARE * figures[:, 1]
        figures[:, 0] += moved
        figures[:, 1] -= moved
    if month.month == CARNIVAL_MONTH:
        home = next(i for i, b in enumerate(london().boroughs) if b.name == HOME_BOROUGH)
        figures[home] *= np.array([_CARNIVAL.get(o.street_type, 1.0) for o in kinds])
    return figures


def carnival_factor(street_type: str, month: date) -> float:
    """Factor of Carnival on a type in this borough; 1 in every month but August."""
    return _CARNIVAL.get(street_type, 1.0) if month.month == CARNIVAL_MONTH else 1.0
