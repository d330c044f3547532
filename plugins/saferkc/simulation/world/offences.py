"""A financial year of offences as they really were: what, when, where, and what the police made of each.

A year is one frame a block (a block is one borough's worth, about 20,000 rows), so memory does not grow with the
range or the scale. Years go by the date of recording, as the notifiable offences of a year do.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import polars as pl

from saferkc.simulation.chance import generator
from saferkc.simulation.world import clock, places
from saferkc.simulation.world.places import Borough
from saferkc.simulation.world.quotas import Flags, Floats, Ints, allot, choose, flags, parts, text
from saferkc.simulation.world.volumes import counts, kinds, strata

VIOLENCE_WITH_INJURY = ("wounding", "assault_with_injury")
NEW_BURGLARY_RULE = date(2017, 4, 1)
# buildings that are not dwellings: what they are, and whether the rule of April 2017 counts them as residential
OTHER_BUILDINGS = {"communal_area": 0.22, "outbuilding": 0.10, "business": 0.56, "community": 0.12}
MOVED_BUILDINGS = ("communal_area", "outbuilding")
# offences recorded and later found to be none, on top of the year's
NO_CRIME_SHARE = 0.012
RECLASSIFIED_SHARE = 0.02
LATEST_CHANGE = timedelta(days=150)
_VWI_MONTHS = {
    # Apr to Mar; August of 2016 was 222 of 965, and of 1,005 in the calendar year
    2015: (66, 66, 66, 66, 136, 65, 65, 65, 65, 80, 80, 80),
    2016: (68, 68, 68, 68, 222, 68, 68, 68, 67, 67, 67, 66),
}
_LAGS = {
    "none": (1.0,),
    "short": (0.78, 0.14, 0.04, 0.02, 0.01, 0.005, 0.005),
    "medium": (0.55, 0.18, 0.08, 0.05, 0.04, 0.03, 0.02, 0.02, 0.01, 0.01, 0.01),
    "range": (0.5, 0.3, 0.1, 0.05, 0.03, 0.02),
}
_LOCATIONS = {
    "street": {"street": 0.8, "park": 0.07, "public_transport": 0.05, "licensed_premises": 0.05, "other": 0.03},
    "harassment": {"private_residence": 0.5, "street": 0.3, "retail": 0.1, "other": 0.1},
    "home": {"private_residence": 1.0},
    "sexual": {"private_residence": 0.5, "hotel": 0.13, "street": 0.15, "licensed_premises": 0.12, "park": 0.1},
    "shop": {"retail": 0.9, "licensed_premises": 0.1},
    "theft": {"retail": 0.3, "licensed_premises": 0.25, "hotel": 0.15, "private_residence": 0.15, "street": 0.15},
    "person": {"street": 0.35, "licensed_premises": 0.3, "retail": 0.15, "public_transport": 0.2},
    "vehicle": {"street": 0.9, "car_park": 0.06, "driveway": 0.04},
    "tfmv": {"street": 0.85, "car_park": 0.05, "driveway": 0.02, "other": 0.08},
    "violence": {
        "street": 0.45, "private_residence": 0.17, "licensed_premises": 0.07, "retail": 0.07,
        "public_transport": 0.03, "hospital": 0.028, "hotel": 0.05, "school": 0.03, "police_station": 0.02,
        "other": 0.082,
    },
}  # fmt: skip
_BODIES = {
    "Saloon": 0.22, "Estate": 0.16, "Hatchback": 0.14, "Van": 0.055, "Lorry": 0.015, "Motorcycle": 0.04,
    "Scooter or moped": 0.04, "Convertible": 0.06, "Four by four": 0.09, "Coupe": 0.05, "Unknown": 0.13,
}  # fmt: skip
_STRANDS = {"race": 0.72, "faith": 0.09, "homophobic": 0.12, "transgender": 0.02, "disability": 0.05}
_HOME_PREMISES, _OTHER_PREMISES = 900, 100
# strata whose share of detections the plan prints, and a few more or less would change
_FEW_DETECTIONS = [
    s.name
    for s in strata()
    if s.is_hate or s.is_domestic or s.knife or s.kind in ("rape", "murder", "theft_from_vehicle")
]
HOSPITAL_OFFENCES = {"St Charles Hospital": 18, "Chelsea and Westminster Hospital": 9}


@lru_cache(maxsize=4)
def offences(seed: int, year: int, block: int = 0, scale: float = 1.0) -> pl.DataFrame:
    """Return the offences recorded in the financial year that begins in ``year``, a row an offence.

    ``scale`` (0-1) is the size of the block. Rows are in the order of recording; ``offence`` numbers them. Rows
    with ``is_no_crime`` are no offences: they were recorded, and deleted on ``deleted_on``.
    """
    chance = generator(seed, "offences", year, block)
    real = counts(year, scale)
    false = parts(round(sum(real) * NO_CRIME_SHARE), np.array(real, dtype=np.float64))
    stratum = np.repeat(np.arange(len(real)), np.array(real) + false)
    # the false ones of a stratum are its last
    place = np.arange(len(stratum)) - np.repeat(
        np.cumsum(np.array(real) + false) - np.array(real) - false, np.array(real) + false
    )
    is_false = place >= np.array(real)[stratum]
    names = np.array([s.kind for s in strata()], dtype=object)
    frame = pl.DataFrame(
        {
            "stratum": pl.Series(np.array([s.name for s in strata()], dtype=object)[stratum], dtype=pl.String),
            "kind": text(names[stratum]),
            "is_no_crime": is_false,
            **{
                f"is_{flag}": np.array([getattr(s, f"is_{flag}") for s in strata()])[stratum]
                for flag in ("domestic", "hate", "firearm", "shots", "phone", "honour")
            },
            "is_knife_injury": np.array([s.knife == "injury" for s in strata()])[stratum],
            "is_knife_threat": np.array([s.knife == "threat" for s in strata()])[stratum],
        }
    )
    when = _times(chance, year, stratum, is_false, scale)
    here = places.borough(block)
    where = _places(chance, here, frame, when["is_carnival"].to_numpy(), scale)
    what = _details(chance, frame, where["location"])
    whole = pl.concat([frame, when, where, what], how="horizontal")
    whole = _life(chance, whole, year, real)
    whole = whole.sort("recorded_on", "from_at", "stratum", maintain_order=True)
    numbers = np.arange(whole.height) + 1
    return whole.with_columns(
        (pl.Series(numbers) + (year * 100 + block) * 1_000_000).alias("offence"),
        text(_references(numbers, year, block)).alias("reference"),
        pl.lit(block).alias("block"),
    )


def _references(numbers: Ints, year: int, block: int) -> npt.NDArray[np.object_]:
    # the police number a year's crimes with seven digits; other boroughs' have two more in front
    before = f"{block:02d}/" if block else ""
    return np.array([f"{before}{5_600_000 + number}/{year % 100:02d}" for number in numbers], dtype=object)


def _times(chance: np.random.Generator, year: int, stratum: Ints, is_false: Flags, scale: float) -> pl.DataFrame:
    """When each offence was committed (from, to), reported and recorded; and whether on the days of Carnival."""
    size = len(stratum)
    committed = np.empty(size, dtype="datetime64[D]")
    carnival_days = np.array(clock.carnival(year), dtype="datetime64[D]")
    quota = np.array([s.carnival for s in strata()]) * clock.carnival_size(year)
    is_carnival = np.zeros(size, dtype=bool)
    season, clocks, lags = (
        np.array([getattr(kinds()[s.kind], what) for s in strata()], dtype=object)[stratum]
        for what in ("season", "clock", "lag")
    )
    is_vwi = np.array([s.kind in VIOLENCE_WITH_INJURY and not s.is_domestic for s in strata()])[stratum]
    now = np.array(counts(year, scale))
    for number in np.flatnonzero(quota):
        own = np.flatnonzero((stratum == number) & ~is_false)
        share = quota[number] / max(1, strata()[number].count)
        exact = quota[number] if year == 2016 and scale == 1 else share * now[number]
        is_carnival[chance.permutation(own)[: round(float(exact))]] = True
    # violence with injury has the plan's August: its months are set for all of its strata together
    _spread(chance, committed, is_vwi & ~is_false, is_carnival, year, "violence", _vwi_weights(year))
    for which in np.unique(season[~is_vwi]):
        for clock_name in np.unique(clocks[~is_vwi & (season == which)]):
            rows = ~is_vwi & ~is_false & (season == which) & (clocks == clock_name)
            _spread(chance, committed, rows, is_carnival, year, clock_name, clock.month_weights(year, which))
    _spread(chance, committed, is_false, is_carnival, year, "day", clock.month_weights(year, "flat"))
    if is_carnival.any():
        committed[is_carnival] = carnival_days[(chance.random(is_carnival.sum()) < 0.62).astype(int)]
    minute = np.zeros(size, dtype=np.int64)
    for clock_name in np.unique(clocks):
        rows = clocks == clock_name
        minute[rows] = clock.minutes_of_day(chance, committed[rows], clock_name)
    # Carnival ends in the evening
    minute[is_carnival] = 11 * 60 + np.rint(chance.beta(3.2, 1.8, is_carnival.sum()) * 720).astype(np.int64)
    from_at = clock.at_minutes(committed, minute)
    recorded, to_at, reported = _reported(chance, committed, from_at, lags)
    from_at = np.where(lags == "long", _earlier(chance, from_at, reported), from_at)
    return pl.DataFrame(
        {
            "from_at": from_at.astype("datetime64[us]"),
            "to_at": np.maximum(to_at, np.where(lags == "range", from_at, to_at)).astype("datetime64[us]"),
            "has_range": lags == "range",
            "reported_at": reported.astype("datetime64[us]"),
            "recorded_on": recorded,
            "is_carnival": is_carnival,
        }
    )


def _vwi_weights(year: int) -> Floats:
    if year in _VWI_MONTHS:
        return np.array(_VWI_MONTHS[year], dtype=np.float64)
    weights = clock.month_weights(year, "flat")
    weights[4] *= 1 + 1.8 * clock.carnival_size(year)
    return weights


def _spread(
    chance: np.random.Generator,
    committed: npt.NDArray[np.datetime64],
    rows: Flags,
    is_carnival: Flags,
    year: int,
    clock_name: str,
    weights: Floats,
) -> None:
    """Give the rows days by the months' weights; those of Carnival count towards August and have theirs already."""
    total = parts(int(rows.sum()), weights)
    free = np.flatnonzero(rows & ~is_carnival)
    total[4] = max(0, total[4] - int((rows & is_carnival).sum()))
    months = chance.permutation(np.repeat(np.arange(12), total))
    if len(months) < len(free):
        months = np.concatenate([months, np.full(len(free) - len(months), 5)])
    committed[free] = clock.days_in_months(chance, year, months[: len(free)], clock_name, clock.carnival(year))


def _reported(
    chance: np.random.Generator,
    committed: npt.NDArray[np.datetime64],
    from_at: npt.NDArray[np.datetime64],
    lags: npt.NDArray[np.object_],
) -> tuple[npt.NDArray[np.datetime64], npt.NDArray[np.datetime64], npt.NDArray[np.datetime64]]:
    """The day of recording, the end of the time of the offence, and the time of the report.

    An offence is recorded in the month of its day, else a month's figures by either date would not agree.
    """
    days = np.zeros(len(committed), dtype=np.int64)
    for name, weights in _LAGS.items():
        rows = lags == name
        days[rows] = chance.choice(len(weights), rows.sum(), p=np.array(weights) / sum(weights))
    last = (committed.astype("datetime64[M]") + 1).astype("datetime64[D]") - 1
    recorded = np.minimum(committed + days, last)
    midnight = (recorded + 1).astype("datetime64[m]")
    left = np.maximum((midnight - from_at).astype(np.int64), 2)
    share = np.where(recorded > committed, 0.4 + 0.55 * chance.random(len(days)), chance.beta(1, 6, len(days)))
    reported = clock.real(from_at + np.maximum((share * left).astype(np.int64), 1))
    reported = np.minimum(reported, midnight - 1)
    to_at = from_at + ((reported - from_at).astype(np.int64) * 0.8).astype(np.int64)
    return recorded, clock.real(to_at), reported


def _earlier(
    chance: np.random.Generator, from_at: npt.NDArray[np.datetime64], reported: npt.NDArray[np.datetime64]
) -> npt.NDArray[np.datetime64]:
    """Offences that are reported late: a third within days, and one in seven after years."""
    kind = chance.random(len(from_at))
    days = np.where(
        kind < 0.5, chance.integers(0, 4, len(from_at)), np.rint(chance.gamma(1.2, 40, len(from_at)))
    ).astype(np.int64)
    days = np.where(kind > 0.86, chance.integers(365, 9000, len(from_at)), days)
    return np.minimum(clock.real(from_at - days.astype("timedelta64[D]")), reported)


def _places(
    chance: np.random.Generator, here: Borough, frame: pl.DataFrame, is_carnival: Flags, scale: float
) -> pl.DataFrame:
    """Ward, LSOA, premises and type of location of each offence."""
    size = frame.height
    kind = frame["kind"].to_numpy()
    is_true = ~frame["is_no_crime"].to_numpy()
    is_vwi = np.isin(kind, VIOLENCE_WITH_INJURY) & ~frame["is_domestic"].to_numpy() & is_true
    is_tfmv = (kind == "theft_from_vehicle") & is_true
    location = _locations(chance, kind, frame, is_vwi)
    # hospitals see none of Carnival's: those places go to others
    moved = np.flatnonzero(is_vwi & is_carnival & (location == "hospital"))
    spare = chance.permutation(np.flatnonzero(is_vwi & ~is_carnival & (location != "hospital")))[: len(moved)]
    moved = moved[: len(spare)]
    location[moved], location[spare] = location[spare], location[moved]
    ward = np.full(size, -1)
    hospital = np.full(size, -1)
    in_hospital = np.flatnonzero(is_vwi & ~is_carnival & (location == "hospital"))
    for which, (name, count) in enumerate(HOSPITAL_OFFENCES.items()):
        at = np.flatnonzero(here.ward_names == places.HOSPITALS[name])
        own = chance.permutation(in_hospital[hospital[in_hospital] < 0])[: round(count * scale)]
        if len(at) and len(own):
            hospital[own], ward[own] = which, at[0]
    _fill(chance, ward, is_vwi & ~is_carnival, places.weights_of(here, "vwi"))
    _fill(chance, ward, is_carnival, places.weights_of(here, "carnival"))
    _fill(chance, ward, is_tfmv, places.weights_of(here, "tfmv"))
    _fill(chance, ward, is_true, places.weights_of(here, "crime"))
    _fill(chance, ward, ~is_true, places.weights_of(here, "crime"))
    lsoa = here.lsoa_in(chance, ward)
    at_home = np.isin(location, ("private_residence", "communal_area", "outbuilding", "driveway"))
    number = np.where(
        at_home,
        chance.integers(0, _HOME_PREMISES, size),
        # shops and stations are few, and see many offences
        _HOME_PREMISES + 10 + np.floor((_OTHER_PREMISES - 10) * chance.random(size) ** 2.5).astype(np.int64),
    )
    first = np.array([own[0] for own in here.lsoas])
    lsoa = np.where(hospital >= 0, first[ward], lsoa)
    number = np.where(hospital >= 0, _HOME_PREMISES + hospital, number)
    outdoors = np.isin(location, ("street", "park", "public_transport"))
    hospital_names = np.array([*places.HOSPITALS, None], dtype=object)
    return pl.DataFrame(
        {
            "ward": ward,
            "lsoa": lsoa,
            "uprn": np.where(outdoors, -1, places.uprn(lsoa, number)),
            "location": text(location),
            "hospital": text(hospital_names[hospital]),
        }
    )


def _fill(chance: np.random.Generator, ward: Ints, rows: Flags, weights: list[float]) -> None:
    """Give the rows wards so that all of them together, with those that have one already, have the weights."""
    chosen = np.flatnonzero(rows)
    target = parts(len(chosen), weights)
    have = np.bincount(ward[chosen][ward[chosen] >= 0], minlength=len(weights))
    free = chosen[ward[chosen] < 0]
    ward[free] = allot(chance, len(free), np.maximum(target - have, 0).astype(np.float64) + 1e-9)


def _locations(
    chance: np.random.Generator, kind: npt.NDArray[np.object_], frame: pl.DataFrame, is_vwi: Flags
) -> npt.NDArray[np.object_]:
    location = np.full(len(kind), "other", dtype=object)
    dwelling = frame["stratum"].is_in(["burglary_dwelling", "burglary_da"]).to_numpy()
    for name in np.unique(kind):
        rows = (kind == name) & ~is_vwi
        if name == "burglary":
            location[rows & dwelling] = "private_residence"
            others = rows & ~dwelling
            location[others] = choose(chance, int(others.sum()), OTHER_BUILDINGS)
            continue
        location[rows] = choose(chance, int(rows.sum()), _LOCATIONS[kinds()[name].location])
    location[is_vwi] = choose(chance, int(is_vwi.sum()), _LOCATIONS["violence"])
    at_home = frame["is_domestic"].to_numpy() & (chance.random(len(kind)) < 0.85)
    location[at_home] = "private_residence"
    return location


def _details(chance: np.random.Generator, frame: pl.DataFrame, location: pl.Series) -> pl.DataFrame:
    """Hate strands, walk-in entry and vehicle body of each offence."""
    size = frame.height
    hate = frame["is_hate"].to_numpy()
    strand = np.full(size, None, dtype=object)
    strand[hate] = choose(chance, int(hate.sum()), _STRANDS)
    is_true = ~frame["is_no_crime"].to_numpy()
    dwelling = frame["stratum"].is_in(["burglary_dwelling", "burglary_da"]).to_numpy()
    burglary = (frame["kind"] == "burglary").to_numpy()
    walk_in = np.zeros(size, dtype=bool)
    for rows, share in ((dwelling & is_true, 0.18), (burglary & ~dwelling & is_true, 0.28)):
        walk_in[rows] = flags(chance, int(rows.sum()), share * rows.sum())
    body = np.full(size, None, dtype=object)
    tfmv = (frame["kind"] == "theft_from_vehicle").to_numpy() & is_true
    body[tfmv] = choose(chance, int(tfmv.sum()), _BODIES)
    others = (
        frame["kind"].is_in(["theft_of_vehicle", "interference", "damage_vehicle", "theft_from_vehicle"]).to_numpy()
        & ~tfmv
    )
    body[others] = choose(chance, int(others.sum()), _BODIES)
    # one hate offence in twelve has a second strand
    second = np.full(size, None, dtype=object)
    second[hate & (chance.random(size) < 1 / 12)] = "faith"
    second[second == strand] = None
    return pl.DataFrame(
        {
            "hate_strand": text(strand),
            "second_strand": text(second),
            "building": pl.select(
                pl.when(pl.Series(burglary)).then(location.replace("private_residence", "dwelling"))
            ).to_series(),
            "is_walk_in": walk_in,
            "vehicle_body": text(body),
            "is_injury": np.isin(frame["kind"].to_numpy(), (*VIOLENCE_WITH_INJURY, "murder"))
            | frame["is_knife_injury"].to_numpy(),
            "is_vulnerable": chance.random(size) < 0.04,
        }
    )


def _life(chance: np.random.Generator, frame: pl.DataFrame, year: int, real: tuple[int, ...]) -> pl.DataFrame:
    """What the police's system does with each record: entered, classified anew, deleted, detected."""
    size = frame.height
    recorded = frame["recorded_on"].to_numpy().astype("datetime64[D]")
    entered = recorded + np.where(chance.random(size) < 0.05, chance.integers(1, 21, size), 0)
    false = frame["is_no_crime"].to_numpy()
    deleted = np.where(false, entered + chance.integers(2, LATEST_CHANGE.days - 25, size), np.datetime64("NaT"))
    changed = (chance.random(size) < RECLASSIFIED_SHARE) & ~false
    changed_on = np.where(changed, entered + chance.integers(1, LATEST_CHANGE.days - 25, size), np.datetime64("NaT"))
    first = {"wounding": "assault_with_injury", "assault_with_injury": "common_assault", "common_assault": "harassment",
             "rape": "other_sexual", "robbery_personal": "theft_person", "theft_person": "other_theft"}  # fmt: skip
    names = np.array([s.name for s in strata()], dtype=object)
    detected = np.zeros(size, dtype=bool)
    stratum = frame["stratum"].to_numpy()
    for number, item in enumerate(strata()):
        own = np.flatnonzero((stratum == names[number]) & ~false)
        share = item.detected / item.count if item.count else 0.1
        detected[chance.permutation(own)[: round(share * real[number])]] = True
    lag = np.minimum(np.rint(chance.gamma(1.3, 22, size)), 140).astype(np.int64)
    # where the plan counts a few detections, they fall into the year of the offence: by either date they are as many
    last = np.datetime64(clock.first_day(year + 1), "D") - 1
    room = (last - recorded).astype(np.int64)
    few = np.isin(stratum, _FEW_DETECTIONS) & (lag > room)
    lag[few] = (chance.random(int(few.sum())) * (room[few] + 1)).astype(np.int64)
    outcome_on = recorded + lag
    return frame.with_columns(
        pl.Series("entered_on", entered),
        pl.Series("deleted_on", deleted.astype("datetime64[D]")),
        pl.Series("reclassified_on", changed_on.astype("datetime64[D]")),
        pl.when(pl.Series(changed))
        .then(pl.col("kind").replace_strict(first, default=pl.col("kind")))
        .otherwise("kind")
        .alias("first_kind"),
        pl.Series("is_detected", detected),
        pl.Series("outcome_on", outcome_on),
    )
