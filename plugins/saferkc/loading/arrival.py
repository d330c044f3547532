"""An arrival: one document handed to a feed, and where it stands in the order of loading."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import PurePosixPath
from typing import Any

from saferkc.contracts import Contract, label_of
from saferkc.landing.inbox import is_simulated
from saferkc.loading.columns import labelled_period, scope_of
from saferkc.loading.faults import Refused


@dataclass(frozen=True)
class Arrival:
    """One document handed to a feed: a landed file, or a member of one."""

    arrival_id: int
    source_name: str
    landed_sha256: str
    member: str | None
    received_at: Any

    @property
    def document_name(self) -> str:
        return PurePosixPath(self.member or self.source_name).name

    @property
    def is_simulated(self) -> bool:
        return is_simulated(self.source_name)


def rank(contract: Contract, arrival: Arrival) -> tuple[bool, date]:
    """Order of loading: simulated first, then by vintage as far as the names say it."""
    label = label_of(contract, arrival.document_name) or {}
    try:
        named = labelled_period(contract, label)
    except Refused:
        named = None
    vintage = archive_vintage(contract, arrival) or date.min
    return not arrival.is_simulated, max(vintage, named.last if named else date.min)


def named_parts(contract: Contract, arrival: Arrival) -> set[tuple[str, date]]:
    """Return the parts (scope, period) that the document's name says it covers; empty where it does not say."""
    label = label_of(contract, arrival.document_name) or {}
    scope = scope_of(contract, label)
    try:
        named = labelled_period(contract, label)
    except Refused:
        return set()
    if scope is None or named is None:
        return set()
    return {(scope, period) for period in named.periods(contract.delivery.period.grain)}


def archive_vintage(contract: Contract, arrival: Arrival) -> date | None:
    """Return the month that the archive's name says, if the document came in one that says it."""
    if arrival.member is None:
        return None
    archive = arrival.source_name.split("!", 1)[0]
    for pattern in contract.delivery.archives:
        found = re.search(pattern, archive, re.IGNORECASE)
        if found and found.groupdict().get("vintage"):
            year, month = map(int, found["vintage"].split("-"))
            return date(year, month, 1) if year > 0 and 1 <= month <= 12 else None
    return None
