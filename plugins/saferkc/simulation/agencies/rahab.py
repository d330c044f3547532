"""Rahab's workbook of a month: every period of support so far, typed by hand."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from saferkc.simulation.agencies import errors
from saferkc.simulation.agencies.angelou import typed_dates
from saferkc.simulation.agencies.sheets import Cell, Sheet, workbook
from saferkc.simulation.agencies.versions import SEEN, Feed, stacked
from saferkc.simulation.world import people
from saferkc.simulation.world.services import RAHAB_FROM, clients

_BANDS = {18: "Under 18", 25: "18-24", 35: "25-34", 45: "35-44", 55: "45-54", 200: "55+"}


def client_states(seed: int, year: int, block: int, scale: float) -> pl.DataFrame:
    """Periods of support by the day on which they began; ends are shown once they are over."""
    periods = clients(seed, year, block, scale)
    number = periods["client"].to_numpy()
    who = people.person_frame(periods["person"].to_numpy())
    age = pl.Series(people.ages_on(periods["person"].to_numpy(), periods["from_on"].to_numpy()))
    band = pl.lit("Not known")
    for limit, name in reversed(_BANDS.items()):
        band = pl.when(age < limit).then(pl.lit(name)).otherwise(band)
    return stacked(
        pl.DataFrame(
            {
                "Client Ref": "R"
                + pl.Series(year % 100 * 10_000 + block * 180 + number % 10_000).cast(pl.String).str.zfill(6),
                "Client Name": errors.name(who["forename"] + " " + who["surname"], number, 24),
                "D.O.B.": who["born_on"],
                "Gender": who["sex"],
                "Age Band": pl.select(band).to_series(),
                "Need(s)": periods["needs"].list.join("; "),
                "Support From": periods["from_on"],
                "Support To": periods["to_on"],
                "@number": number,
                SEEN: periods["from_on"],
            }
        )
    )


FEED = Feed("rahab_clients", "rahab", ("Client Ref", "Support From"), client_states, since=RAHAB_FROM)


def write(standing: pl.DataFrame, month: date) -> bytes:
    """Return the workbook of ``month`` (its first day) with the periods that began before its end."""
    last = (month + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    frame = standing.filter(pl.col("Support From") <= last)
    headings = [heading for heading in frame.columns if not heading.startswith("@")]
    number = frame["@number"].to_numpy()
    columns: list[list[Cell]] = []
    for place, heading in enumerate(headings):
        if heading == "Support To":
            days = frame[heading].to_list()
            columns.append([day if day <= last else "ongoing" for day in days])
        elif frame[heading].dtype == pl.Date:
            columns.append(typed_dates(frame[heading], number, 50 + place))
        else:
            columns.append(frame[heading].to_list())
    rows: list[list[Cell]] = [
        ["Rahab: people supported (simulated)", None, None, f"{month:%B %Y}"],
        [],
        list(headings),
        *[list(row) for row in zip(*columns, strict=True)],
        ["TOTAL", frame["Client Ref"].n_unique()],
    ]
    summary: list[list[Cell]] = [["Periods of support", frame.height]]
    return workbook([Sheet("Summary", summary), Sheet("Clients", rows, ("A1:C1",))], stamp=last)
