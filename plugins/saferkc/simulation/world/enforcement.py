"""Cases of the Tenant Management Organisation and actions of the council's services, as they really were."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import polars as pl

from saferkc.simulation.chance import generator
from saferkc.simulation.world import clock, people, places
from saferkc.simulation.world.quotas import Ints, ages, allot, choose, text

_CASES = {2006: 700, 2016: 940, 2020: 1300, 2026: 900}
_CATEGORIES = {
    "Noise": 34, "Neighbour dispute": 14, "Drugs": 13, "Harassment": 9, "Youth nuisance": 9, "Rubbish": 8,
    "Pets and animals": 6, "Vandalism": 4, "Domestic abuse": 3,
}  # fmt: skip
_PRIORITIES = {"A": 0.08, "B": 0.42, "C": 0.5}
_CLOSING = {
    "Resolved": 52, "Complainant withdrew": 18, "Tenancy ended": 8, "Legal action": 7, "Referred to another agency": 9,
    "Insufficient evidence": 6,
}  # fmt: skip
# actions in a year by service, the first year it acted, its powers and the clock it works by
SERVICES: dict[str, tuple[int, int, dict[str, float], str]] = {
    "Noise": (1800, 2006, {"Visit": 50, "Warning": 22, "Noise abatement notice": 20, "Fixed penalty notice": 6,
                           "Seizure": 2}, "night"),
    "Licensing": (350, 2006, {"Advice": 45, "Warning": 20, "Licence condition": 15, "Licence review": 12,
                              "Closure notice": 8}, "evening"),
    "Waste": (2500, 2006, {"Fixed penalty notice": 66, "Duty of care notice": 18, "Warning": 10,
                           "Prosecution": 6}, "day"),
    "Parks police": (500, 2006, {"Warning": 60, "Byelaw notice": 25, "Dispersal": 15}, "evening"),
    "PSPO Knightsbridge": (260, 2015, {"PSPO penalty notice": 74, "Warning": 20, "Prosecution": 6}, "evening"),
    "Community Police Team": (900, 2014, {"Patrol tasking": 38, "Dispersal": 27, "Community protection warning": 23,
                                          "Community protection notice": 12}, "evening"),
}  # fmt: skip
PENALTIES = {"Fixed penalty notice": 80.0, "PSPO penalty notice": 100.0}
_OUTCOMES = {"Complied": 45, "Warned": 16, "No further action": 20, "Notice served": 9, "Appealed": 3,
             "Referred to another agency": 7}  # fmt: skip
_OF_PENALTIES = {"Penalty paid": 68, "Penalty unpaid": 24, "Appealed": 4, "Prosecuted": 4}
_LOCATIONS = {"Dwelling": 0.32, "Street": 0.38, "Public house": 0.12, "Park or open space": 0.1, "Shop": 0.08}


@lru_cache(maxsize=4)
def cases(seed: int, year: int, block: int = 0, scale: float = 1.0) -> pl.DataFrame:
    """Return the cases opened in the year: a row a case, with categories, priority, and the day of each stage."""
    chance = generator(seed, "cases", year, block)
    size = max(4, round(_at(_CASES, year) * scale))
    opened = np.sort(
        clock.days_in_months(chance, year, allot(chance, size, clock.month_weights(year, "summer")), "day")
    )
    category = choose(chance, size, _CATEGORIES)
    second = choose(chance, size, _CATEGORIES)
    several = chance.random(size) < 0.22
    gaps = np.rint(chance.gamma(1.4, (5, 25, 30, 30), (size, 4))).astype(np.int64)
    acted, watched = chance.random(size) < 0.55, chance.random(size) < 0.6
    none = np.datetime64("NaT")
    assessed = opened + gaps[:, 0]
    action = np.where(acted, assessed + gaps[:, 1], none)
    latest = assessed + acted * gaps[:, 1]
    monitored = np.where(watched, latest + gaps[:, 2], none)
    latest = latest + watched * gaps[:, 2]
    here = places.borough(block)
    ward = allot(chance, size, places.weights_of(here, "tmo"))
    lsoa = here.lsoa_in(chance, ward)
    # some homes are complained about again and again
    number = np.floor(900 * chance.random(size) ** 2.2).astype(np.int64)
    return pl.DataFrame(
        {
            "case": np.arange(size) + 1 + (year * 100 + block) * 100_000,
            "categories": [sorted({a, b} if s else {a}) for a, b, s in zip(category, second, several, strict=True)],
            "priority": text(choose(chance, size, _PRIORITIES)),
            "opened_on": opened,
            "assessed_on": assessed,
            "action_on": action,
            "monitoring_on": monitored,
            "closed_on": latest + gaps[:, 3] + 1,
            # one in 80 was raised in error, and is withdrawn instead of closed
            "is_error": chance.random(size) < 1 / 80,
            "is_vulnerable": chance.random(size) < 0.12,
            "closing_reason": text(choose(chance, size, _CLOSING)),
            "estate": text(
                np.array([f"{name} Estate" for name in places.ESTATES], dtype=object)[ward % len(places.ESTATES)]
            ),
            "ward": ward,
            "lsoa": lsoa,
            "uprn": places.uprn(lsoa, number),
            "complainant": _residents(chance, opened, block, year * 19 + 1),
            "subject": _residents(chance, opened, block, year * 19 + 7),
            "block": np.full(size, block),
        }
    )


@lru_cache(maxsize=4)
def actions(seed: int, year: int, block: int = 0, scale: float = 1.0) -> pl.DataFrame:
    """Return the council's actions of the year: a row an action, in the order of their times."""
    frames = []
    for number, (service, (usual, since, powers, clock_name)) in enumerate(SERVICES.items()):
        chance = generator(seed, "actions", year, block, number)
        size = round(usual * scale * (1 + 0.01 * (year - 2016))) if year >= since else 0
        if not size:
            continue
        days = clock.days_in_months(chance, year, allot(chance, size, clock.month_weights(year, "summer")), clock_name)
        at = clock.at_minutes(days, clock.minutes_of_day(chance, days, clock_name))
        here = places.borough(block)
        brompton = np.flatnonzero(here.ward_names == "Brompton and Hans Town")
        ward = allot(chance, size, places.weights_of(here, "asb"))
        if service == "PSPO Knightsbridge" and len(brompton):
            ward[:] = brompton[0]
        lsoa = here.lsoa_in(chance, ward)
        location = choose(chance, size, _LOCATIONS)
        indoors = np.isin(location, ("Dwelling", "Public house", "Shop"))
        premises = np.floor(1000 * chance.random(size) ** 2).astype(np.int64)
        known = chance.random(size) < 0.6
        power = choose(chance, size, powers)
        penalty = np.isin(power, list(PENALTIES))
        outcome = choose(chance, size, _OUTCOMES)
        outcome[penalty] = choose(chance, int(penalty.sum()), _OF_PENALTIES)
        frames.append(
            pl.DataFrame(
                {
                    "service": pl.repeat(service, size, eager=True),
                    "power": text(power),
                    "at": at.astype("datetime64[us]"),
                    "location": text(location),
                    "ward": ward,
                    "lsoa": lsoa,
                    "uprn": np.where(indoors, places.uprn(lsoa, premises), -1),
                    "subject": np.where(known, _residents(chance, days, block, year * 23 + number), -1),
                    "outcome": text(outcome),
                    "is_void": chance.random(size) < 0.008,
                    "entered_on": days + chance.integers(0, 3, size),
                    # the outcome is known some weeks later
                    "outcome_on": days + 3 + np.minimum(np.rint(chance.gamma(1.5, 18, size)), 120).astype(np.int64),
                }
            )
        )
    whole = pl.concat(frames).sort("at", maintain_order=True)
    return whole.with_columns(
        (pl.int_range(pl.len()) + 1 + (year * 100 + block) * 100_000).alias("action"), pl.lit(block).alias("block")
    )


def _residents(chance: np.random.Generator, days: np.typing.NDArray[np.datetime64], block: int, turn: int) -> Ints:
    size = len(days)
    return people.meet(
        np.full(size, places.borough(block).index),
        chance.integers(0, 2, size),
        chance.choice(len(people.ETHNIC), size, p=(0.44, 0.12, 0.16, 0.1, 0.12, 0.06)),
        ages(chance, size, mean=45, spread=16, low=18, high=92),
        days,
        turn,
    )


def _at(anchors: dict[int, int], year: int) -> int:
    return round(float(np.interp(year, list(anchors), list(anchors.values()))))
