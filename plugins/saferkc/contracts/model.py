"""A feed's contract, in the shape of the Open Data Contract Standard (ODCS v3.1).

What the standard has no place for (how files are named and laid out, what a delivery speaks for, how versions
are told apart) stands under ``customProperties``, as the standard asks. Every model forbids unknown keys, so a
misspelt key is an error and not a silent default.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

PhysicalType = Literal["text", "date", "double precision", "integer", "bigint", "boolean", "timestamptz"]
Severity = Literal["error", "warning"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Description(_Strict):
    """What the feed is, in prose. ``usage`` says how and when it arrives, ``limitations`` what to beware of."""

    purpose: str
    usage: str
    limitations: str


class Quality(_Strict):
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


class TypeOptions(_Strict):
    """Limits that every value must keep; a row that does not goes to quarantine."""

    pattern: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    max_length: int | None = Field(default=None, alias="maxLength")
    format: str | None = None


class Origin(_Strict):
    """Where in a document a column's value stands; exactly one way is given.

    ``headings``: accepted column headings, case and spacing folded; a heading may be a regular expression in
    slashes whose named groups become part of the document's label, and must agree with the file name's where
    both say the same. ``label``: a named group of the file name (or of a heading), words in lower case; a
    group called ``year`` may have two digits (see ``registry.read_label``). ``decimals``: places kept of a
    number whose copies are written with more or fewer. ``path``: dotted path in a JSON record. ``cell``:
    ``period`` or ``value`` of a wide file.
    """

    headings: list[str] | None = None
    label: str | None = None
    path: str | None = None
    cell: Literal["period", "value"] | None = None
    optional: bool = False
    thousands: str | None = None
    decimals: int | None = None
    null_values: list[str] = [""]

    @model_validator(mode="after")
    def _one_way(self) -> Origin:
        if sum(x is not None for x in (self.headings, self.label, self.path, self.cell)) != 1:
            raise ValueError("give exactly one of headings, label, path, cell")
        return self


class ColumnProperty(_Strict):
    """``customProperties`` of a column: its origin in the document."""

    property: Literal["origin"]
    value: Origin


class Column(_Strict):
    """A column of the feed: name, type, meaning, sensitivity and rules."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    logical_type: Literal["string", "date", "timestamp", "number", "integer", "boolean"] = Field(alias="logicalType")
    physical_type: PhysicalType = Field(alias="physicalType")
    description: str
    required: bool = False
    primary_key: bool = Field(default=False, alias="primaryKey")
    classification: Literal["public", "official", "official-sensitive", "personal"]
    options: TypeOptions = Field(default=TypeOptions(), alias="logicalTypeOptions")
    quality: list[Quality] = []
    custom_properties: list[ColumnProperty] = Field(alias="customProperties", min_length=1, max_length=1)

    @property
    def origin(self) -> Origin:
        """Where in a document the value stands."""
        return self.custom_properties[0].value

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


class Period(_Strict):
    """What stretch of time a record belongs to, and so what a delivery covers.

    ``column`` holds a record's period (a date, or a time stamp read in Europe/London); without it the whole
    document has the period that its label says. ``label`` is the named group of the file name (or heading) with
    the period; where both are given they must agree, else the delivery is refused: a label is never believed
    against the content. ``label_to`` is the end of a labelled range.
    """

    grain: Literal["month", "year"]
    column: str | None = None
    label: str | None = None
    label_to: str | None = None
    fixed: str | None = None
    source_timezone: str | None = None

    @model_validator(mode="after")
    def _known(self) -> Period:
        if self.column is None and self.label is None and self.fixed is None:
            raise ValueError("a period needs a column, a label or a fixed value")
        return self


class IdenticalRows(_Strict):
    """What identical rows of one delivery are.

    ``collapse``: one record, said twice. ``keep``: separate records. ``collapse_where_present`` names a column:
    identical rows that carry it are one record, those without it are separate.
    """

    rule: Literal["collapse", "keep", "collapse_where_present"]
    column: str | None = None


class Limits(_Strict):
    """When a delivery is refused as a whole. Shares are 0-1."""

    quarantined_share: float = Field(default=0.05, ge=0, le=1)
    withdrawn_share: float = Field(default=0.25, ge=0, le=1)
    smallest_share_of_usual: float = Field(default=0.1, ge=0, le=1)
    minimum_rows: int = Field(default=1, ge=0)


class MustContain(_Strict):
    """Values that a whole delivery must hold in ``column``; a delivery that lacks one is incomplete.

    ``starts_with`` compares the beginnings of the values (an LSOA's name begins with its borough's).
    ``scope`` restricts the rule to one scope. ``may_lack`` is how many may be absent.
    """

    column: str
    values: list[str]
    starts_with: bool = False
    scope: str | None = None
    may_lack: int = 0


class Reasonableness(_Strict):
    """A comparison with another feed that a delivery must pass before it is admitted."""

    rule: Literal["annual_totals_agree_with_monthly"]
    against: str
    tolerance_share: float = Field(gt=0, lt=1)


class Wide(_Strict):
    """A file with a column a month: which headings are months, as a pattern and a strptime format."""

    period_heading: str
    period_format: str


class Delivery(_Strict):
    """How the agency delivers the feed and what a delivery means.

    ``delimiters``: the one that cuts the heading line into most pieces is taken. ``ignored_headings``: columns
    known and left out (headings as in ``Origin``); any other heading that the contract does not name is a new
    column: let in, and flagged.
    """

    source: Literal["police", "police_open", "mps", "angelou", "rahab", "tmo", "council", "reference"]
    format: Literal["delimited", "wide", "json"]
    delimiters: list[str] = [","]
    ignored_headings: list[str] = []
    encodings: list[str] = ["utf-8"]
    ends_with_newline: bool = True
    patterns: list[str] = Field(min_length=1)
    archives: list[str] = []
    examples: list[str] = Field(min_length=1)
    wide: Wide | None = None
    scope: str
    period: Period
    identical_rows: IdenticalRows
    limits: Limits = Limits()
    must_contain: list[MustContain] = []
    reasonableness: Reasonableness | None = None

    @field_validator("patterns", "archives")
    @classmethod
    def _compile(cls, patterns: list[str]) -> list[str]:
        for pattern in patterns:
            re.compile(pattern)
        return patterns

    @model_validator(mode="after")
    def _wide_is_described(self) -> Delivery:
        if (self.format == "wide") != (self.wide is not None):
            raise ValueError("a wide format needs `wide`, and only a wide format has it")
        return self

    @model_validator(mode="after")
    def _examples_match(self) -> Delivery:
        for example in self.examples:
            if not any(re.search(p, example, re.IGNORECASE) for p in [*self.patterns, *self.archives]):
                raise ValueError(f"example {example!r} matches none of the patterns")
        return self


class Operation(_Strict):
    """How the feed's DAG runs. ``schedule`` is a cron line in Europe/London."""

    schedule: str
    impact_tier: Literal["tier_1", "tier_2", "tier_3"]
    triage: Literal["triage/engineers", "triage/community_safety_team"]
    due: str


class ContractProperty(_Strict):
    """``customProperties`` of a contract."""

    property: Literal["delivery", "operation"]
    value: Delivery | Operation

    @model_validator(mode="before")
    @classmethod
    def _pick(cls, data: Any) -> Any:
        kinds: dict[str, type[_Strict]] = {"delivery": Delivery, "operation": Operation}
        if isinstance(data, dict) and data.get("property") in kinds and isinstance(data.get("value"), dict):
            return data | {"value": kinds[data["property"]].model_validate(data["value"])}
        return data


class Table(_Strict):
    """The one table of a feed. The first sentence of its description is the grain."""

    name: str
    physical_type: Literal["table"] = Field(default="table", alias="physicalType")
    description: str
    properties: list[Column] = Field(min_length=1)


class Sla(_Strict):
    """A promise about the feed: ``frequency``, ``retention`` and the like."""

    property: Literal["frequency", "retention", "latency"]
    value: int
    unit: Literal["d", "m", "y", "h"]


class TeamMember(_Strict):
    """Someone of the owning team, by role and not by name."""

    username: str
    role: str


class Team(_Strict):
    """Who owns the feed."""

    name: str
    description: str
    members: list[TeamMember] = []


class Contract(_Strict):
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
        names = [column.name for column in self.columns]
        if len(set(names)) != len(names):
            raise ValueError("a column's name stands twice")
        delivery = self.delivery
        named = [
            delivery.period.column,
            delivery.identical_rows.column,
            *(m.column for m in delivery.must_contain),
        ]
        for name in named:
            if name is not None and name not in names:
                raise ValueError(f"{name} is named in `delivery` but is no column")
        return self
