"""An arrival: one document handed to a feed, and where it stands in the order of loading."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import PurePosixPath
from typing import Any

from saferkc.contracts import Contract, label_of
from saferkc.contracts.registry import read_extract_date, read_label
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


def rank(contract: Contract, arrival: Arrival) -> tuple[bool, datetime]:
    """Order of loading: simulated first, then by vintage as far as the names say it."""
    label = label_of(contract, arrival.document_name) or {}
    try:
        extracted = extracted_at(contract, arrival)
        named = labelled_period(contract, label)
    except Refused:
        extracted, named = None, None
    if extracted is not None:
        return not arrival.is_simulated, extracted
    vintage = archive_vintage(contract, arrival) or date.min
    return not arrival.is_simulated, datetime.combine(max(vintage, named.last if named else date.min), time.min)


def extracted_at(contract: Contract, arrival: Arrival) -> datetime | None:
    """When the extract was taken, by the agency's clock, as the name of the document or its archive says it.

    Midnight where the name gives no time; None where the contract has no ``extract_date``. Raises ``Refused``
    where the name does not say it, says no date, or says one that is still to come.
    """
    group = contract.delivery.extract_date
    if group is None:
        return None
    said = (label_of(contract, arrival.document_name) or {}).get(group) or _archive_label(contract, arrival).get(group)
    if said is None:
        raise Refused("its name does not say when it was extracted")
    try:
        day = read_extract_date(said)
        clock = re.search(r"T(\d{2})(\d{2})$", said, re.IGNORECASE)
        moment = datetime.combine(day, time(int(clock[1]), int(clock[2])) if clock else time.min)
    except ValueError as error:
        raise Refused(f"its name does not say when it was extracted: {error}") from error
    earliest = day if len(re.sub(r"\D", "", said)) > len("201704") else day.replace(day=1)
    if earliest > arrival.received_at.date() + timedelta(days=1):  # its clock may be ahead of ours
        raise Refused(f"its name says that it was extracted on {day:%Y-%m-%d}, which is still to come")
    return moment


def named_parts(contract: Contract, arrival: Arrival) -> set[tuple[str, date]]:
    """Return the parts (scope, period) that the document's name says it covers; empty where it does not say.

    Full extracts and extracts of changes depend on all earlier ones of their feed, so they never say it.
    """
    if contract.delivery.extract != "period":
        return set()
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
    said = _archive_label(contract, arrival).get("vintage")
    if said is None:
        return None
    year, month = map(int, said.split("-"))
    return date(year, month, 1) if year > 0 and 1 <= month <= 12 else None


def _archive_label(contract: Contract, arrival: Arrival) -> dict[str, str]:
    """Return the named groups of the archive's name; empty where the document came in none."""
    if arrival.member is None:
        return {}
    archive = arrival.source_name.split("!", 1)[0]
    found = (re.search(pattern, archive, re.IGNORECASE) for pattern in contract.delivery.archives)
    labels = (read_label(match) for match in found if match)
    return next((label for label in labels if label), {})
