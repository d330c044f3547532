"""The Metropolitan Police's files on the London Datastore: wide, a column a month.

As in the real ones a combination without any offence in a file is absent, labels change at the boundary between
two files and not at the rule's date, and the newest month is short of what later files say of it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from saferkc.simulation.chance import generator, months_between, months_later
from saferkc.simulation.offences import expected, offences
from saferkc.simulation.places import CITY, london, read_seed

NEW_LABELS = date(2017, 1, 1)
HOME_OFFICE_LABELS = date(2019, 3, 1)
WARD_FILES_BEGIN = date(2017, 3, 1)
WINDOW_MONTHS = 24
_AIRPORTS = {2017: "London Heathrow and London City Airports", 2019: "Aviation Security (SO18)"}
_AIRPORTS_IN_OTHER = "Aviation Security(SO18)"
_AIRPORT_SHARE = 0.004
_LATEST_MONTH_COMPLETE = 0.98
_UNPLACED_SHARE = 0.02

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class WideFile:
    """One file to be written: what it is about and its months."""

    kind: str
    months: list[date]

    @property
    def name(self) -> str:
        """The file's name, in the publisher's shape."""
        span = f"{self.months[0]:%Y%m}_{self.months[-1]:%Y%m}"
        stem = "other_crime_borough_level" if self.kind == "other" else f"{self.kind}_level_crime"
        return f"simulated_{stem}_{span}.csv"


def recorded_crime_files(first: date, last: date) -> list[WideFile]:
    """The borough and ward files that stand on the publisher's page at the end of ``last``."""
    window = months_later(last, 1 - WINDOW_MONTHS)
    starts = sorted({first, *(day for day in (NEW_LABELS, HOME_OFFICE_LABELS, window) if first < day <= last)})
    ends = [*(months_later(start, -1) for start in starts[1:]), last]
    files = [WideFile("borough", months_between(start, end)) for start, end in zip(starts, ends, strict=True)]
    ward_start = max(first, window, WARD_FILES_BEGIN if last >= WARD_FILES_BEGIN else first)
    return [*files, WideFile("ward", months_between(ward_start, last))]


def other_crime_file(first: date, last: date) -> WideFile:
    """The one file of hate crime, domestic abuse, knives and guns."""
    return WideFile("other", months_between(first, last))


def write(seed: int, file: WideFile, latest: date, path: Path) -> None:
    """Write one file to ``path``; ``latest`` is the newest month known when it was made."""
    headings, lines = {"borough": _borough, "ward": _ward, "other": _other}[file.kind](seed, file, latest)
    # the publisher's borough files end their lines in one way, the ward files in another
    ending = "\n" if file.kind == "ward" else "\r\n"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator=ending)
        writer.writerow([*headings, *(f"{month:%Y%m}" for month in file.months)])
        writer.writerows(lines)


def labels_of(file: WideFile) -> int:
    """The generation of labels of a file: that of its first month, or for wards always the newest."""
    if file.kind == "ward" or file.months[0] >= HOME_OFFICE_LABELS:
        return 2019
    return 2017 if file.months[0] >= NEW_LABELS else 2008


@lru_cache(maxsize=512)
def borough_counts(seed: int, month: date) -> Counts:
    """Offences of a month by borough (rows; the last is the airports) and offence (columns)."""
    figures = expected(seed, month)
    airports = figures.sum(axis=0, keepdims=True) * _AIRPORT_SHARE
    return generator(seed, "recorded crime", month.year, month.month).poisson(np.vstack([figures, airports]))


def _known(seed: int, counts: Counts, month: date, latest: date) -> Counts:
    """What is known of the counts when ``latest`` is the newest month."""
    if month < latest:
        return counts
    return generator(seed, "late records", month.year, month.month).binomial(counts, _LATEST_MONTH_COMPLETE)


def _grouped(labels: list[tuple[str, str]], counts: Counts) -> tuple[list[tuple[str, str]], Counts]:
    """Add up the offences (last axis) that carry the same label."""
    unique = sorted(set(labels))
    total = np.zeros((*counts.shape[:-1], len(unique)), dtype=np.int64)
    for number, label in enumerate(labels):
        total[..., unique.index(label)] += counts[..., number]
    return unique, total


def _borough(seed: int, file: WideFile, latest: date) -> tuple[list[str], Iterator[list[str | int]]]:
    generation = labels_of(file)
    counts = np.stack([_known(seed, borough_counts(seed, month), month, latest) for month in file.months])
    labels, total = _grouped([o.labels[generation] for o in offences()], counts)
    names = [b.name for b in london().boroughs] + [_AIRPORTS.get(generation, "")]
    # the City has a police of its own, and the oldest files leave the airports out
    shown = sorted((name, place) for place, name in enumerate(names) if name and name != CITY)

    def lines() -> Iterator[list[str | int]]:
        for name, place in shown:
            for number, (major, minor) in enumerate(labels):
                cells = total[:, place, number]
                if cells.any():
                    start = [major, minor, name] if generation == 2019 else [name, major, minor]
                    yield [*start, *cells.tolist()]

    if generation == 2019:
        return ["MajorText", "MinorText", "LookUp_BoroughName"], lines()
    return ["Borough", "Major Category", "Minor Category"], lines()


def _ward(seed: int, file: WideFile, latest: date) -> tuple[list[str], Iterator[list[str | int]]]:
    place = london()
    labels = [o.labels[2019] for o in offences()]
    by_borough = [[n for n, ward in enumerate(place.wards) if ward.borough == b] for b in range(len(place.boroughs))]
    months = []
    for month in file.months:
        counts = np.zeros((len(place.wards), len(labels)), dtype=np.int64)
        known = _known(seed, borough_counts(seed, month), month, latest)
        for borough, own in enumerate(by_borough):
            # a fixed weight a ward; what has no place in a ward is in the borough's figure only
            weight = generator(seed, "ward weights", borough).uniform(0.5, 1.5, len(own))
            shares = np.append(weight / weight.sum() * (1 - _UNPLACED_SHARE), _UNPLACED_SHARE)
            chance = generator(seed, "wards", month.year, month.month, borough)
            counts[own] = chance.multinomial(known[borough], shares).T[:-1]
        months.append(counts)
    unique, total = _grouped(labels, np.stack(months))

    def lines() -> Iterator[list[str | int]]:
        for number, ward in enumerate(place.wards):
            borough = place.boroughs[ward.borough].name
            if borough == CITY:
                continue
            for label, (major, minor) in enumerate(unique):
                cells = total[:, number, label]
                if cells.any():
                    yield [major, minor, ward.name, ward.code, borough, *cells.tolist()]

    return ["MajorText", "MinorText", "WardName", "WardCode", "LookUp_BoroughName"], lines()


def _other(seed: int, file: WideFile, latest: date) -> tuple[list[str], Iterator[list[str | int]]]:
    flags = read_seed("other_crime.csv")
    volume = np.array([float(row["london_monthly"]) for row in flags])
    weight = np.array([b.weight for b in london().boroughs] + [_AIRPORT_SHARE * 900])
    figures = np.outer(weight / weight.sum(), volume)
    counts = np.stack(
        [_known(seed, generator(seed, "other crime", m.year, m.month).poisson(figures), m, latest) for m in file.months]
    )
    names = [b.name for b in london().boroughs] + [_AIRPORTS_IN_OTHER]
    shown = sorted((name, place) for place, name in enumerate(names) if name != CITY)

    def lines() -> Iterator[list[str | int]]:
        for number, flag in enumerate(flags):
            for name, place in shown:
                cells = counts[:, place, number]
                if cells.any():
                    yield [name, flag["major"], flag["minor"], *cells.tolist()]

    return ["Borough", "MajorText", "MinorText"], lines()
