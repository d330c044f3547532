"""Referrals to the Angelou Partnership and clients of Rahab, as they really were.

A third of Angelou's clients of this borough are also victims of domestic abuse that the police recorded in the year.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
import polars as pl

from saferkc.simulation.chance import generator
from saferkc.simulation.world import clock, people, places
from saferkc.simulation.world.quotas import Ints, ages, allot, choose, flags, parts, text
from saferkc.simulation.world.roles import victims

ANGELOU_FROM, RAHAB_FROM = 2015, 2012
_REFERRALS = {2015: 560, 2016: 632, 2019: 760, 2026: 800}
# strands of 2016/17; domestic abuse is the rest
STRANDS = {
    "Sexual violence": 46, "Stalking and harassment": 20, "Harmful practices": 9, "Child sexual exploitation": 9,
    "Trafficking and prostitution": 6, "Sexual exploitation": 4, "Domestic abuse": 538,
}  # fmt: skip
EXPLOITATION = ("Trafficking and prostitution", "Sexual exploitation")
_REPEAT_SHARE, _MALES = 142 / 632, 5 / 632
_ALSO_DOMESTIC = 0.3
_SOURCES = {
    "Police": 38,
    "Self": 20,
    "Children's services": 12,
    "Health": 11,
    "Housing": 7,
    "MARAC": 7,
    "Voluntary sector": 5,
}
# clients who begin with Rahab in a year; three in ten are with it into the next
_BEGIN = {2012: 120, 2015: 140, 2016: 162, 2026: 170}
_STAY_SHARE = 0.3
_NEEDS = {"Sex work": 0.72, "Trafficked for sexual exploitation": 0.28}
_FURTHER_NEEDS = ("Housing", "Health", "Immigration", "Substance misuse")


@lru_cache(maxsize=16)
def referrals(seed: int, year: int, block: int = 0, scale: float = 1.0) -> pl.DataFrame:
    """Return the year's referrals: a row a referral, with client, strands, source, and when the entry changed."""
    chance = generator(seed, "referrals", year, block)
    size = max(10, round(_at(_REFERRALS, year) * scale)) if year >= ANGELOU_FROM else 0
    if not size:
        return _no_referrals()
    day = np.sort(clock.days_in_months(chance, year, allot(chance, size, clock.month_weights(year, "flat")), "day"))
    strand = choose(chance, size, STRANDS)
    domestic = strand == "Domestic abuse"
    also = ~domestic & ~np.isin(strand, EXPLOITATION) & (chance.random(size) < _ALSO_DOMESTIC)
    person = _clients(chance, seed, year, block, scale, day, strand)
    # a repeat referral is of someone who was referred before in the year
    first = np.zeros(size, dtype=bool)
    first[: max(1, size // 10)] = True
    can_repeat = np.flatnonzero(domestic & ~first & (people.sex_of(person) == 1))
    repeat = np.zeros(size, dtype=bool)
    repeat[chance.permutation(can_repeat)[: round(_REPEAT_SHARE * size)]] = True
    sources = np.flatnonzero(domestic & ~repeat & (people.sex_of(person) == 1))
    for row in np.flatnonzero(repeat):
        earlier = sources[: np.searchsorted(sources, row)]
        person[row] = person[earlier[chance.integers(0, len(earlier))]] if len(earlier) else person[row]
        repeat[row] = bool(len(earlier))
    here = places.borough(block)
    changed = chance.random(size) < 0.06
    return pl.DataFrame(
        {
            "referral": np.arange(size) + 1 + (year * 100 + block) * 100_000,
            "referred_on": day,
            "strands": [sorted({s, "Domestic abuse"} if a else {s}) for s, a in zip(strand, also, strict=True)],
            "source": text(choose(chance, size, _SOURCES)),
            "is_repeat": repeat,
            "person": person,
            "ward": allot(chance, size, places.weights_of(here, "tmo")),
            "entered_on": day + (chance.random(size) < 0.15) * chance.integers(1, 10, size),
            "changed_on": np.where(changed, day + chance.integers(10, 60, size), np.datetime64("NaT")),
            "block": np.full(size, block),
        }
    )


def _no_referrals() -> pl.DataFrame:
    schema: dict[str, pl.DataType | type[pl.DataType]] = {
        "referral": pl.Int64, "referred_on": pl.Date, "strands": pl.List(pl.String), "source": pl.String,
        "is_repeat": pl.Boolean, "person": pl.Int64, "ward": pl.Int64, "entered_on": pl.Date, "changed_on": pl.Date,
        "block": pl.Int64,
    }  # fmt: skip
    return pl.DataFrame(schema=schema)


def _clients(
    chance: np.random.Generator,
    seed: int,
    year: int,
    block: int,
    scale: float,
    day: npt.NDArray[np.datetime64],
    strand: npt.NDArray[np.object_],
) -> Ints:
    size = len(day)
    male = flags(chance, size, _MALES * size)
    # none of the exploited is male here, which keeps them apart from the five men
    swap = np.flatnonzero(male & np.isin(strand, EXPLOITATION))
    spare = np.flatnonzero(~male & (strand == "Domestic abuse"))[: len(swap)]
    male[swap], male[spare] = False, True
    age = ages(chance, size, mean=35, spread=11, low=16, high=80)
    child = strand == "Child sexual exploitation"
    age[child] = chance.integers(12, 18, int(child.sum()))
    home = np.full(size, places.borough(block).index)
    ethnic = chance.choice(len(people.ETHNIC), size, p=(0.36, 0.12, 0.2, 0.1, 0.16, 0.06))
    person = people.meet(home, (~male).astype(np.int64), ethnic, age, day, year * 13 + block + 5)
    if block:
        return person
    known = victims(seed, year, block, scale).filter((pl.col("profile") == "da") & ~pl.col("is_no_crime"))
    known = known.unique("person", keep="first", maintain_order=True).with_columns(
        pl.Series("sex", people.sex_of(known.unique("person", keep="first", maintain_order=True)["person"].to_numpy()))
    )
    women = known.filter((pl.col("sex") == 1) & (pl.col("age") >= 16))["person"].to_numpy()
    shared = np.flatnonzero((strand == "Domestic abuse") & ~male & (chance.random(size) < 0.33))[: len(women)]
    person[shared] = chance.permutation(women)[: len(shared)]
    return person


@lru_cache(maxsize=16)
def clients(seed: int, year: int, block: int = 0, scale: float = 1.0) -> pl.DataFrame:
    """Return the periods of support that began in the year: a row a period, with client, needs and dates."""
    chance = generator(seed, "clients", year, block)
    size = max(4, round(_at(_BEGIN, year) * scale)) if year >= RAHAB_FROM else 0
    day = np.sort(clock.days_in_months(chance, year, allot(chance, size, clock.month_weights(year, "flat")), "day"))
    stays = flags(chance, size, _STAY_SHARE * size)
    last = np.datetime64(clock.first_day(year + 1), "D") - 1
    weeks = chance.integers(14, 220, size)
    until = np.where(stays, last + 1 + chance.integers(10, 300, size), np.minimum(day + weeks, last))
    home = chance.choice(34, size, p=np.r_[np.full(33, 0.45 / 33), 0.55])
    ethnic = chance.choice(len(people.ETHNIC), size, p=(0.15, 0.35, 0.2, 0.1, 0.05, 0.15))
    age = ages(chance, size, mean=30, spread=7, low=18, high=60)
    sex = (~flags(chance, size, 0.04 * size)).astype(np.int64)
    person = people.meet(home, sex, ethnic, age, day, year * 17 + block + 9)
    need = choose(chance, size, _NEEDS)
    further = chance.random((size, len(_FURTHER_NEEDS))) < 0.25
    frame = pl.DataFrame(
        {
            "client": np.arange(size) + 1 + (year * 100 + block) * 10_000,
            "person": person,
            "from_on": day,
            "to_on": until,
            "needs": pl.Series(
                [
                    [n, *(f for f, has in zip(_FURTHER_NEEDS, row, strict=True) if has)]
                    for n, row in zip(need, further, strict=True)
                ],
                dtype=pl.List(pl.String),
            ),
            "block": np.full(size, block),
        }
    )
    # some come back within the year: the same client, another period
    back = frame.filter(pl.col("to_on") < pl.lit(last - 60))
    back = back[: int(parts(round(0.08 * size), [1.0])[0])].with_columns(
        (pl.col("to_on") + pl.duration(days=30)).alias("from_on"),
        (pl.col("to_on") + pl.duration(days=58)).alias("to_on"),
    )
    return pl.concat([frame, back])


def _at(anchors: dict[int, int], year: int) -> int:
    return round(float(np.interp(year, list(anchors), list(anchors.values()))))
