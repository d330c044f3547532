"""A feed's contract, in the shape of the Open Data Contract Standard (ODCS v3.1).

What the standard has no place for (how files are named and laid out, what a delivery speaks for, how versions
are told apart) stands under ``customProperties``, as the standard asks. Every model forbids unknown keys, so a
misspelt key is an error and not a silent default.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any, Literal

from pydantic import Field, model_validator

from saferkc.contracts.calendar import Calendar
from saferkc.contracts.delivery import (
    Delivery,
    Extract,
    IdenticalRows,
    Limits,
    MustContain,
    Period,
    Reasonableness,
    Wide,
    Withdrawal,
    Workbook,
)
from saferkc.contracts.origin import Origin, PartKind, Token, TokenPart
from saferkc.contracts.strict import Strict

PhysicalType = Literal["text", "date", "double precision", "integer", "bigint", "boolean", "timestamptz"]
Severity = Literal["error", "warning"]


class Description(Strict):
    """What the feed is, in prose. ``usage`` says how and when it arrives, ``limitations`` what to beware of."""

    purpose: str
    usage: str
    limitations: str


class Quality(Strict):
    """A rule on the values of a column.

    ``severity: error`` sends a row that breaks it to quarantine; ``warning`` lets the row in and flags the
    delivery (a new code is the first sign of a recording change, so it must arrive).
    """

    name: str
    type: Literal["library"] = "library"
    metric: Literal["invalidValues", "missingValues"]
    arguments: dict[str, Any] = {}
    must_be: Literal[0] = Field(alias="mustBe")
    severity: Severity
    description: str

    @property
    def valid_values(self) -> list[str]:
        """The code list of an ``invalidValues`` rule."""
        return list(self.arguments.get("validValues", []))


class TypeOptions(Strict):
    """Limits that every value must keep; a row that does not goes to quarantine."""

    pattern: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    max_length: int | None = Field(default=None, alias="maxLength")
    format: str | None = None


class ColumnProperty(Strict):
    """``customProperties`` of a column: its origin in the document."""

    property: Literal["origin"]
    value: Origin


class Column(Strict):
    """A column of the feed: name, type, meaning, sensitivity and rules."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    logical_type: Literal["string", "date", "timestamp", "number", "integer", "boolean"] = Field(alias="logicalType")
    physical_type: PhysicalType = Field(alias="physicalType")
    description: str
    required: bool = False
    primary_key: bool = Field(default=False, alias="primaryKey")
    classification: Literal["public", "official", "official-sensitive", "personal", "pseudonymous"]
    options: TypeOptions = Field(default=TypeOptions(), alias="logicalTypeOptions")
    quality: list[Quality] = []
    custom_properties: list[ColumnProperty] = Field(alias="customProperties", min_length=1, max_length=1)

    @property
    def origin(self) -> Origin:
        """Where in a document the value stands."""
        return self.custom_properties[0].value

    @property
    def token(self) -> Token | None:
        """What the column's keyed token is made of; None where the column holds a value of the document."""
        return self.origin.token

    @property
    def part_names(self) -> list[str]:
        """Names under which the parts of a token travel from the reader: ``@<column>.1``, ``@<column>.2``, …"""
        return [f"@{self.name}.{n}" for n in range(1, len(self.token.parts) + 1)] if self.token else []

    @model_validator(mode="after")
    def _types_agree(self) -> Column:
        physical = {
            "string": {"text"},
            "date": {"date"},
            "timestamp": {"timestamptz"},
            "number": {"double precision"},
            "integer": {"integer", "bigint"},
            "boolean": {"boolean"},
        }
        if self.physical_type not in physical[self.logical_type]:
            raise ValueError(f"{self.name}: {self.logical_type} can't be kept as {self.physical_type}")
        return self

    @model_validator(mode="after")
    def _origin_fits(self) -> Column:
        origin, kind = self.origin, self.physical_type
        if (origin.token is not None) != (self.classification == "pseudonymous"):
            raise ValueError(f"{self.name}: a token is classified pseudonymous, and nothing else is")
        if (origin.token or origin.split) and kind != "text":
            raise ValueError(f"{self.name}: a token, and codes that are split, are kept as text, not {kind}")
        if origin.date_formats and kind not in ("date", "timestamptz"):
            raise ValueError(f"{self.name}: date_formats are for a date or a timestamp, not for {kind}")
        if origin.timezone and kind != "timestamptz":
            raise ValueError(f"{self.name}: a timezone is for a timestamp, not for {kind}")
        return self


class Operation(Strict):
    """How the feed's DAG runs. ``schedule`` is a cron line in Europe/London; ``calendar`` says what ``due`` says."""

    schedule: str
    impact_tier: Literal["tier_1", "tier_2", "tier_3"]
    triage: Literal["triage/engineers", "triage/community_safety_team"]
    due: str
    calendar: Calendar


class ContractProperty(Strict):
    """``customProperties`` of a contract."""

    property: Literal["delivery", "operation"]
    value: Delivery | Operation

    @model_validator(mode="before")
    @classmethod
    def _pick(cls, data: Any) -> Any:
        kinds: dict[str, type[Strict]] = {"delivery": Delivery, "operation": Operation}
        if isinstance(data, dict) and data.get("property") in kinds and isinstance(data.get("value"), dict):
            return data | {"value": kinds[data["property"]].model_validate(data["value"])}
        return data


class Table(Strict):
    """The one table of a feed. The first sentence of its description is the grain."""

    name: str
    physical_type: Literal["table"] = Field(default="table", alias="physicalType")
    description: str
    properties: list[Column] = Field(min_length=1)


class Sla(Strict):
    """A promise about the feed: ``frequency``, ``retention`` and the like."""

    property: Literal["frequency", "retention", "latency"]
    value: int
    unit: Literal["d", "m", "y", "h"]


class TeamMember(Strict):
    """Someone of the owning team, by role and not by name."""

    username: str
    role: str


class Team(Strict):
    """Who owns the feed."""

    name: str
    description: str
    members: list[TeamMember] = []


class Contract(Strict):
    """A feed's whole contract."""

    api_version: Literal["v3.1.0"] = Field(alias="apiVersion")
    kind: Literal["DataContract"]
    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    name: str
    version: str = Field(pattern=r"^\d+\.\d+\.\d+$")
    status: Literal["proposed", "draft", "active", "deprecated", "retired"]
    domain: str
    description: Description
    schema_: list[Table] = Field(alias="schema", min_length=1, max_length=1)
    sla: list[Sla] = Field(alias="slaProperties")
    team: Team
    custom_properties: list[ContractProperty] = Field(alias="customProperties", min_length=2, max_length=2)

    @property
    def feed(self) -> str:
        """The feed's name, the same in the DAG, the raw table and the staging model."""
        return self.id

    @property
    def days_between_deliveries(self) -> int:
        """Days that lie between two deliveries at the most, by the contract's ``frequency``."""
        frequency = next(promise for promise in self.sla if promise.property == "frequency")
        return frequency.value * {"h": 1, "d": 1, "m": 31, "y": 366}[frequency.unit]

    @property
    def table(self) -> Table:
        """The one table of the feed."""
        return self.schema_[0]

    @property
    def columns(self) -> list[Column]:
        """The feed's columns, in the order of the raw table."""
        return self.table.properties

    @cached_property
    def delivery(self) -> Delivery:
        """How the agency delivers."""
        return next(p.value for p in self.custom_properties if isinstance(p.value, Delivery))

    @cached_property
    def operation(self) -> Operation:
        """How the DAG runs."""
        return next(p.value for p in self.custom_properties if isinstance(p.value, Operation))

    @property
    def key_columns(self) -> list[str]:
        """The record key; empty where a whole row is its own key."""
        return [column.name for column in self.columns if column.primary_key]

    @property
    def token_columns(self) -> list[Column]:
        """The columns that hold keyed tokens."""
        return [column for column in self.columns if column.token]

    def column(self, name: str) -> Column:
        """Return the column called ``name``; raises ``KeyError``."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.id} has no column {name}")

    @model_validator(mode="after")
    def _holds_together(self) -> Contract:
        if {p.property for p in self.custom_properties} != {"delivery", "operation"}:
            raise ValueError("customProperties must hold `delivery` and `operation`, once each")
        if self.table.name != self.id:
            raise ValueError(f"the table must be called {self.id}")
        if [promise.property for promise in self.sla].count("frequency") != 1:
            raise ValueError("slaProperties must say `frequency` once: how often the agency delivers")
        names = [column.name for column in self.columns]
        if len(set(names)) != len(names):
            raise ValueError("a column's name stands twice")
        for what, name in self._named_in_delivery():
            if name is not None and name not in names:
                raise ValueError(f"{name} is named in `delivery` ({what}) but is no column")
        self._check_key()
        self._check_places()
        return self

    def _named_in_delivery(self) -> Iterator[tuple[str, str | None]]:
        delivery = self.delivery
        yield "period", delivery.period.column
        yield "identical_rows", delivery.identical_rows.column
        yield "withdrawal", delivery.withdrawal.column if delivery.withdrawal else None
        for rule in delivery.must_contain:
            yield "must_contain", rule.column

    def _check_key(self) -> None:
        if self.key_columns:
            return
        if self.delivery.extract != "period":
            raise ValueError(f"an extract of kind {self.delivery.extract} needs a record key (primaryKey)")
        if self.delivery.withdrawal:
            raise ValueError("`withdrawal` needs a record key (primaryKey)")

    def _check_places(self) -> None:
        """Values stand where the format has them, and an identity stands nowhere but in a token."""
        of_json, kept = self.delivery.is_json, {fold_heading(h) for h in self.delivery.ignored_headings}
        parts: dict[str, str] = {}
        for column in self.columns:
            origin = column.origin
            places: list[Origin | TokenPart] = [origin, *(origin.token.parts if origin.token else [])]
            if any(place.headings if of_json else place.path for place in places):
                has, lacks = ("paths", "headings") if of_json else ("headings", "paths")
                raise ValueError(f"{column.name}: the format {self.delivery.format} has {has}, not {lacks}")
            kept |= {fold_heading(place) for place in _places(origin)}
            for part in origin.token.parts if origin.token else []:
                parts |= {fold_heading(place): column.name for place in _places(part)}
        for place, name in parts.items():
            if place in kept:
                raise ValueError(f"{name}: its part {place!r} must not be kept (or ignored) under its own name too")


def fold_heading(heading: str) -> str:
    """Fold case, spacing and underscores of a heading; a regular expression in slashes stays as it is."""
    return heading if heading.startswith("/") else re.sub(r"[\s_]+", " ", heading).strip().casefold()


def _places(origin: Origin | TokenPart) -> list[str]:
    return [*(origin.headings or []), *([origin.path] if origin.path else [])]


__all__ = [
    "Column",
    "Contract",
    "Delivery",
    "Extract",
    "IdenticalRows",
    "Limits",
    "MustContain",
    "Operation",
    "Origin",
    "PartKind",
    "Period",
    "Quality",
    "Reasonableness",
    "Token",
    "TokenPart",
    "Wide",
    "Withdrawal",
    "Workbook",
]
