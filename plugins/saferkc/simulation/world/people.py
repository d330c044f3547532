"""One population: who a person is follows from a number alone, so every agency that meets a person meets the same.

A number holds where the person lives, sex, ethnic appearance, year of birth and a serial number within these; name,
day of birth, telephone and household are drawn from the number. About 158,000 people live in the borough, and as
many as are needed elsewhere. All names are put together from syllables that no real name has.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
import polars as pl

from saferkc.simulation.places import HOME_BOROUGH, london
from saferkc.simulation.world.quotas import Floats, Ints, text

OUTSIDE = 33
SEXES = ("Male", "Female")
ETHNIC = (
    "White European",
    "Dark European",
    "African-Caribbean",
    "Asian",
    "Arabic",
    "Chinese or South East Asian",
)
# people of one sex and year of birth in the borough, by appearance: 930 x 2 x 85 years are its 158,000
_CELL = np.array([440, 110, 96, 94, 96, 94])
_SERIALS = 1024
_BORN_FROM = 1900
_YEARS = 160

_FIRST = ("Ael", "Brin", "Cor", "Dav", "Ely", "Fenn", "Gal", "Hal", "Ivo", "Jor", "Kel", "Lor", "Mir", "Nev", "Ori", "Pel", "Quen", "Ror", "Syl", "Tal", "Ulm", "Vey", "Wyn", "Xan", "Yor", "Zeph")  # fmt: skip  # noqa: E501
_MALE = ("dric", "ban", "wick", "tor", "mund", "grim", "lan", "ren", "vald", "kin")
_FEMALE = ("wenna", "lith", "mira", "sanne", "bella", "drielle", "ora", "nessa", "vina", "thea")
_SUR_A = ("Amber", "Bramble", "Candle", "Dapple", "Elder", "Fennel", "Garnet", "Hollow", "Inkle", "Jasper", "Kestrel", "Lantern", "Marrow", "Nettle", "Otter", "Pebble", "Quill", "Russet", "Saffron", "Thimble", "Umber", "Velvet", "Wicker", "Yarrow", "Zinnia")  # fmt: skip  # noqa: E501
_SUR_B = ("quist", "thwick", "mere", "shaw", "bottle", "combe", "dyke", "fold", "garth", "hythe", "keld", "lathe", "moot", "ness", "pike", "rigg", "snaith", "toft", "wath", "zell")  # fmt: skip  # noqa: E501

Words = npt.NDArray[np.uint64]


@lru_cache(maxsize=1)
def home_borough() -> int:
    """Index of the borough that the world is about."""
    return next(i for i, b in enumerate(london().boroughs) if b.name == HOME_BOROUGH)


@lru_cache(maxsize=1)
def borough_names() -> tuple[str, ...]:
    """Names of the 33 London boroughs, and the words for anywhere else."""
    return (*(borough.name for borough in london().boroughs), "Outside London")


def mixed(numbers: Ints, purpose: int) -> Words:
    """Well-mixed 64-bit words of ``numbers`` (splitmix64), others for each ``purpose``."""
    word = numbers.astype(np.uint64) + np.uint64((purpose * 0x9E3779B97F4A7C15 + 0x632BE59BD9B4E019) % 2**64)
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))


def below(numbers: Ints, purpose: int, limit: int) -> Ints:
    """A whole number from 0 to ``limit`` - 1 that follows from each number."""
    return (mixed(numbers, purpose) % np.uint64(limit)).astype(np.int64)


def share(numbers: Ints, purpose: int) -> Floats:
    """A number from 0 to 1 that follows from each number."""
    values: Floats = mixed(numbers, purpose) / 2.0**64
    return values


def meet(borough: Ints, sex: Ints, ethnic: Ints, age: Ints, days: npt.NDArray[np.datetime64], turn: int) -> Ints:
    """Return people who live there, look so and have that age on that day; no one twice where there are enough.

    ``turn`` moves through the population, so the people of one year are not those of the year before.
    """
    years = days.astype("datetime64[Y]").astype(np.int64) + 1970
    group = (borough * 2 + sex) * 8 + ethnic
    born = years - age
    cell = group * _YEARS + age
    order = np.argsort(cell, kind="stable")
    ordered = cell[order]
    first = np.r_[True, ordered[1:] != ordered[:-1]] if len(ordered) else np.zeros(0, dtype=bool)
    start = np.maximum.accumulate(np.where(first, np.arange(len(ordered)), 0))
    rank = np.empty(len(cell), dtype=np.int64)
    rank[order] = np.arange(len(ordered)) - start
    room = np.where(borough == home_borough(), _CELL[ethnic], _CELL[ethnic] * 2)
    # who is 30 and who is 31 on days of one year may be born in the same one: every second serial is for odd ages
    serial = (rank * 2 + age % 2 + turn * 46) % room
    # the birthday follows from group and serial; whether it has been this year decides the year of birth
    birthday = _birthday(group * _SERIALS + serial)
    day_of_year = (days.astype("datetime64[D]") - days.astype("datetime64[Y]").astype("datetime64[D]")).astype(np.int64)
    born = born - (birthday > day_of_year)
    person: Ints = ((group * _YEARS) + (born - _BORN_FROM)) * _SERIALS + serial
    return person


def _birthday(key: Ints) -> Ints:
    return below(key, 1, 365)


def sex_of(person: Ints) -> Ints:
    """0 male, 1 female."""
    return _group(person) // 8 % 2


def ethnic_of(person: Ints) -> Ints:
    """Index of ``ETHNIC``."""
    return _group(person) % 8


def borough_of(person: Ints) -> Ints:
    """Index of ``borough_names()``."""
    return _group(person) // 16


def born_on(person: Ints) -> npt.NDArray[np.datetime64]:
    """Day of birth."""
    year = (person // _SERIALS % _YEARS + _BORN_FROM - 1970).astype("datetime64[Y]")
    birthday = _birthday(_group(person) * _SERIALS + person % _SERIALS)
    born: npt.NDArray[np.datetime64] = year.astype("datetime64[D]") + birthday.astype("timedelta64[D]")
    return born


def _group(person: Ints) -> Ints:
    return person // (_SERIALS * _YEARS)


def ages_on(person: Ints, days: npt.NDArray[np.datetime64]) -> Ints:
    """Age in whole years on each day."""
    born = born_on(person)
    years = (days.astype("datetime64[Y]") - born.astype("datetime64[Y]")).astype(np.int64)
    own = (born - born.astype("datetime64[Y]").astype("datetime64[D]")).astype(np.int64)
    day = (days.astype("datetime64[D]") - days.astype("datetime64[Y]").astype("datetime64[D]")).astype(np.int64)
    ages: Ints = years - (own > day)
    return ages


def household_of(person: Ints) -> Ints:
    """The household that the person belongs to; some two people share one."""
    return borough_of(person) * 1_000_000 + below(person, 2, 79_000)


def forenames(person: Ints) -> pl.Series:
    """Invented forenames; one in 33 has an accent."""
    first = np.array(_FIRST, dtype=object)[below(person, 3, len(_FIRST))]
    last = np.where(
        sex_of(person) == 0,
        np.array(_MALE, dtype=object)[below(person, 4, len(_MALE))],
        np.array(_FEMALE, dtype=object)[below(person, 4, len(_FEMALE))],
    )
    names = text(first + last).alias("forename")
    accent = pl.Series(below(person, 5, 33) == 0)
    return pl.select(
        pl.when(accent).then(names.str.replace("e", "é").str.replace("o", "ö")).otherwise(names)
    ).to_series()


def surnames(person: Ints) -> pl.Series:
    """Invented surnames, mostly the household's; some have a hyphen, an apostrophe or a space."""
    of = np.where(share(person, 6) < 0.8, household_of(person), person)
    name = _surname(of, 7)
    kind = below(of, 9, 60)
    double = name + "-" + _surname(of, 8)
    frame = pl.DataFrame({"name": text(name), "double": text(double), "kind": kind})
    return frame.select(
        pl.when(kind=0).then("double")
        .when(kind=1).then(pl.lit("O'") + pl.col("name"))
        .when(kind=2).then(pl.lit("De ") + pl.col("name"))
        .otherwise("name")
        .alias("surname")
    ).to_series()  # fmt: skip


def _surname(numbers: Ints, purpose: int) -> npt.NDArray[np.object_]:
    first = np.array(_SUR_A, dtype=object)[below(numbers, purpose, len(_SUR_A))]
    names: npt.NDArray[np.object_] = first + np.array(_SUR_B, dtype=object)[below(numbers, purpose + 20, len(_SUR_B))]
    return names


def phones(line: Ints) -> pl.Series:
    """The number of a telephone line (0 to 999,999), in the area code 01632, which no telephone has."""
    return pl.Series("phone", line % 1_000_000).cast(pl.String).str.zfill(6).str.replace(r"^", "01632")


def person_frame(person: Ints) -> pl.DataFrame:
    """What is true of people: a row each, in the order given, with nulls where the number is -1 (no person)."""
    known = person >= 0
    number = np.where(known, person, 0)
    frame = pl.DataFrame(
        {
            "person": person,
            "forename": forenames(number),
            "surname": surnames(number),
            "born_on": born_on(number),
            "sex": text(np.array(SEXES, dtype=object)[sex_of(number)]),
            "ethnic_appearance": text(np.array(ETHNIC, dtype=object)[ethnic_of(number)]),
            "residence": text(np.array(borough_names(), dtype=object)[borough_of(number)]),
            "household": household_of(number),
        }
    )
    return frame.with_columns(pl.when(pl.Series(known)).then(pl.all()).otherwise(None).name.keep())
