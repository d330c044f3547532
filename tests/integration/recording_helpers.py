"""Recorded crime of 32 boroughs as the Metropolitan Police would send it, with a change in it."""

from __future__ import annotations

from datetime import date

import numpy as np
from loading_helpers import BOROUGHS, RECORDED, WIDE_HEADING, Delivery, csv_of, deliver, month_after
from saferkc.settings import Settings
from saferkc.warehouse.connection import connect, fetch_all

FIRST = date(2013, 1, 1)
NEW_NAME_FROM = 40
NEW_NAME_MONTH = date(2016, 5, 1)
OLD, NEW = "Burglary in a Dwelling", "Burglary - Residential"
_CLASSES = (
    ("Burglary", OLD, 40),
    ("Burglary", "Burglary in Other Buildings", 25),
    ("Robbery", "Personal Property", 30),
    ("Robbery", "Business Property", 12),
)


def recorded_crime(
    months: int, *, new_name_from: int | None = NEW_NAME_FROM, newest: float = 1.0, moved_from: int | None = None
) -> bytes:
    """A file of so many months from January 2013.

    From month number ``new_name_from`` on dwellings have another name, from ``moved_from`` on a third of the other
    buildings counts as dwellings, and of the newest month the share ``newest`` has come. A month's figures are the same
    in every file.
    """
    chance = np.random.default_rng(5)
    figures = chance.poisson([mean for *_, mean in _CLASSES], (months, len(BOROUGHS), len(_CLASSES)))
    if moved_from is not None:
        moved = np.round(figures[moved_from:, :, 1] / 3).astype(int)
        figures[moved_from:, :, 0] += moved
        figures[moved_from:, :, 1] -= moved
    figures[-1] = np.round(figures[-1] * newest)
    heading = ",".join([WIDE_HEADING, *(f"{month_after(FIRST, n):%Y%m}" for n in range(months))])
    lines = []
    for area, borough in enumerate(BOROUGHS):
        for number, (major, minor, _) in enumerate(_CLASSES):
            series = figures[:, area, number]
            renamed = months if new_name_from is None or minor != OLD else min(new_name_from, months)
            under_old = [*series[:renamed], *[0] * (months - renamed)]
            lines.append(",".join([borough, major, minor, *map(str, under_old)]))
            if renamed < months:
                under_new = [*[0] * renamed, *series[renamed:]]
                lines.append(",".join([borough, major, NEW, *map(str, under_new)]))
    return csv_of(heading, lines)


def deliver_crime(settings: Settings, months: int, **changes: float | None) -> Delivery:
    """Deliver that file; it must be admitted."""
    name = f"simulated_borough_level_crime_{FIRST:%Y%m}_{month_after(FIRST, months - 1):%Y%m}.csv"
    delivery = deliver(settings, RECORDED, name, recorded_crime(months, **changes), "mps")  # type: ignore[arg-type]
    assert delivery.state == "admitted", delivery.reason
    return delivery


def kept_changes(settings: Settings) -> list[dict[str, object]]:
    """The ledger of changes, in the order in which they were found."""
    with connect(settings) as connection:
        return fetch_all(connection, "select * from quality.recording_change order by change_id")
