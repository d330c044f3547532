"""Who was the victim of an offence and who was accused of it: the people of a financial year.

Every profile below is a set of offences whose victims, or accused, the plan's figures describe; its numbers are
those of 2016/17, when the shares come out exactly. Other years have the same shares.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import polars as pl

from saferkc.simulation.chance import generator
from saferkc.simulation.world import people, places
from saferkc.simulation.world.offences import offences
from saferkc.simulation.world.people import OUTSIDE, borough_names, home_borough
from saferkc.simulation.world.quotas import Ints, ages, allot, choose, text
from saferkc.simulation.world.volumes import strata

HF, WESTMINSTER, BRENT, WANDSWORTH = "Hammersmith and Fulham", "Westminster", "Brent", "Wandsworth"
NEIGHBOURS = (HF, WESTMINSTER, BRENT, WANDSWORTH)
REPEAT_SHARE = 0.18
# boroughs that the victims of stabbings live in (with this one 16), and of serious violence (26)
_OF_STABBINGS = (
    "Ealing", "Hackney", "Lambeth", "Southwark", "Camden", "Islington", "Newham", "Haringey", "Lewisham", "Croydon",
    "Tower Hamlets", "Enfield",
)  # fmt: skip
_OF_SERIOUS = (
    *_OF_STABBINGS, "Barnet", "Harrow", "Hounslow", "Hillingdon", "Greenwich", "Merton", "Waltham Forest",
    "Barking and Dagenham", "Redbridge",
)  # fmt: skip
# accused of serious violence live in 11, of burglary in 17
_OF_ACCUSED = ("Ealing", "Lambeth", "Southwark", "Camden", "Hackney", "Barnet", "Newham")
_OF_BURGLARS = (*_OF_ACCUSED, "Islington", "Haringey", "Lewisham", "Croydon", "Hounslow", "Harrow")

# groups of appearance in the order of people.ETHNIC
_USUAL = (0.44, 0.12, 0.16, 0.1, 0.12, 0.06)
_AFRICAN, _WHITE, _ARABIC, _OTHERS = (
    (0, 0, 1, 0, 0, 0),
    (1, 0, 0, 0, 0, 0),
    (0, 0, 0, 0, 1, 0),
    (0, 0.3, 0, 0.5, 0, 0.2),
)


STRANGERS: dict[str, float] = {"Stranger": 0.72, "Acquaintance or friend": 0.1, "Neighbour": 0.04, "Not known": 0.14}


@dataclass(frozen=True)
class Cell:
    """People of a profile alike in sex, appearance and range of age; ``weight`` is how many of them there are."""

    weight: float
    male: float
    low: int
    high: int
    mean: float
    spread: float = 11.0
    ethnic: tuple[float, ...] = _USUAL


@dataclass(frozen=True)
class Profile:
    """The people of a set of offences: who they are, where they live and how they know the other side.

    ``lives`` has weights of ``home``, boroughs by name, ``london`` (those in ``reach``, or all others) and
    ``outside``.
    """

    cells: tuple[Cell, ...]
    lives: Mapping[str, float]
    reach: tuple[str, ...] = ()
    relation: Mapping[str, float] = field(default_factory=lambda: STRANGERS)
    per_offence: float = 1.0


_DOMESTIC = {"Current partner": 0.37, "Ex-partner": 0.36, "Family member": 0.24, "Acquaintance or friend": 0.03}
_HATE = {
    "Stranger": 90, "Neighbour": 14, "Acquaintance or friend": 7, "Colleague": 5, "Other known person": 5,
}  # fmt: skip
_LOCAL = {"home": 0.62, HF: 0.07, WESTMINSTER: 0.06, BRENT: 0.03, WANDSWORTH: 0.02, "london": 0.14, "outside": 0.06}


def _youth(weight: float, male: float, ethnic: tuple[float, ...] = _USUAL) -> Cell:
    return Cell(weight, male, 11, 25, 18.5, 2.9, ethnic)


def _adult(weight: float, male: float, mean: float = 40.0) -> Cell:
    return Cell(weight, male, 26, 84, mean)


VICTIMS: dict[str, Profile] = {
    "serious_murder": Profile((_adult(1, 1),), {"home": 1}),
    "serious_stab": Profile(
        (
            _youth(12, 1, _AFRICAN),
            _youth(6, 1, _WHITE),
            _youth(3, 1, _ARABIC),
            _youth(3, 1, _OTHERS),
            _adult(15, 1, 33),
        ),
        {"home": 13, HF: 4, WESTMINSTER: 3, BRENT: 2, "london": 15, "outside": 2},
        _OF_STABBINGS,
    ),
    "serious": Profile(
        (
            _youth(14, 1, _AFRICAN),
            _youth(16, 1, _WHITE),
            _youth(4, 1, _ARABIC),
            _youth(8, 1, _OTHERS),
            _youth(22, 0),
            _adult(100, 1),
            _adult(36, 0),
        ),
        {"home": 73, HF: 18, WESTMINSTER: 9, BRENT: 3, WANDSWORTH: 3, "london": 81, "outside": 13},
        _OF_SERIOUS,
    ),
    "serious_hate": Profile((_adult(10, 0.7),), {"home": 5, "london": 5}, _OF_STABBINGS, _HATE),
    "stab": Profile(
        (_youth(18, 1), _adult(15, 1, 34)),
        {"home": 12, HF: 3, WESTMINSTER: 2, BRENT: 1, "london": 12, "outside": 3},
        _OF_STABBINGS,
    ),
    "robbery_stab": Profile((_youth(4, 1),), {"home": 2, HF: 1, WESTMINSTER: 1}),
    "vwi": Profile(
        (_youth(137, 0.66), _adult(510, 0.62)),
        {"home": 341, HF: 40, WESTMINSTER: 35, BRENT: 16, WANDSWORTH: 10, "london": 160, "outside": 45},
    ),
    "vwi_hate": Profile(
        (_youth(8, 0.625), _adult(28, 19 / 28, 42)),
        {"home": 19, HF: 3, WESTMINSTER: 3, "london": 9, "outside": 2},
        relation=_HATE,
    ),
    "hate": Profile(
        (Cell(414, 277 / 414, 12, 84, 37),),
        {"home": 224, HF: 25, WESTMINSTER: 20, BRENT: 8, WANDSWORTH: 7, "london": 110, "outside": 20},
        relation=_HATE,
    ),
    "da": Profile((Cell(1, 0.23, 16, 84, 36),), {**_LOCAL, "home": 2.6}, relation=_DOMESTIC),
    "sexual": Profile((Cell(1, 0.11, 8, 80, 27, 10),), _LOCAL),
    "knife_threat": Profile((Cell(114, 110 / 114, 12, 70, 28),), _LOCAL),
    "girl": Profile((Cell(1, 0, 1, 17, 9, 4),), {"home": 1}),
    "householder": Profile((Cell(1, 0.5, 20, 92, 47, 16),), {"home": 1}),
    "owner": Profile((Cell(1, 0.6, 18, 85, 43, 14),), {**_LOCAL, "home": 1.6}),
    "any": Profile((Cell(1, 0.52, 8, 92, 36, 15),), _LOCAL, per_offence=1.04),
}
ACCUSED: dict[str, Profile] = {
    "da": Profile((Cell(1, 0.84, 15, 80, 37),), {**_LOCAL, "home": 2.0}, relation=_DOMESTIC, per_offence=300 / 287),
    "hate": Profile(
        (Cell(121, 90 / 121, 13, 80, 41),),
        {"home": 74, HF: 8, WESTMINSTER: 7, BRENT: 3, WANDSWORTH: 2, "london": 22, "outside": 5},
        relation=_HATE,
    ),
    "serious": Profile(
        (Cell(60, 52 / 60, 14, 60, 25, 8, (0.2, 0.1, 0.44, 0.08, 0.14, 0.04)),),
        {"home": 31, HF: 5, WESTMINSTER: 4, BRENT: 4, "london": 14, "outside": 2},
        _OF_ACCUSED,
        per_offence=60 / 54,
    ),
    "burglary": Profile(
        (Cell(125, 120 / 125, 14, 68, 38, 10, (66, 4, 45, 4, 4, 2)),),
        {"home": 54, HF: 22, WESTMINSTER: 9, BRENT: 6, "london": 32, "outside": 2},
        _OF_BURGLARS,
        per_offence=125 / 112,
    ),
    "tfmv": Profile(
        (Cell(40, 1, 14, 60, 30, 8),),
        {"home": 25, HF: 3, WESTMINSTER: 2, BRENT: 1, "london": 8, "outside": 1},
        per_offence=40 / 31,
    ),
    "any": Profile((Cell(1, 0.83, 11, 75, 31),), {**_LOCAL, "london": 0.3}, per_offence=1.05),
}  # fmt: skip


@lru_cache(maxsize=4)
def victims(seed: int, year: int, block: int = 0, scale: float = 1.0) -> pl.DataFrame:
    """Return the year's victims: offence, number (from 1), person, age, relation (to the accused), is_repeat."""
    found = _people(generator(seed, "victims", year, block), seed, year, block, scale, "victims")
    found = _with_repeats(generator(seed, "repeat victims", year, block), found)
    first_accused = accused(seed, year, block, scale).filter(number=1).select("offence", known="relation")
    return (
        found.join(first_accused, on="offence", how="left", maintain_order="left")
        .with_columns(pl.coalesce("known", "relation").alias("relation"))
        .drop("known")
    )


@lru_cache(maxsize=4)
def accused(seed: int, year: int, block: int = 0, scale: float = 1.0) -> pl.DataFrame:
    """Return the year's accused: offence, number (from 1), person, age, relation (to the victim), charged_on."""
    chance = generator(seed, "accused", year, block)
    found = _people(chance, seed, year, block, scale, "accused")
    person = found["person"].to_numpy().copy()
    # one in twelve of the plain profile was accused before in the year
    plain = np.flatnonzero((found["profile"] == "any").to_numpy())
    again = chance.permutation(plain)[: len(plain) // 12]
    rest = np.setdiff1d(plain, again)
    if len(again) and len(rest):
        person[again] = person[chance.choice(rest, len(again))]
    day = found["day"].to_numpy()
    return found.with_columns(
        pl.Series("person", person),
        pl.Series("age", people.ages_on(person, day)),
        pl.col("outcome_on").alias("charged_on"),
    ).select("offence", "number", "person", "age", "relation", "charged_on", "profile")


def _people(chance: np.random.Generator, seed: int, year: int, block: int, scale: float, side: str) -> pl.DataFrame:
    """The people of each profile, in the order of their offences."""
    role = pl.DataFrame({"stratum": [s.name for s in strata()], "profile": [getattr(s, side) for s in strata()]})
    crimes = offences(seed, year, block, scale).join(role, on="stratum", how="left", maintain_order="left")
    if side == "accused":
        crimes = crimes.filter("is_detected")
    profiles = VICTIMS if side == "victims" else ACCUSED
    frames = []
    for name, profile in profiles.items():
        own = crimes.filter(pl.col("profile") == name)
        true, false = own.filter(~pl.col("is_no_crime")), own.filter("is_no_crime")
        extra = round(true.height * (profile.per_offence - 1))
        more = true[np.sort(chance.choice(true.height, extra, replace=False))] if extra else true.clear()
        if side == "victims" and name == "da":
            more = _second_victims(chance, true)
        # what turned out to be no offence has people too, on top of the profile's
        for part in (pl.concat([true, more]), false):
            if part.height:
                frames.append(_of_profile(chance, part, profile, block))
    columns = ["offence", "person", "age", "relation", "day", "outcome_on", "profile", "is_no_crime"]
    whole = pl.concat([frame.select(columns) for frame in frames]).sort("offence", maintain_order=True)
    turn = year * (11 if side == "victims" else 7) + block * 5 + (3 if side == "accused" else 0)
    sex, ethnic, borough = (whole["person"].to_numpy() // k % m for k, m in ((1, 2), (2, 8), (16, 64)))
    person = people.meet(borough, sex, ethnic, whole["age"].to_numpy(), whole["day"].to_numpy(), turn)
    return whole.with_columns(pl.Series("person", person), (pl.int_range(pl.len()).over("offence") + 1).alias("number"))


def _second_victims(chance: np.random.Generator, crimes: pl.DataFrame) -> pl.DataFrame:
    """Offences of domestic abuse with two victims: as many a month as let the share of repeats be whole people."""
    chosen = []
    for month in _by_month(crimes):
        enough = [more for more in range(min(6, month.height)) if _repeats_of(month.height + more) is not None]
        chosen.append(
            month[np.sort(chance.choice(month.height, enough[0], replace=False))] if enough else month.clear()
        )
    return pl.concat(chosen) if chosen else crimes.clear()


def _by_month(crimes: pl.DataFrame) -> list[pl.DataFrame]:
    months = crimes.with_columns(pl.col("recorded_on").dt.truncate("1mo").alias("month"))
    return months.partition_by("month", maintain_order=True, include_key=False)


def _repeats_of(people_in_month: int) -> int | None:
    """How many of so many are 18 in 100 when rounded; None where no number is."""
    count = round(REPEAT_SHARE * people_in_month)
    return count if people_in_month and abs(count / people_in_month - REPEAT_SHARE) < 0.005 else None


def _of_profile(chance: np.random.Generator, crimes: pl.DataFrame, profile: Profile, block: int) -> pl.DataFrame:
    """The crimes with age, relation and, packed into ``person`` for now, sex, appearance and borough."""
    size = crimes.height
    cell = allot(chance, size, [c.weight for c in profile.cells])
    age, sex, ethnic = (np.zeros(size, dtype=np.int64) for _ in range(3))
    for number, kind in enumerate(profile.cells):
        own = np.flatnonzero(cell == number)
        age[own] = ages(chance, len(own), mean=kind.mean, spread=kind.spread, low=kind.low, high=kind.high)
        sex[own] = allot(chance, len(own), [kind.male, 1 - kind.male])
        ethnic[own] = allot(chance, len(own), kind.ethnic)
    borough = _residences(chance, size, profile, places.borough(block).index)
    return crimes.with_columns(
        pl.Series("age", age),
        pl.Series("person", sex + 2 * ethnic + 16 * borough),
        text(choose(chance, size, profile.relation)).alias("relation"),
        pl.col("recorded_on").alias("day"),
    )


def _residences(chance: np.random.Generator, size: int, profile: Profile, home: int) -> Ints:
    """Index of the borough where each lives; everyone of ``reach`` comes first, so that none is left out."""
    names = borough_names()
    word = choose(chance, size, profile.lives)
    index = {name: number for number, name in enumerate(names)}
    borough = np.array([index.get(w, OUTSIDE) for w in word], dtype=np.int64)
    borough[word == "home"] = home
    london = np.flatnonzero(word == "london")
    near = {index[name] for name in NEIGHBOURS} | {home, home_borough()}
    reach = [index[name] for name in profile.reach] or [i for i in range(OUTSIDE) if i not in near]
    borough[london] = allot(chance, len(london), [1.0 + 0.001 * (len(reach) - n) for n in range(len(reach))])
    borough[london] = np.array(reach)[borough[london]]
    return borough


def _with_repeats(chance: np.random.Generator, found: pl.DataFrame) -> pl.DataFrame:
    """Make 18 in 100 of each month's victims of domestic abuse people who were victims of it earlier in the year."""
    person = found["person"].to_numpy().copy()
    day: npt.NDArray[np.datetime64] = found["day"].to_numpy()
    domestic = ((found["profile"] == "da") & ~found["is_no_crime"]).to_numpy()
    months = day.astype("datetime64[M]")
    repeat = np.zeros(len(person), dtype=bool)
    for month in np.unique(months[domestic])[1:]:
        own = chance.permutation(np.flatnonzero(domestic & (months == month)))
        before = chance.permutation(np.flatnonzero(domestic & (months < month) & ~repeat))
        count = min(_repeats_of(len(own)) or round(REPEAT_SHARE * len(own)), len(before))
        again = own[:count]
        person[again] = person[before[:count]]
        repeat[again] = True
    return found.with_columns(
        pl.Series("person", person), pl.Series("age", people.ages_on(person, day)), pl.Series("is_repeat", repeat)
    ).select("offence", "number", "person", "age", "relation", "is_repeat", "profile", "is_no_crime")
