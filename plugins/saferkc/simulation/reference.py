"""Look-ups of the simulated London, in the layouts of the Office for National Statistics and of the ministry."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from saferkc.simulation.chance import generator
from saferkc.simulation.places import HOME_BOROUGH, london

_ENGLAND_LSOAS = 32_844
_FIRST_LOOKUP_YEAR = 2015
# the plan's figure of 2015: LSOAs of the borough among the most deprived tenth of England
_HOME_MOST_DEPRIVED = 11
_AGES = {"0-15": 0.19, "16-29": 0.21, "30-44": 0.26, "45-64": 0.22, "65+": 0.12}

Row = list[str | int]


@dataclass(frozen=True)
class ReferenceFile:
    """One file to be written, with the feed that takes it."""

    feed: str
    name: str
    write: Callable[[Path], None]


def reference_files(seed: int, first: date, last: date) -> list[ReferenceFile]:
    """The look-ups that cover ``first`` to ``last``: wards of each year, and what does not change with time."""
    years = range(max(first.year, _FIRST_LOOKUP_YEAR), max(last.year, _FIRST_LOOKUP_YEAR) + 1)
    wards = [
        ReferenceFile("reference_lsoa_ward", f"simulated_lsoa11_to_ward{year}.csv", _ward_lookup(year))
        for year in years
    ]
    return [
        *wards,
        ReferenceFile("reference_lsoa_2001_2011", "simulated_lsoa01_to_lsoa11.csv", _lsoa_2001_2011),
        ReferenceFile("reference_lsoa_population", "simulated_lsoa_population_mid2019.csv", _population(seed)),
        ReferenceFile("reference_deprivation", "simulated_imd2015.csv", _deprivation_2015(seed)),
        ReferenceFile("reference_deprivation", "simulated_imd2019.csv", _deprivation_2019(seed)),
    ]


def _ward_lookup(year: int) -> Callable[[Path], None]:
    short = year % 100

    def write(path: Path) -> None:
        place = london()
        rows = (
            [code, name, ward.code, ward.lookup_name, "", borough.code, borough.name, number]
            for number, (code, name, ward, borough) in enumerate(
                (
                    (row["lsoa_code"], row["lsoa_name"], place.wards[row["ward"]], place.boroughs[row["borough"]])
                    for row in place.lsoas.iter_rows(named=True)
                ),
                start=1,
            )
        )
        headings = ["LSOA11CD", "LSOA11NM", f"WD{short}CD", f"WD{short}NM", f"WD{short}NMW"]
        _write(path, [*headings, f"LAD{short}CD", f"LAD{short}NM", "FID"], rows)

    return write


def _lsoa_2001_2011(path: Path) -> None:
    place = london()

    def rows() -> Iterable[Row]:
        for number, row in enumerate(place.lsoas.iter_rows(named=True), start=1):
            borough = place.boroughs[row["borough"]]
            # every hundredth LSOA of 2011 was split off the one before it
            split = number % 100 == 0
            old = place.lsoas.row(number - 2 if split else number - 1, named=True)
            kind = "S" if split or (number + 1) % 100 == 0 else "U"
            start: Row = [old["lsoa_code"], old["lsoa_name"], row["lsoa_code"], row["lsoa_name"]]
            yield [*start, kind, borough.code, borough.name, "", number]

    headings = ["LSOA01CD", "LSOA01NM", "LSOA11CD", "LSOA11NM", "CHGIND", "LAD11CD", "LAD11NM", "LAD11NMW", "FID"]
    _write(path, headings, rows())


def _population(seed: int) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        place = london()
        chance = generator(seed, "population")
        total = chance.lognormal(np.log(1750), 0.2, place.lsoa_count).astype(np.int64)
        ages = chance.multinomial(total, list(_AGES.values()))
        males = chance.binomial(ages, 0.5)
        females = ages - males

        def rows() -> Iterable[Row]:
            for number, row in enumerate(place.lsoas.iter_rows(named=True)):
                borough = place.boroughs[row["borough"]]
                start: Row = [row["lsoa_code"], row["lsoa_name"], row["msoa_code"], row["msoa_name"]]
                cells = [
                    value
                    for group in (ages, males, females)
                    for value in (int(group[number].sum()), *group[number].tolist())
                ]
                yield [*start, borough.code, borough.name, *cells]

        bands = ["All-Ages", *_AGES]
        people = [f"{group}_{band}" for group in ("Persons", "Males", "Females") for band in bands]
        _write(path, ["LSOA11CD", "LSOA11NM", "MSOA11CD", "MSOA11NM", "LAD11CD", "LAD11NM", *people], rows())

    return write


def _ranks(seed: int, year: int) -> list[int]:
    """A rank for each LSOA, no two the same; much the same order in both editions."""
    count = london().lsoa_count
    lasting = generator(seed, "deprivation").normal(0, 1, count)
    score = lasting + generator(seed, "deprivation", year).normal(0, 0.2, count)
    places = np.sort(generator(seed, "ranks", year).choice(_ENGLAND_LSOAS, count, replace=False)) + 1
    ranks = np.empty(count, dtype=np.int64)
    ranks[np.argsort(score)] = places
    return [int(rank) for rank in ranks]


def _with_home_as_in_the_plan(ranks: list[int]) -> list[int]:
    """Swap ranks between the borough and elsewhere until the plan's number of LSOAs is in the most deprived tenth.

    Those whose rank lies nearest to the tenth's edge are swapped, so the order within the borough stays.
    """
    ranks = list(ranks)
    place = london()
    home = {n for n, borough in enumerate(place.lsoas["borough"]) if place.boroughs[borough].name == HOME_BOROUGH}
    edge = _ENGLAND_LSOAS // 10
    while (within := sum(ranks[number] <= edge for number in home)) != _HOME_MOST_DEPRIVED:
        too_many = within > _HOME_MOST_DEPRIVED
        ours = min((n for n in home if (ranks[n] <= edge) == too_many), key=lambda n: abs(ranks[n] - edge))
        others = (n for n in range(len(ranks)) if n not in home and (ranks[n] <= edge) != too_many)
        theirs = min(others, key=lambda n: abs(ranks[n] - edge))
        ranks[ours], ranks[theirs] = ranks[theirs], ranks[ours]
    return ranks


def _deprivation_2015(seed: int) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        place = london()
        ranks = _with_home_as_in_the_plan(_ranks(seed, 2015))
        rows = (
            [
                row["lsoa_code"],
                row["lsoa_name"],
                place.boroughs[row["borough"]].code,
                place.boroughs[row["borough"]].name,
                f"{rank:,}".replace(",", "."),
                (rank - 1) * 10 // _ENGLAND_LSOAS + 1,
                rank,
            ]
            for row, rank in zip(place.lsoas.iter_rows(named=True), ranks, strict=True)
        )
        headings = [
            "LSOA code (2011)",
            "LSOA name (2011)",
            "Local Authority District code (2013)",
            "Local Authority District name (2013)",
            "Index of Multiple Deprivation (IMD) Rank (where 1 is most deprived)",
            "Index of Multiple Deprivation (IMD) Decile (where 1 is most deprived 10% of LSOAs)",
            "var ",
        ]
        _write(path, headings, rows, delimiter=";")

    return write


def _deprivation_2019(seed: int) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        place = london()
        rows = (
            [
                row["lsoa_code"],
                row["lsoa_name"],
                place.boroughs[row["borough"]].code,
                place.boroughs[row["borough"]].name,
                rank,
                number,
            ]
            for number, (row, rank) in enumerate(
                zip(place.lsoas.iter_rows(named=True), _ranks(seed, 2019), strict=True), start=1
            )
        )
        _write(path, ["LSOA11CD", "LSOA11NM", "LAD19CD", "LAD19NM", "IMD19", "FID"], rows)

    return write


def _write(path: Path, headings: list[str], rows: Iterable[Row], delimiter: str = ",") -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, delimiter=delimiter, lineterminator="\r\n")
        writer.writerow(headings)
        writer.writerows(rows)
