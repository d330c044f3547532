"""Where a document has what its contract asks for: by headings, or by paths of JSON records."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from saferkc.contracts import Contract
from saferkc.contracts.model import Column, TokenPart, fold_heading
from saferkc.contracts.registry import read_label
from saferkc.loading.faults import Refused


@dataclass(frozen=True)
class Field:
    """A value that a reader hands over under ``name``: a column of the contract, or part ``@column.n`` of its token."""

    name: str
    column: Column
    part: TokenPart | None = None

    @property
    def headings(self) -> list[str]:
        """Accepted headings; none where the value stands elsewhere."""
        return (self.part or self.column.origin).headings or []

    @property
    def path(self) -> str | None:
        """Dotted path in a JSON record."""
        return (self.part or self.column.origin).path

    @property
    def optional(self) -> bool:
        """Whether the document may lack it."""
        return (self.part or self.column.origin).optional


def fields_of(contract: Contract) -> list[Field]:
    """Return the fields that a reader hands over: those with headings or a path, parts of tokens among them."""
    fields = []
    for column in contract.columns:
        parts = column.token.parts if column.token else []
        fields += [Field(name, column, part) for name, part in zip(column.part_names, parts, strict=True)]
        fields.append(Field(column.name, column))
    return [one for one in fields if one.headings or one.path]


@dataclass
class Layout:
    """What a document says of itself: where each field stands, the labels in its headings, what is new.

    ``notes``: what people should know of how it was read, as ``quality.delivery.flags`` holds it; complete once
    the document has been read to its end.
    """

    delimiter: str
    headings: list[str]
    positions: dict[str, int]
    label: dict[str, str]
    new_headings: list[str]
    period_positions: dict[int, str] = field(default_factory=dict)
    notes: list[dict[str, Any]] = field(default_factory=list)


def layout_of(contract: Contract, headings: list[str], delimiter: str = "") -> Layout:
    """Find the contract's fields in a row of headings; raises ``Refused`` where one is missing."""
    delivery = contract.delivery
    positions, label, missing = find_fields(contract, headings)
    if missing:
        expected = "; ".join(" or ".join(one.headings) for one in missing)
        raise Refused(f"it lacks the column {expected}")
    periods: dict[int, str] = {}
    if delivery.wide:
        periods = {
            place: heading.strip()
            for place, heading in enumerate(headings)
            if re.fullmatch(delivery.wide.period_heading, heading.strip())
        }
        if not periods:
            raise Refused("it has no column for a month")
        if len(set(periods.values())) != len(periods):
            raise Refused("the same month stands over two of its columns")
    known = {*positions.values(), *periods}
    for ignored in delivery.ignored_headings:
        known |= {i for i, heading in enumerate(headings) if _is(ignored, heading)}
    new = [heading for i, heading in enumerate(headings) if i not in known and heading.strip()]
    return Layout(delimiter, headings, positions, label, new, periods)


def find_fields(contract: Contract, headings: Sequence[str]) -> tuple[dict[str, int], dict[str, str], list[Field]]:
    """Return where the fields stand in a row of headings, what its headings say as a label, and what is missing."""
    positions: dict[str, int] = {}
    label: dict[str, str] = {}
    fields = [one for one in fields_of(contract) if one.headings]
    for one in fields:
        for accepted in one.headings:
            place = _find(accepted, headings, label)
            if place is not None:
                positions[one.name] = place
                break
    return positions, label, [one for one in fields if not one.optional and one.name not in positions]


def _is(accepted: str, heading: str) -> re.Match[str] | bool | None:
    """Whether a heading is the accepted one; an accepted one in slashes is a regular expression."""
    if accepted.startswith("/") and accepted.endswith("/"):
        return re.fullmatch(accepted[1:-1], heading.strip(), re.IGNORECASE)
    return fold_heading(accepted) == fold_heading(heading)


def _find(accepted: str, headings: Sequence[str], label: dict[str, str]) -> int | None:
    for place, heading in enumerate(headings):
        found = _is(accepted, heading)
        if isinstance(found, re.Match):
            label.update(read_label(found))
        if found:
            return place
    return None
