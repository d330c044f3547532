"""Where things happen: wards, LSOAs, and premises with property reference, address and postcode.

Premises have property references from 999000000000 and postcodes of the area QX, which no publisher uses.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt
import polars as pl

from saferkc.simulation.places import london
from saferkc.simulation.world.people import below, home_borough
from saferkc.simulation.world.quotas import Ints, text

PREMISES_PER_LSOA = 1000
_FIRST_UPRN = 999_000_000_000
_STREETS = [
    "Larkspur",
    "Peregrine",
    "Marigold",
    "Foxglove",
    "Tamarisk",
    "Bellwether",
    "Harlequin",
    "Sundial",
    "Lodestar",
    "Quicksilver",
]
_WAYS = ["Road", "Street", "Gardens", "Mews", "Terrace", "Square", "Court", "Walk"]
ESTATES = ["Larkspur", "Tamarisk", "Bellwether", "Harlequin", "Sundial", "Lodestar"]
# premises that are named: hospitals, and what lies at numbers from 0 of their LSOA
HOSPITALS = {"St Charles Hospital": "Dalgarno", "Chelsea and Westminster Hospital": "Stanley"}


def read_seed(name: str) -> list[dict[str, str]]:
    """Read one of the world's seed files, a row a dictionary."""
    content = files("saferkc.simulation.world").joinpath("seeds", name).read_text(encoding="utf-8")
    return list(csv.DictReader(content.splitlines()))


@dataclass(frozen=True)
class Borough:
    """A borough as the world needs it: its wards (names, codes) and, for each, its LSOAs (rows of London's)."""

    index: int
    name: str
    ward_names: npt.NDArray[np.object_]
    ward_codes: npt.NDArray[np.object_]
    lsoas: tuple[Ints, ...]

    def lsoa_in(self, chance: np.random.Generator, ward: Ints) -> Ints:
        """An LSOA of each ward, the first ones likelier than the last."""
        size = np.array([len(own) for own in self.lsoas])
        first = np.concatenate([[0], np.cumsum(size)[:-1]])
        every = np.concatenate(self.lsoas)
        place: Ints = every[first[ward] + (chance.random(len(ward)) ** 1.3 * size[ward]).astype(np.int64)]
        return place


@lru_cache(maxsize=64)
def borough(block: int) -> Borough:
    """The borough of a block of the world: the plan's is block 0, the rest of London follows it round and round."""
    boroughs = london().boroughs
    others = [i for i in range(len(boroughs)) if i != home_borough()]
    index = home_borough() if block == 0 else others[(block - 1) % len(others)]
    wards = [(number, ward) for number, ward in enumerate(london().wards) if ward.borough == index]
    lsoas = london().lsoas.with_row_index("row").select("row", "ward")
    return Borough(
        index,
        boroughs[index].name,
        np.array([ward.name for _, ward in wards], dtype=object),
        np.array([ward.code for _, ward in wards], dtype=object),
        tuple(lsoas.filter(ward=number)["row"].to_numpy().astype(np.int64) for number, _ in wards),
    )


@lru_cache(maxsize=1)
def ward_weights() -> dict[str, dict[str, float]]:
    """The wards of the plan's borough by name, and how many of what each had in 2016/17."""
    return {
        row["name"]: {key: float(value) for key, value in row.items() if key != "name"}
        for row in read_seed("wards.csv")
    }


def weights_of(here: Borough, what: str) -> list[float]:
    """Weight of each ward of the borough in ``what``; in other boroughs all wards weigh the same."""
    table = ward_weights()
    return [table[name][what] if name in table else 1.0 for name in here.ward_names]


def uprn(lsoa: Ints, number: Ints) -> Ints:
    """Property reference of premises ``number`` (from 0) of an LSOA."""
    return _FIRST_UPRN + lsoa * PREMISES_PER_LSOA + number


def lsoa_codes(lsoa: Ints) -> pl.Series:
    """Codes of LSOAs."""
    return london().lsoas["lsoa_code"].gather(lsoa)


def postcode_of(reference: Ints) -> pl.Series:
    """Postcode of premises; 25 share one."""
    number = (reference - _FIRST_UPRN) // 25
    letters = "ABDEFGHJLNPQRSTUWXYZ"
    unit = number % 400
    units = np.array([a + b for a in letters for b in letters], dtype=object)[unit]
    return pl.select(
        pl.lit("QX") + pl.Series(number // 4000 % 90 + 1).cast(pl.String) + " "
        + pl.Series(number // 400 % 10).cast(pl.String) + text(units)
    ).to_series()  # fmt: skip


def address_of(reference: Ints) -> pl.Series:
    """First line of the address of premises; five in six are flats."""
    street = np.array([f"{a} {b}" for a in _STREETS for b in _WAYS], dtype=object)
    house = below(reference, 31, 180) + 1
    flat = below(reference, 32, 6)
    lines = pl.select(
        pl.Series(house).cast(pl.String) + " "
        + text(street[below(reference // 60, 33, len(street))])
    ).to_series()  # fmt: skip
    return pl.select(
        pl.when(pl.Series(flat) > 0).then("Flat " + pl.Series(flat).cast(pl.String) + ", " + lines).otherwise(lines)
    ).to_series()
