"""How many offences of what a year has: the strata of 2016/17, which add up to the plan's figures, and their trends.

``seeds/strata.csv`` has a row for each set of offences that the plan's figures tell apart, with its number in
2016/17 and how many of them were detected. ``seeds/totals.csv`` has totals of groups of strata in some financial
years; those between are on a line. What is left of the year's total is other theft.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from saferkc.simulation.world.places import read_seed
from saferkc.simulation.world.quotas import Ints, parts

FILLER = "other_theft"


@dataclass(frozen=True)
class Stratum:
    """A set of offences alike in all that the plan's figures tell apart; numbers are those of 2016/17."""

    name: str
    kind: str
    group: str
    count: int
    detected: int
    carnival: int
    is_domestic: bool
    is_hate: bool
    knife: str
    is_firearm: bool
    is_shots: bool
    is_phone: bool
    is_honour: bool
    victims: str
    accused: str


@dataclass(frozen=True)
class Kind:
    """A kind of offence: code and name, when and where it happens, and its labels in three generations of classes."""

    name: str
    code: str
    title: str
    season: str
    clock: str
    lag: str
    location: str
    labels: dict[int, tuple[str, str]]


@lru_cache(maxsize=1)
def strata() -> tuple[Stratum, ...]:
    """All strata, in a fixed order."""
    return tuple(
        Stratum(
            row["stratum"], row["kind"], row["group"], int(row["count"]), int(row["detected"]), int(row["carnival"]),
            row["domestic"] == "1", row["hate"] == "1", row["knife"], row["firearm"] == "1", row["shots"] == "1",
            row["phone"] == "1", row["honour"] == "1", row["victims"], row["accused"],
        )
        for row in read_seed("strata.csv")
    )  # fmt: skip


@lru_cache(maxsize=1)
def kinds() -> dict[str, Kind]:
    """All kinds of offence by name."""
    return {
        row["kind"]: Kind(
            row["kind"], row["code"], row["name"], row["season"], row["clock"], row["lag"], row["location"],
            {year: (row[f"major_{year}"], row[f"minor_{year}"]) for year in (2008, 2017, 2019)},
        )
        for row in read_seed("kinds.csv")
    }  # fmt: skip


@lru_cache(maxsize=64)
def counts(year: int, scale: float = 1.0) -> tuple[int, ...]:
    """Offences of each stratum in the financial year that begins in ``year``, times ``scale`` (at most 1)."""
    total = _total("all", year)
    by_group = {row["group"]: _total(row["group"], year) for row in read_seed("totals.csv") if row["group"] != "all"}
    by_group[FILLER] = total - sum(by_group.values())
    whole: Ints = np.zeros(len(strata()), dtype=np.int64)
    for group, number in by_group.items():
        own = [i for i, stratum in enumerate(strata()) if stratum.group == group]
        # a stratum that was empty in 2016/17 is the whole of its group in other years
        whole[own] = parts(number, [max(strata()[i].count, 1e-6) for i in own])
    if scale < 1:
        whole = parts(round(total * scale), whole.astype(np.float64))
    return tuple(int(n) for n in whole)


def _total(group: str, year: int) -> int:
    row = next(row for row in read_seed_totals() if row["group"] == group)
    years = sorted(int(key) for key in row if key != "group")
    return round(float(np.interp(year, years, [float(row[str(y)]) for y in years])))


@lru_cache(maxsize=1)
def read_seed_totals() -> tuple[dict[str, str], ...]:
    """The rows of ``totals.csv``."""
    return tuple(read_seed("totals.csv"))
