"""The council's enforcement actions, as its API gives them and the transport lands them: a JSON object a line."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import numpy as np
import polars as pl

from saferkc.simulation.agencies import errors
from saferkc.simulation.agencies.versions import SEEN, Feed, stacked
from saferkc.simulation.world import people, places
from saferkc.simulation.world.enforcement import PENALTIES, actions
from saferkc.simulation.world.people import born_on

_ZONE = "Europe/London"
_CPT = "Community Police Team"


def action_states(seed: int, year: int, block: int, scale: float) -> pl.DataFrame:
    """Actions when they were taken, when their outcome was known, and when they were found void."""
    made = actions(seed, year, block, scale)
    number = made["action"].to_numpy()
    here = places.borough(block)
    ward, uprn, subject = made["ward"].to_numpy(), made["uprn"].to_numpy(), made["subject"].to_numpy()
    who = people.person_frame(np.maximum(subject, 0))
    nobody, no_premises = pl.Series(subject < 0), pl.Series(uprn < 0)
    safe = np.maximum(uprn, int(places.uprn(np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64))[0]))
    tasking = (
        "T-"
        + made["at"].dt.year().cast(pl.String)
        + "-"
        + (made["at"].dt.ordinal_day() // 14 + 1).cast(pl.String).str.zfill(2)
    )
    penalty = pl.select(made["power"].replace_strict(PENALTIES, default=None, return_dtype=pl.Float64)).to_series()
    no_reference = errors.chance(number, 14) < errors.UPRN_MISSING
    of_year = pl.Series(block * 100_000 + number % 100_000)
    rows = pl.DataFrame(
        {
            "actionId": f"EA-{year % 100:02d}" + of_year.cast(pl.String).str.zfill(7),
            "service": made["service"],
            "power": made["power"],
            # local in the world; the hour that comes twice is taken as its first
            "actionAt": made["at"].dt.replace_time_zone(_ZONE, ambiguous="earliest", non_existent="null")
            .dt.convert_time_zone("UTC").dt.strftime("%Y-%m-%dT%H:%M:%S+00:00"),
            "taskingId": errors.unless(tasking, made["service"] != _CPT),
            "type": made["location"],
            "wardCode": pl.Series(here.ward_codes[ward].tolist(), dtype=pl.String),
            "lsoaCode": places.lsoa_codes(made["lsoa"].to_numpy()),
            "uprn": errors.unless(pl.Series(uprn).cast(pl.String), no_premises | no_reference),
            "address": errors.unless(places.address_of(safe), no_premises),
            "postcode": errors.unless(errors.postcode(places.postcode_of(safe), number, 15), no_premises),
            "subjectType": errors.unless(pl.repeat("person", made.height, dtype=pl.String, eager=True), nobody, "none"),
            "name": errors.unless(errors.name(who["forename"] + " " + who["surname"], number, 16), nobody),
            "dateOfBirth": errors.unless(pl.Series(born_on(np.maximum(subject, 0))).dt.strftime("%Y-%m-%d"), nobody),
            "penaltyGbp": penalty,
        }
    )  # fmt: skip
    none = pl.lit(None, dtype=pl.String)
    taken = rows.with_columns(
        pl.lit("active").alias("status"),
        none.alias("outcome"),
        none.alias("outcomeDate"),
        made["entered_on"].alias(SEEN),
    )
    ended = rows.with_columns(
        pl.lit("active").alias("status"),
        made["outcome"].alias("outcome"),
        made["outcome_on"].dt.strftime("%Y-%m-%d").alias("outcomeDate"),
        made["outcome_on"].alias(SEEN),
    ).filter(~made["is_void"])
    void = taken.with_columns(pl.lit("void").alias("status"), made["outcome_on"].alias(SEEN)).filter(made["is_void"])
    return stacked(taken, ended, void)


FEED = Feed("council_enforcement_actions", "council", ("actionId",), action_states)


def lines(frame: pl.DataFrame) -> bytes:
    """Return the records as JSON lines; what is not known is null or left out, as the API does."""
    written = []
    for row in frame.iter_rows(named=True):
        record: dict[str, object] = {
            "actionId": row["actionId"],
            "status": row["status"],
            "service": row["service"],
            "power": row["power"],
            "actionAt": row["actionAt"],
            "location": {key: row[key] for key in ("type", "wardCode", "lsoaCode", "uprn", "address", "postcode")},
            "subject": {"type": row["subjectType"], "name": row["name"], "dateOfBirth": row["dateOfBirth"]},
            "updatedAt": datetime.combine(row[SEEN], datetime.min.time(), UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00"),
        }
        if row["taskingId"]:
            record["taskingId"] = row["taskingId"]
        if row["outcome"]:
            record["outcome"] = {"name": row["outcome"], "date": row["outcomeDate"], "penaltyGbp": row["penaltyGbp"]}
        written.append(json.dumps(record, ensure_ascii=False) + "\n")
    return "".join(written).encode()
