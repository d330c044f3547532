"""Where things happen: boroughs, wards, LSOAs and published points of a simulated London.

Boroughs with their number of LSOAs, and the 18 wards of this borough, are facts. Everything below is made up:
LSOA codes from E01900001, MSOA codes from E02900001, other wards' codes from E05900001, points scattered about
each borough's middle.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt
import polars as pl

from saferkc.simulation.chance import generator

HOME_BOROUGH = "Kensington and Chelsea"
CITY = "City of London"
POINTS_PER_LSOA = 8
POINT_COLUMNS = ["longitude", "latitude", "location", "lsoa_code", "lsoa_name"]
_LSOAS_PER_MSOA = 5
_OTHER_WARDS_PER_BOROUGH = 2
_OUTSIDE = (
    ("Epping Forest", 0.05, 51.67),
    ("Reigate and Banstead", -0.20, 51.30),
    ("Hertsmere", -0.27, 51.66),
    ("Leeds", -1.55, 53.80),
    ("Liverpool", -2.98, 53.41),
)
_FIRST_WORDS = (
    "Alder Ash Beech Birch Briar Cedar Cherry Chestnut Clover Elm Fern Hazel Heather Holly Ivy Juniper "
    "Larch Laurel Lime Linden Maple Mulberry Myrtle Oak Olive Pine Plum Poplar Rowan Sorrel Thorn Walnut Willow Yew"
)
_SECOND_WORDS = (
    "Avenue Close Court Crescent Drive Gardens Grove Hill Lane Mews Park Place Rise Road Row Square "
    "Street Terrace Walk Way"
)
_KINDS = ("Supermarket", "Parking Area", "Petrol Station", "Park/Open Space", "Nightclub", "Shopping Area")


@dataclass(frozen=True)
class Borough:
    """A borough: ``weight`` is its share of London's crime, ``spread`` its reach in degrees."""

    code: str
    name: str
    lsoa_count: int
    longitude: float
    latitude: float
    spread: float
    weight: float


@dataclass(frozen=True)
class Ward:
    """A ward. ``lookup_name`` is how the look-ups spell it, ``name`` how the police figures do."""

    code: str
    name: str
    lookup_name: str
    borough: int


@dataclass(frozen=True)
class London:
    """The simulated London.

    ``lsoas`` has a row an LSOA: lsoa_code, lsoa_name, msoa_code, msoa_name, borough (index), ward (index).
    ``points`` has a row a published point: longitude, latitude, location, lsoa_code, lsoa_name, as they are
    printed; after London's come the points outside and, last, the one without a place. ``first_lsoa`` gives the
    first LSOA of each borough and, as its last value, their number.
    """

    boroughs: list[Borough]
    wards: list[Ward]
    lsoas: pl.DataFrame
    points: pl.DataFrame
    first_lsoa: npt.NDArray[np.int64]

    @property
    def lsoa_count(self) -> int:
        """Number of LSOAs in London."""
        return self.lsoas.height

    @property
    def outside_points(self) -> range:
        """Points that lie outside London."""
        return range(self.lsoa_count * POINTS_PER_LSOA, self.points.height - 1)

    @property
    def no_point(self) -> int:
        """The point without a place."""
        return self.points.height - 1


def read_seed(name: str) -> list[dict[str, str]]:
    """Read one of the package's seed files, a row a dictionary."""
    text = files("saferkc.simulation").joinpath("seeds", name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


@lru_cache(maxsize=1)
def london() -> London:
    """Build the simulated London; the same at every call, whatever the seed of the deliveries."""
    boroughs = [
        Borough(
            row["code"],
            row["name"],
            int(row["lsoa_count"]),
            float(row["longitude"]),
            float(row["latitude"]),
            float(row["spread"]),
            float(row["weight"]),
        )
        for row in read_seed("boroughs.csv")
    ]
    first_lsoa = np.concatenate([[0], np.cumsum([b.lsoa_count for b in boroughs])])
    wards = _wards(boroughs)
    lsoas = _lsoas(boroughs, wards)
    return London(boroughs, wards, lsoas, _points(boroughs, lsoas), first_lsoa)


def _wards(boroughs: list[Borough]) -> list[Ward]:
    wards = []
    for index, borough in enumerate(boroughs):
        if borough.name == HOME_BOROUGH:
            wards += [Ward(r["code"], r["name"], r["lookup_name"], index) for r in read_seed("wards.csv")]
            continue
        for number in range(1 if borough.name == CITY else _OTHER_WARDS_PER_BOROUGH):
            name = f"{borough.name} {('North', 'South')[number]}"
            wards.append(Ward(f"E05{900001 + len(wards)}", name, name, index))
    return wards


def _lsoas(boroughs: list[Borough], wards: list[Ward]) -> pl.DataFrame:
    rows: list[tuple[str, str, str, str, int, int]] = []
    msoa = 900000
    for index, borough in enumerate(boroughs):
        own = [number for number, ward in enumerate(wards) if ward.borough == index]
        for number in range(borough.lsoa_count):
            if number % _LSOAS_PER_MSOA == 0:
                msoa += 1
            msoa_name = f"{borough.name} {number // _LSOAS_PER_MSOA + 1:03d}"
            rows.append(
                (
                    f"E01{900001 + len(rows)}",
                    f"{msoa_name}{'ABCDE'[number % _LSOAS_PER_MSOA]}",
                    f"E02{msoa}",
                    msoa_name,
                    index,
                    own[number * len(own) // borough.lsoa_count],
                )
            )
    names = ["lsoa_code", "lsoa_name", "msoa_code", "msoa_name", "borough", "ward"]
    return pl.DataFrame(rows, schema=names, orient="row")


def _points(boroughs: list[Borough], lsoas: pl.DataFrame) -> pl.DataFrame:
    chance = generator(0, "points")
    count = lsoas.height * POINTS_PER_LSOA
    lsoa = np.repeat(np.arange(lsoas.height), POINTS_PER_LSOA)
    borough = lsoas["borough"].to_numpy()[lsoa]
    middle = np.array([(b.longitude, b.latitude, b.spread) for b in boroughs])[borough]
    # an LSOA's points lie together; a degree of longitude is shorter than one of latitude here
    hub = chance.uniform(-1, 1, (lsoas.height, 2))[lsoa] + chance.normal(0, 0.05, (count, 2))
    longitude = middle[:, 0] + hub[:, 0] * middle[:, 2]
    latitude = middle[:, 1] + hub[:, 1] * middle[:, 2] * 0.62
    first, second = _FIRST_WORDS.split(), _SECOND_WORDS.split()
    streets = [f"On or near {a} {b}" for a in first for b in second] + [f"On or near {kind}" for kind in _KINDS]
    location = [streets[i] for i in chance.integers(0, len(streets), count)]
    inside = pl.DataFrame(
        {
            "longitude": [f"{value:.6f}" for value in longitude],
            "latitude": [f"{value:.6f}" for value in latitude],
            "location": location,
            "lsoa_code": lsoas["lsoa_code"].gather(lsoa),
            "lsoa_name": lsoas["lsoa_name"].gather(lsoa),
        }
    )
    outside = pl.DataFrame(
        [
            (f"{lon:.6f}", f"{lat:.6f}", "On or near Alder Road", f"E01{990001 + i}", f"{name} 001A")
            for i, (name, lon, lat) in enumerate(_OUTSIDE)
        ],
        schema=inside.columns,
        orient="row",
    )
    nowhere = pl.DataFrame([(None, None, "No Location", None, None)], schema=inside.schema, orient="row")
    return pl.concat([inside, outside, nowhere])
