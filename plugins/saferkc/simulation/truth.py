"""The truth behind the simulated deliveries: who is who, what really happened, which definition applied.

It lies beside the deliveries and outside of every inbox, so that tests can score against it and nothing loads it.
It has people's (invented) names in clear. Every file says that it is simulated.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import polars as pl

from saferkc.simulation.agencies.errors import RATES
from saferkc.simulation.world import people
from saferkc.simulation.world.clock import FIRST_YEAR, financial_year
from saferkc.simulation.world.enforcement import actions, cases
from saferkc.simulation.world.incidents import incidents
from saferkc.simulation.world.offences import MOVED_BUILDINGS, NEW_BURGLARY_RULE, offences
from saferkc.simulation.world.places import borough
from saferkc.simulation.world.roles import accused, victims
from saferkc.simulation.world.services import clients, referrals

_YEARS_KEPT = 2


def write_truth(
    folder: Path, seed: int, scale: float, day: date, blocks: Sequence[tuple[int, float]], feeds: Sequence[str]
) -> list[Path]:
    """Write the truth of the financial year of ``day`` and the one before into ``folder``; return the files.

    Earlier years can be had from ``truth_of`` at any time: they follow from the seed. The files are Parquet, named
    by what and year; ``simulated.json`` says what made them and which errors the agencies make, at which rates.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for year in range(max(FIRST_YEAR, financial_year(day) - _YEARS_KEPT + 1), financial_year(day) + 1):
        # the borough's own block: the others are alike, and follow from the seed as well
        block, size = blocks[0]
        for name, frame in truth_of(seed, year, block, size).items():
            path = folder / f"simulated_{name}_{year}.parquet"
            frame.write_parquet(path)
            paths.append(path)
    about = {
        "simulated": True, "seed": seed, "scale": scale, "last_night": f"{day}", "feeds": list(feeds),
        "errors_that_agencies_make": RATES,
    }  # fmt: skip
    path = folder / "simulated.json"
    path.write_text(json.dumps(about, indent=2) + "\n")
    return [*paths, path]


def truth_of(seed: int, year: int, block: int = 0, scale: float = 1.0) -> dict[str, pl.DataFrame]:
    """What is true of a financial year, by name: offences, victims, accused, people, incidents, referrals and so on.

    ``offences`` has the class of burglary by the rule before April 2017, by the rule after it, and which applied.
    ``people`` has a row for each person who appears, under the number by which the others mean them.
    """
    crimes = offences(seed, year, block, scale)
    residential_now = pl.col("building").is_in(["dwelling", *MOVED_BUILDINGS])
    applied = pl.when(pl.col("recorded_on") >= NEW_BURGLARY_RULE)
    is_burglary = pl.col("kind") == "burglary"
    crimes = crimes.with_columns(
        pl.when(is_burglary).then(pl.col("building") == "dwelling").alias("is_residential_by_old_rule"),
        pl.when(is_burglary).then(residential_now).alias("is_residential_by_new_rule"),
        pl.when(is_burglary).then(applied.then(pl.lit("new")).otherwise(pl.lit("old"))).alias("rule_applied"),
        pl.Series("ward_name", borough(block).ward_names[crimes["ward"].to_numpy()].tolist()),
    )
    found = {
        "offences": crimes,
        "victims": victims(seed, year, block, scale),
        "accused": accused(seed, year, block, scale),
        "incidents": incidents(seed, year, block, scale),
        "referrals": referrals(seed, year, block, scale),
        "clients": clients(seed, year, block, scale),
        "cases": cases(seed, year, block, scale),
        "actions": actions(seed, year, block, scale),
    }
    numbers = pl.concat(
        [
            found[name][column].cast(pl.Int64)
            for name, column in (
                ("victims", "person"), ("accused", "person"), ("referrals", "person"), ("clients", "person"),
                ("cases", "complainant"), ("cases", "subject"), ("actions", "subject"),
            )
        ]
    ).unique().sort()  # fmt: skip
    found["people"] = people.person_frame(numbers.filter(numbers >= 0).to_numpy())
    return found
