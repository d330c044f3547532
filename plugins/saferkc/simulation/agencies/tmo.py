"""The Tenant Management Organisation's text of a night: every case that is open or was closed that day."""

from __future__ import annotations

from datetime import date

import polars as pl

from saferkc.simulation.agencies import errors
from saferkc.simulation.agencies.versions import SEEN, Feed, stacked
from saferkc.simulation.world import people, places
from saferkc.simulation.world.enforcement import cases

_STAGES = (
    ("opened_on", "Reported"),
    ("assessed_on", "Assessed"),
    ("action_on", "Action taken"),
    ("monitoring_on", "Monitoring"),
    ("closed_on", "Closed"),
)
_DATES = {
    "DATE_OPENED": "opened_on", "DATE_ASSESSED": "assessed_on", "DATE_ACTION": "action_on",
    "DATE_MONITORING": "monitoring_on", "DATE_CLOSED": "closed_on",
}  # fmt: skip


def case_states(seed: int, year: int, block: int, scale: float) -> pl.DataFrame:
    """Cases, a state for each stage that they came to; what was raised in error is withdrawn when it would close."""
    found = cases(seed, year, block, scale)
    number = found["case"].to_numpy()
    here = places.borough(block)
    ward, uprn = found["ward"].to_numpy(), found["uprn"].to_numpy()
    names = {}
    for role, field in (("complainant", 25), ("subject", 27)):
        who = people.person_frame(found[role].to_numpy())
        names[f"{role.upper()}_NAME"] = errors.name(who["forename"] + " " + who["surname"], number, field)
        names[f"{role.upper()}_DOB"] = errors.born(who["born_on"], number, field + 1)
    rows = pl.DataFrame(
        {
            "CASE_REF": f"ASB/{year}/" + pl.Series(block * 2000 + number % 100_000).cast(pl.String).str.zfill(6),
            "CATEGORY": found["categories"].list.join(","),
            "PRIORITY": found["priority"],
            "ESTATE": found["estate"],
            "WARD_CODE": pl.Series(here.ward_codes[ward].tolist(), dtype=pl.String),
            "WARD": pl.Series(here.ward_names[ward].tolist(), dtype=pl.String),
            "UPRN": errors.unless(pl.Series(uprn).cast(pl.String), errors.chance(number, 29) < errors.UPRN_MISSING),
            "HOUSE_REF": "H" + pl.Series(uprn % 10_000_000).cast(pl.String).str.zfill(7),
            **names,
            "COMPLAINANT_VULNERABLE": pl.select(
                pl.when(found["is_vulnerable"]).then(pl.lit("Y")).otherwise(pl.lit("N"))
            ).to_series(),
        }
    )
    states = []
    for column, stage in _STAGES:
        reached = found[column]
        is_last = stage == "Closed"
        words = pl.select(
            pl.when(found["is_error"]).then(pl.lit("Raised in error")).otherwise(pl.lit(stage))
            if is_last
            else pl.repeat(stage, found.height)
        ).to_series()
        dates = {
            heading: errors.unless(
                found[of].dt.strftime("%d/%m/%Y"),
                (found[of] > reached).fill_null(True) | (is_last & found["is_error"] & (of == "closed_on")),
            )
            for heading, of in _DATES.items()
        }
        reason = found["closing_reason"] if is_last else pl.repeat(None, found.height, dtype=pl.String, eager=True)
        states.append(
            rows.with_columns(
                words.alias("STAGE"),
                *[values.alias(heading) for heading, values in dates.items()],
                errors.unless(reason, found["is_error"]).alias("CLOSE_REASON"),
                reached.alias(SEEN),
            ).filter(reached.is_not_null())
        )
    return stacked(*states)


FEED = Feed("tmo_asb_cases", "tmo", ("CASE_REF",), case_states, years_back=2)


def of_night(standing: pl.DataFrame, day: date) -> pl.DataFrame:
    """What the text of ``day`` holds: the open cases, and those that were closed on the day."""
    return standing.filter(~pl.col("STAGE").is_in(["Closed", "Raised in error"]) | (pl.col(SEEN) == day))
