"""The Angelou Partnership's workbook: every referral since the service began, typed and kept by people.

The service covers three boroughs. Days are real dates in most rows and typed in others; above the table stands a
title in merged cells, below it a total, and the workbook has a second sheet.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from saferkc.simulation.agencies import errors
from saferkc.simulation.agencies.sheets import Cell, Sheet, workbook
from saferkc.simulation.agencies.versions import SEEN, Feed, stacked
from saferkc.simulation.world import people
from saferkc.simulation.world.places import borough
from saferkc.simulation.world.services import ANGELOU_FROM, EXPLOITATION, referrals

_COVERED = ("Kensington and Chelsea", "Hammersmith and Fulham", "Westminster")
_TYPED = ("%d/%m/%Y", "%d.%m.%Y", "%d %B %Y", "%d-%b-%Y")


def referral_states(seed: int, year: int, block: int, scale: float) -> pl.DataFrame:
    """Referrals as the workbook showed them; ``Date of Referral`` and its like are dates here."""
    # the two other boroughs of the service have half as many; the rest of London has other services
    others = [(other, scale / 2) for other in range(1, 33) if borough(other).name in _COVERED]
    covered = [(0, scale), *others] if block == 0 else []
    frames = [_rows(referrals(seed, year, number, size)) for number, size in covered]
    frames = frames or [_rows(referrals(seed, year, 0, scale)).clear()]
    return stacked(*frames)


def _rows(made: pl.DataFrame) -> pl.DataFrame:
    number = made["referral"].to_numpy()
    block = int(made["block"][0]) if made.height else 0
    here = borough(block)
    who = people.person_frame(made["person"].to_numpy())
    age = (
        pl.Series(people.ages_on(made["person"].to_numpy(), made["referred_on"].to_numpy()))
        if made.height
        else pl.Series([], dtype=pl.Int64)
    )
    wards = here.ward_names[made["ward"].to_numpy()].tolist() if made.height else []
    year = made["referred_on"].dt.year() - (made["referred_on"].dt.month() < 4).cast(pl.Int32)
    # the plan counts men and the exploited as supported, so all of them are
    exploited = made["strands"].list.eval(pl.element().is_in(EXPLOITATION)).list.any()
    always = exploited.fill_null(False) | (who["sex"] == "Male")
    rows = pl.DataFrame(
        {
            "Referral No": "ANG-"
            + (year % 100).cast(pl.String).str.zfill(2)
            + pl.Series(block * 1500 + number % 100_000).cast(pl.String).str.zfill(5),
            "Date of Referral": made["referred_on"],
            "Type(s) of Abuse": made["strands"].list.join("; "),
            "Source of Referral": made["source"],
            "Repeat Referral": pl.select(
                pl.when(made["is_repeat"]).then(pl.lit("Yes")).otherwise(pl.lit("No"))
            ).to_series(),
            "Borough": pl.repeat(here.name, made.height, dtype=pl.String, eager=True),
            "Ward": pl.Series(wards, dtype=pl.String),
            "Age": age,
            "Gender": who["sex"],
            "Support Started": pl.select(
                pl.when((errors.chance(number, 21) < 0.8) | always).then(made["referred_on"] + pl.duration(days=7))
            ).to_series(),
            "Client First Name": errors.name(who["forename"], number, 22),
            "Client Surname": errors.name(who["surname"], number, 23),
            "Date of Birth": who["born_on"],
            "@number": number,
            SEEN: made["entered_on"],
        }
    )
    changed = made["changed_on"].is_not_null()
    before = rows.with_columns(
        pl.when(changed).then(pl.lit("Other")).otherwise("Source of Referral").alias("Source of Referral"),
        pl.when(changed).then(None).otherwise("Support Started").alias("Support Started"),
    )
    return stacked(before, rows.with_columns(made["changed_on"].alias(SEEN)).filter(changed))


FEED = Feed("angelou_referrals", "angelou", ("Referral No",), referral_states, since=ANGELOU_FROM)


def write(standing: pl.DataFrame, day: date) -> bytes:
    """Return the workbook of ``day`` with these referrals."""
    frame = standing.filter(pl.col("Date of Referral") <= day).with_columns(
        pl.when(pl.col("Support Started") <= day).then("Support Started").alias("Support Started")
    )
    headings = [heading for heading in frame.columns if not heading.startswith("@")]
    number = frame["@number"].to_numpy()
    columns = [
        typed_dates(frame[heading], number, 30 + place) if frame[heading].dtype == pl.Date else frame[heading].to_list()
        for place, heading in enumerate(headings)
    ]
    rows: list[list[Cell]] = [
        ["Angelou Partnership: referrals (simulated)"],
        [f"As at {day:%d/%m/%Y}"],
        [],
        list(headings),
        *[list(row) for row in zip(*columns, strict=True)],
        [],
        ["Total", frame.height],
    ]
    lists: list[list[Cell]] = [["Source"], ["Self"], ["Police"], ["MARAC"]]
    return workbook([Sheet("Referrals", rows, ("A1:F1", "A2:F2")), Sheet("Lists", lists)], stamp=day)


def typed_dates(days: pl.Series, number: np.typing.NDArray[np.int64], field: int) -> list[Cell]:
    """Days as people enter them: four in five as real dates, the others as text in one of several ways."""
    way = (errors.chance(number, field) * 20).floor().cast(pl.Int64).to_list()
    ways = dict(enumerate(_TYPED))
    return [
        day if day is None or kind not in ways else day.strftime(ways[kind])
        for day, kind in zip(days.to_list(), way, strict=True)
    ]
