"""The three files of a data.police.uk month: street-level crime, outcomes, stop and search.

Frames hold text, as it will be printed. They come in chunks, so memory stays the same however large the month,
and a chunk can be made again (the outcomes are drawn from the street records of their month).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import polars as pl

from saferkc.simulation.chance import generator, months_later
from saferkc.simulation.offences import Figures, carnival_factor, expected, offences, season
from saferkc.simulation.places import HOME_BOROUGH, POINT_COLUMNS, POINTS_PER_LSOA, london

FORCE = "Metropolitan Police Service"
ASB = "Anti-social behaviour"
CHUNK_ROWS = 100_000
_ASB_MONTHLY = 20_000.0
_NO_LOCATION_SHARE = 0.004
_OUTSIDE_SHARE = 0.0006
_DUPLICATE_SHARE = 0.011
_SECOND_OUTCOME_SHARE = 0.005

STREET_HEADINGS = [
    "Crime ID", "Month", "Reported by", "Falls within", "Longitude", "Latitude", "Location", "LSOA code",
    "LSOA name", "Crime type", "Last outcome category", "Context",
]  # fmt: skip
OUTCOME_HEADINGS = [*STREET_HEADINGS[:9], "Outcome type"]
STOP_HEADINGS = [
    "Type", "Date", "Part of a policing operation", "Policing operation", "Latitude", "Longitude", "Gender",
    "Age range", "Self-defined ethnicity", "Officer-defined ethnicity", "Legislation", "Object of search", "Outcome",
    "Outcome linked to object of search", "Removal of more than just outer clothing",
]  # fmt: skip

_LAST_OUTCOMES = {
    "Investigation complete; no suspect identified": 46,
    "Status update unavailable": 16,
    "Under investigation": 22,
    "Awaiting court outcome": 4,
    "Local resolution": 4,
    "Offender given a caution": 3,
    "Court result unavailable": 3,
    "Offender given a drugs possession warning": 1,
    "Offender given community sentence": 1,
}
_OUTCOME_TYPES = {
    "Investigation complete; no suspect identified": 78,
    "Suspect charged": 12,
    "Local resolution": 4,
    "Offender given a caution": 3,
    "Offender sent to prison": 2,
    "Offender given community sentence": 1,
}
_SEARCHES = {"Person search": 75, "Person and Vehicle search": 23, "Vehicle search": 2}
_POWERS = {
    ("Misuse of Drugs Act 1971 (section 23)", "Controlled drugs"): 62,
    ("Police and Criminal Evidence Act 1984 (section 1)", "Articles for use in criminal damage"): 35,
    ("Firearms Act 1968 (section 47)", "Firearms"): 2,
    ("Criminal Justice and Public Order Act 1994 (section 60)", "Anything to threaten or harm anyone"): 1,
}
_SEARCH_OUTCOMES = {
    "Nothing found - no further action": 68,
    "Suspect arrested": 20,
    "Offender given drugs possession warning": 9,
    "Offender given penalty notice": 2,
    "Local resolution": 1,
}
_GENDERS = {"Male": 92, "Female": 7, "Other": 1}
_AGES = {"10-17": 19, "18-24": 40, "25-34": 23, "over 34": 17, "under 10": 1}
# the force changed its wording for the self-defined ethnicity in part; files hold both
_ETHNICITIES = {
    ("White - White British (W1)", "White"): 25,
    ("White - English/Welsh/Scottish/Northern Irish/British", "White"): 12,
    ("White - Any other White ethnic background (W9)", "White"): 12,
    ("Black or Black British - African (B2)", "Black"): 12,
    ("Black/African/Caribbean/Black British - African", "Black"): 6,
    ("Black or Black British - Caribbean (B1)", "Black"): 10,
    ("Asian or Asian British - Any other Asian ethnic background (A9)", "Asian"): 8,
    ("Asian/Asian British - Bangladeshi", "Asian"): 5,
    ("Mixed - White and Black Caribbean (M1)", "Black"): 3,
    ("Other ethnic group - Not stated", "Other"): 7,
}
# searches by local hour of the day: few before dawn, most in the evening
_HOURS = np.array([4, 3, 2, 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 6, 7, 7, 7, 7, 7, 7, 7, 6, 5], dtype=float)

Indexes = npt.NDArray[np.int64]


def street(seed: int, month: date, rows: int) -> Iterator[pl.DataFrame]:
    """Yield the month's street-level records in chunks; ``rows`` in all."""
    for chunk in range((rows + CHUNK_ROWS - 1) // CHUNK_ROWS):
        yield _street_chunk(seed, month, chunk, min(CHUNK_ROWS, rows - chunk * CHUNK_ROWS))


def outcomes(seed: int, month: date, street_rows: int) -> Iterator[pl.DataFrame]:
    """Yield the month's outcomes in chunks: for about a third of the month's crimes and for some older ones."""
    for chunk, records in enumerate(street(seed, month, street_rows)):
        chance = generator(seed, "outcomes", month.year, month.month, chunk)
        crimes = records.filter(pl.col("Crime ID").is_not_null())
        kept = crimes.filter(pl.Series(chance.random(crimes.height) < 0.35)).select(OUTCOME_HEADINGS[:9])
        older = _street_chunk(seed, months_later(month, -1), chunk, max(1, records.height // 10), what="older")
        frame = pl.concat([kept, older.filter(pl.col("Crime ID").is_not_null()).select(kept.columns)])
        # a second outcome for some, and the same one said twice for some
        extra = frame.filter(pl.Series(chance.random(frame.height) < 0.03))
        frame = pl.concat([frame, extra]).with_columns(
            pl.lit(f"{month:%Y-%m}").alias("Month"),
            pl.col("Location").replace("No Location", "No location"),
            _drawn(chance, _OUTCOME_TYPES, frame.height + extra.height).alias("Outcome type"),
        )
        yield pl.concat([frame, frame.filter(pl.Series(chance.random(frame.height) < 0.05))])


def stop_search(seed: int, month: date, rows: int) -> Iterator[pl.DataFrame]:
    """Yield the month's searches in chunks, in the order of their (UTC) time within a chunk."""
    for chunk in range((rows + CHUNK_ROWS - 1) // CHUNK_ROWS):
        yield _stop_chunk(seed, month, chunk, min(CHUNK_ROWS, rows - chunk * CHUNK_ROWS))


def _street_chunk(seed: int, month: date, chunk: int, rows: int, what: str = "street") -> pl.DataFrame:
    chance = generator(seed, what, month.year, month.month, chunk)
    place = london()
    types, totals = _mix(seed, month)
    drawn = np.searchsorted(totals, chance.random(rows) * totals[-1])
    borough, kind = np.divmod(drawn, len(types))
    # a small month has every borough too, as every real one has
    forced = min(rows, len(place.boroughs))
    borough[:forced] = np.arange(forced)
    size = np.diff(place.first_lsoa)[borough]
    lsoa = place.first_lsoa[borough] + (chance.random(rows) ** 1.3 * size).astype(np.int64)
    point = lsoa * POINTS_PER_LSOA + chance.integers(0, POINTS_PER_LSOA, rows)
    fate = chance.random(rows)
    fate[:forced] = 1
    outside = place.outside_points
    point = np.where(fate < _OUTSIDE_SHARE, chance.integers(outside.start, outside.stop, rows), point)
    point = np.where(fate > 1 - _NO_LOCATION_SHARE, np.where(fate < 1, place.no_point, point), point)
    order = np.argsort(point, kind="stable")
    point, kind = point[order], kind[order]
    may_repeat = (kind != types.index(ASB)) & (order >= forced)
    whole, same_id = _repeats(chance, kind != types.index(ASB), may_repeat)
    point, kind = point[whole], kind[whole]
    is_asb = pl.Series(kind == types.index(ASB))
    frame = pl.DataFrame(
        {
            "Crime ID": _identifiers(chance, rows).gather(same_id),
            "Last outcome category": _drawn(chance, _LAST_OUTCOMES, rows).gather(whole),
            "Crime type": pl.Series(types).gather(kind),
        }
    ).with_columns(
        pl.when(is_asb).then(None).otherwise(pl.col("Crime ID", "Last outcome category")).name.keep(),
        pl.lit(f"{month:%Y-%m}").alias("Month"),
        pl.lit(FORCE).alias("Reported by"),
        pl.lit(FORCE).alias("Falls within"),
        pl.lit(None, dtype=pl.String).alias("Context"),
    )
    return pl.concat([frame, _at(point)], how="horizontal").select(STREET_HEADINGS)


def _repeats(
    chance: np.random.Generator, has_id: npt.NDArray[np.bool_], may_repeat: npt.NDArray[np.bool_]
) -> tuple[Indexes, Indexes]:
    """Which row each row repeats as a whole, and whose identifier it carries (itself, mostly)."""
    rows = len(has_id)
    whole = np.arange(rows)
    fate = chance.random(rows)
    can_repeat = np.zeros(rows, dtype=bool)
    can_repeat[1:] = may_repeat[1:] & has_id[:-1]
    twins = can_repeat & (fate < _DUPLICATE_SHARE)
    whole[twins] -= 1
    # a twin of a twin repeats the first of them
    whole = whole[whole]
    same_id = whole.copy()
    second = can_repeat & (fate > 1 - _SECOND_OUTCOME_SHARE)
    same_id[second] = whole[np.flatnonzero(second) - 1]
    return whole, same_id


@lru_cache(maxsize=64)
def _mix(seed: int, month: date) -> tuple[list[str], Figures]:
    """Types of crime, and running totals of the expected records by borough and, within it, type."""
    kinds = offences()
    types = sorted({o.street_type for o in kinds} | {ASB})
    figures = expected(seed, month)
    by_type = np.zeros((figures.shape[0], len(types)))
    for number, offence in enumerate(kinds):
        by_type[:, types.index(offence.street_type)] += figures[:, number]
    weight = np.array([b.weight for b in london().boroughs])
    by_type[:, types.index(ASB)] = _ASB_MONTHLY * season("summer", month) * weight / weight.sum()
    home = next(i for i, b in enumerate(london().boroughs) if b.name == HOME_BOROUGH)
    by_type[home, types.index(ASB)] *= carnival_factor(ASB, month)
    return types, np.cumsum(by_type.ravel())


def _stop_chunk(seed: int, month: date, chunk: int, rows: int) -> pl.DataFrame:
    chance = generator(seed, "stop and search", month.year, month.month, chunk)
    place = london()
    instants, totals = _minutes(month)
    minute = np.searchsorted(totals, chance.random(rows) * totals[-1])
    minute[0] = 0  # the first minute of the local month, which in summer time is 23:00 UTC of the day before
    minute.sort()
    weight = np.cumsum([b.weight for b in place.boroughs])
    borough = np.searchsorted(weight, chance.random(rows) * weight[-1])
    lsoa = place.first_lsoa[borough] + (chance.random(rows) * np.diff(place.first_lsoa)[borough]).astype(np.int64)
    point = lsoa * POINTS_PER_LSOA
    point = np.where(chance.random(rows) < 0.085, place.no_point, point)
    search = _drawn(chance, _SEARCHES, rows)
    person = search != "Vehicle search"
    power = chance.choice(len(_POWERS), rows, p=_shares(_POWERS))
    ethnicity = chance.choice(len(_ETHNICITIES), rows, p=_shares(_ETHNICITIES))

    def of_person(values: pl.Series, missing: float) -> pl.Series:
        known = pl.Series(chance.random(rows) >= missing) & person
        return pl.select(pl.when(known).then(values)).to_series()

    frame = _at(point).select(
        search.alias("Type"),
        pl.Series(instants[minute]).dt.strftime("%Y-%m-%dT%H:%M:%S+00:00").alias("Date"),
        pl.lit("False").alias("Part of a policing operation"),
        pl.lit(None, dtype=pl.String).alias("Policing operation"),
        pl.col("Latitude"),
        pl.col("Longitude"),
        of_person(_drawn(chance, _GENDERS, rows), 0.0).alias("Gender"),
        of_person(_drawn(chance, _AGES, rows), 0.04).alias("Age range"),
        of_person(pl.Series([a for a, _ in _ETHNICITIES]).gather(ethnicity), 0.0).alias("Self-defined ethnicity"),
        of_person(pl.Series([b for _, b in _ETHNICITIES]).gather(ethnicity), 0.002).alias("Officer-defined ethnicity"),
        pl.Series([a for a, _ in _POWERS]).gather(power).alias("Legislation"),
        pl.Series([b for _, b in _POWERS]).gather(power).alias("Object of search"),
        _drawn(chance, _SEARCH_OUTCOMES, rows).alias("Outcome"),
        pl.lit(None, dtype=pl.String).alias("Outcome linked to object of search"),
        pl.lit(None, dtype=pl.String).alias("Removal of more than just outer clothing"),
    )
    twins = np.arange(rows)
    twins[1:] -= chance.random(rows - 1) < 0.03
    return frame[twins].select(STOP_HEADINGS)


@lru_cache(maxsize=4)
def _minutes(month: date) -> tuple[npt.NDArray[np.datetime64], Figures]:
    """The minutes of the local month as UTC instants, and running totals of their weights."""
    zone = ZoneInfo("Europe/London")
    following = months_later(month, 1)
    start = datetime(month.year, month.month, 1, tzinfo=zone).astimezone(UTC)
    end = datetime(following.year, following.month, 1, tzinfo=zone).astimezone(UTC)
    first, after = (np.datetime64(moment.replace(tzinfo=None), "m") for moment in (start, end))
    instants = np.arange(first, after).astype("datetime64[us]")
    hours = pl.Series(instants).dt.replace_time_zone("UTC").dt.convert_time_zone("Europe/London").dt.hour().to_numpy()
    return instants, np.cumsum(_HOURS[hours])


def _at(point: Indexes) -> pl.DataFrame:
    """The printed place of each point."""
    return london().points[point].rename(dict(zip(POINT_COLUMNS, STREET_HEADINGS[4:9], strict=True)))


def _identifiers(chance: np.random.Generator, rows: int) -> pl.Series:
    digits = chance.bytes(32 * rows).hex()
    return pl.Series([digits[start : start + 64] for start in range(0, 64 * rows, 64)], dtype=pl.String)


def _shares(weights: dict[str, int] | dict[tuple[str, str], int]) -> Figures:
    values: Figures = np.array(list(weights.values()), dtype=np.float64)
    values /= values.sum()
    return values


def _drawn(chance: np.random.Generator, weights: dict[str, int], rows: int) -> pl.Series:
    return pl.Series(list(weights)).gather(chance.choice(len(weights), rows, p=_shares(weights)))
