"""Calls to the police about anti-social behaviour, as they really were."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import polars as pl

from saferkc.simulation.chance import generator
from saferkc.simulation.world import clock, places
from saferkc.simulation.world.quotas import Ints, allot, choose, text

# reports and repeat callers (lines that called twice or more) of some financial years; those between are on a line
_REPORTS = {2006: 9000, 2009: 8000, 2012: 5600, 2014: 5200, 2015: 5269, 2016: 5532, 2019: 5800, 2020: 11000,
            2021: 7500, 2026: 5600}  # fmt: skip
_REPEATS = {2006: 250, 2014: 170, 2015: 166, 2016: 131, 2020: 260, 2026: 130}
# the 14 types of before April 2011, and the three that they were gathered into
_OLD_TYPES = {
    "Abandoned vehicles": 2, "Animal problems": 2, "Begging or vagrancy": 7, "Inappropriate use of fireworks": 2,
    "Hoax calls": 2, "Vehicle nuisance": 6, "Nuisance neighbours": 4, "Malicious communications": 4, "Noise": 13,
    "Prostitution related activity": 1, "Rowdy or inconsiderate behaviour": 40, "Rowdy or nuisance neighbours": 9,
    "Street drinking": 5, "Trespass": 3,
}  # fmt: skip
_NEW_TYPES = {"Nuisance": 78, "Personal": 17, "Environmental": 5}
_NEW_TYPES_FROM = 2011
_LOCATIONS = {"street": 0.5, "private_residence": 0.24, "retail": 0.08, "park": 0.07, "licensed_premises": 0.05,
              "public_transport": 0.03, "other": 0.03}  # fmt: skip
_WITHHELD_SHARE = 0.09


@lru_cache(maxsize=4)
def incidents(seed: int, year: int, block: int = 0, scale: float = 1.0) -> pl.DataFrame:
    """Return the calls of the financial year that begins in ``year``, a row a call, in the order of their times.

    ``line`` is the caller's telephone line (-1 where it was withheld); ``is_repeat_caller`` says that the line
    called twice or more in the year.
    """
    chance = generator(seed, "incidents", year, block)
    size = max(1, round(_at(_REPORTS, year) * scale))
    months = allot(chance, size, clock.month_weights(year, "summer"))
    days = clock.days_in_months(chance, year, months, "violence")
    reported = clock.at_minutes(days, clock.minutes_of_day(chance, days, "violence"))
    here = places.borough(block)
    ward = allot(chance, size, places.weights_of(here, "asb"))
    lsoa = here.lsoa_in(chance, ward)
    location = choose(chance, size, _LOCATIONS)
    # a few premises are the place of many calls
    number = np.floor(900 * chance.random(size) ** 3).astype(np.int64)
    no_premises = np.isin(location, ("street", "park", "public_transport"))
    line, repeat = _lines(chance, size, round(_at(_REPEATS, year) * scale), year * 40 + block)
    types = _OLD_TYPES if year < _NEW_TYPES_FROM else _NEW_TYPES
    frame = pl.DataFrame(
        {
            "reported_at": reported.astype("datetime64[us]"),
            "type": text(choose(chance, size, types)),
            "ward": ward,
            "lsoa": lsoa,
            "location": text(location),
            "uprn": np.where(no_premises, -1, places.uprn(lsoa, number)),
            "line": line,
            "is_repeat_caller": repeat,
            "is_vulnerable": chance.random(size) < 0.03,
            "entered_on": days + (chance.random(size) < 0.04) * chance.integers(1, 6, size),
            # one in 40 is graded anew some days later
            "regraded_after": np.where(chance.random(size) < 0.025, chance.integers(1, 12, size), -1),
        }
    ).sort("reported_at", maintain_order=True)
    return frame.with_columns(
        (pl.int_range(size) + 1 + (year * 100 + block) * 1_000_000).alias("incident"),
        pl.when(pl.col("regraded_after") > 0)
        .then(pl.col("entered_on") + pl.duration(days="regraded_after"))
        .alias("regraded_on"),
        pl.lit(block).alias("block"),
    ).drop("regraded_after")


def _lines(chance: np.random.Generator, size: int, repeats: int, turn: int) -> tuple[Ints, np.typing.NDArray[np.bool_]]:
    """The line of each call, and whether it called more than once: ``repeats`` lines did, by the number."""
    calls = np.full(repeats, 2) + np.minimum(chance.geometric(0.55, repeats) - 1, 9)
    withheld = int(size * _WITHHELD_SHARE)
    calls = calls[: np.searchsorted(np.cumsum(calls), size - withheld)]
    single = size - withheld - int(calls.sum())
    number = np.concatenate([np.repeat(np.arange(len(calls)), calls), len(calls) + np.arange(single)])
    # no two of the year have the same line: 7919 has no factor in common with a million
    line = np.concatenate([(number + turn * 24_001) * 7919 % 1_000_000, np.full(withheld, -1)])
    repeat = np.concatenate([np.ones(int(calls.sum()), dtype=bool), np.zeros(single + withheld, dtype=bool)])
    order = chance.permutation(size)
    return line[order].astype(np.int64), repeat[order]


def _at(anchors: dict[int, int], year: int) -> int:
    return round(float(np.interp(year, list(anchors), list(anchors.values()))))
