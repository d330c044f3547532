"""Two small feeds of our own, one of changes and one of full extracts, and a plain model of what they mean."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import yaml
from loading_helpers import csv_of, query
from saferkc.settings import Settings
from saferkc.warehouse.migrate import migrate

CASES = "cases"  # an extract of changes
REFERRALS = "referrals"  # a full extract
SOURCE = "tests"
HEADING = "Case,Opened,Status,Note"

Record = tuple[str, str]  # status and note
DELETED = "deleted"


def contract(feed: str, extract: str, **limits: float) -> dict[str, Any]:
    """A contract of four columns; records whose status is *deleted* withdraw themselves."""
    columns = {"case_id": "Case", "opened_date": "Opened", "status": "Status", "note": "Note"}
    return {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": feed,
        "name": feed,
        "version": "1.0.0",
        "status": "active",
        "domain": "tests",
        "description": {"purpose": "a test", "usage": "a test", "limitations": "a test"},
        "schema": [
            {
                "name": feed,
                "description": "One row a case.",
                "properties": [
                    {
                        "name": name,
                        "logicalType": "date" if name == "opened_date" else "string",
                        "physicalType": "date" if name == "opened_date" else "text",
                        "description": heading,
                        "classification": "public",
                        "required": name in ("case_id", "opened_date"),
                        "primaryKey": name == "case_id",
                        "customProperties": [{"property": "origin", "value": {"headings": [heading]}}],
                    }
                    for name, heading in columns.items()
                ],
            }
        ],
        "slaProperties": [{"property": "frequency", "value": 1, "unit": "d"}],
        "team": {"name": "tests", "description": "tests"},
        "customProperties": [
            {
                "property": "delivery",
                "value": {
                    "source": SOURCE,
                    "format": "delimited",
                    "extract": extract,
                    "extract_date": "extracted",
                    "withdrawal": {"column": "status", "values": [DELETED]},
                    "patterns": [rf"{feed}_(?P<extracted>\d{{8}}(?:T\d{{4}})?)\.csv$"],
                    "examples": [f"{feed}_20170403.csv"],
                    "scope": "all",
                    "period": {"grain": "month", "column": "opened_date"},
                    "identical_rows": {"rule": "collapse"},
                    "limits": {
                        "quarantined_share": 1,
                        "withdrawn_share": 1,
                        "smallest_share_of_usual": 0,
                        "minimum_rows": 0,
                    }
                    | limits,
                },
            },
            {
                "property": "operation",
                "value": {
                    "schedule": "0 5 * * *",
                    "impact_tier": "tier_3",
                    "triage": "triage/engineers",
                    "due": "never",
                    "calendar": {"every": "never"},
                },
            },
        ],
    }


def with_feeds(settings: Settings, root: Path, *contracts: Mapping[str, Any]) -> Settings:
    """Settings of a project that has these contracts and no others, their raw tables made."""
    own = dataclasses.replace(settings, project_root=root)
    own.contracts_dir.mkdir(parents=True, exist_ok=True)
    for given in contracts:
        (own.contracts_dir / f"{given['id']}.yaml").write_text(yaml.safe_dump(given))
    migrate(own)
    return own


@dataclass(frozen=True)
class Extract:
    """What an agency sends once: records by number, and those whose row is spoilt though its key can be read."""

    feed: str
    taken: datetime
    records: Mapping[int, Record]
    spoilt: frozenset[int] = frozenset()

    @property
    def name(self) -> str:
        return f"{self.feed}_{self.taken:%Y%m%d}{f'T{self.taken:%H%M}' if self.taken.hour else ''}.csv"

    @property
    def content(self) -> bytes:
        lines = [f"{number},2016-05-01,{status},{note}" for number, (status, note) in self.records.items()]
        return csv_of(HEADING, [*lines, *(f"{number},not a day,open," for number in self.spoilt)])


@dataclass
class Model:
    """What the extracts that have arrived mean, by plain rules and from the start each time."""

    arrived: list[Extract] = field(default_factory=list)

    def receive(self, extract: Extract) -> None:
        """The same document twice is one."""
        if extract not in self.arrived:
            self.arrived.append(extract)

    def known_on(self, day: date) -> dict[int, Record]:
        """Records as the agency had told them by the end of a day."""
        standing: dict[int, Record] = {}
        for extract in sorted(self.arrived, key=lambda e: e.taken):  # of two of one moment, in order of arrival
            if extract.taken.date() > day:
                break
            if extract.feed == REFERRALS:
                held = extract.records.keys() | extract.spoilt
                standing = {number: record for number, record in standing.items() if number in held}
            for number, record in extract.records.items():
                if record[0] == DELETED:
                    standing.pop(number, None)
                else:
                    standing[number] = record
        return standing

    def unread_on(self, day: date) -> frozenset[int]:
        """Records that the last full extract of a day held in rows that could not be read.

        They stay as they were. As what, when an extract from before comes later still, is not asked: the next
        extract says it.
        """
        until = [e for e in self.arrived if e.feed == REFERRALS and e.taken.date() <= day]
        return max(reversed(until), key=lambda e: e.taken).spoilt if until else frozenset()


def only_once(rows: Iterable[tuple[int, Record]]) -> dict[int, Record]:
    """Records by number; none may stand twice."""
    rows = list(rows)
    found = dict(rows)
    assert len(found) == len(rows), "a record stands twice"
    return found


def records(settings: Settings, table: str, *parameters: Any) -> dict[int, Record]:
    """Records of a raw table, or of a function on it."""
    rows = query(settings, f"select case_id::int, status, coalesce(note, '') from {table}", *parameters)
    return only_once((number, (status, note)) for number, status, note in rows)


def now_current(settings: Settings, feed: str) -> dict[int, Record]:
    return records(settings, f"raw.{feed} where withdrawn_delivery_id is null")


def known_on(settings: Settings, feed: str, day: date) -> dict[int, Record]:
    return records(settings, f"raw.{feed}_as_known_on(%s)", day)
