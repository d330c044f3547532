"""How an agency delivers a feed, and what a delivery means: the ``delivery`` part of a contract."""

from __future__ import annotations

import codecs
import re
from typing import Literal

from pydantic import Field, field_validator, model_validator

from saferkc.contracts.strict import Strict

SOURCE = r"^[a-z][a-z0-9_]*$"


class Period(Strict):
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


class IdenticalRows(Strict):
    """What identical rows of one delivery are.

    ``collapse``: one record, said twice. ``keep``: separate records. ``collapse_where_present`` names a column:
    identical rows that carry it are one record, those without it are separate.
    """

    rule: Literal["collapse", "keep", "collapse_where_present"]
    column: str | None = None


class Limits(Strict):
    """When a delivery is refused as a whole. Shares are 0-1.

    ``quarantined_rows``: as many may be spoilt whatever their share (but no more than half), since in a night of
    ten rows one that is spoilt says nothing of the others.
    """

    quarantined_share: float = Field(default=0.05, ge=0, le=1)
    quarantined_rows: int = Field(default=0, ge=0)
    withdrawn_share: float = Field(default=0.25, ge=0, le=1)
    smallest_share_of_usual: float = Field(default=0.1, ge=0, le=1)
    minimum_rows: int = Field(default=1, ge=0)


class MustContain(Strict):
    """Values that a whole delivery must hold in ``column``; a delivery that lacks one is incomplete.

    ``starts_with`` compares the beginnings of the values (an LSOA's name begins with its borough's).
    ``scope`` restricts the rule to one scope. ``may_lack`` is how many may be absent.
    """

    column: str
    values: list[str]
    starts_with: bool = False
    scope: str | None = None
    may_lack: int = 0


class Reasonableness(Strict):
    """A comparison with another feed that a delivery must pass before it is admitted."""

    rule: Literal["annual_totals_agree_with_monthly"]
    against: str
    tolerance_share: float = Field(gt=0, lt=1)


class Wide(Strict):
    """A file with a column a month: which headings are months, as a pattern and a strptime format."""

    period_heading: str
    period_format: str


class Workbook(Strict):
    """How an agency's spreadsheet is laid out, as people really send them.

    ``sheet``: a regular expression that the name of the sheet matches; without it the first sheet that has the
    headings is read. ``title_rows: find``: the heading row is the first row that holds all required headings,
    whatever stands above it. ``totals``: a regular expression; the first row below the headings with a cell
    that matches it ends the table, and it and what follows are left out and not counted as records.
    """

    sheet: str | None = None
    title_rows: Literal["find"] = "find"
    totals: str | None = None

    @field_validator("sheet", "totals")
    @classmethod
    def _is_a_pattern(cls, pattern: str | None) -> str | None:
        return pattern if pattern is None else compiled(pattern)


class Withdrawal(Strict):
    """A row that withdraws its record: ``column`` holds one of ``values`` (case and spacing folded).

    The row is kept as a version of the record that is never current.
    """

    column: str
    values: list[str] = Field(min_length=1)


Extract = Literal["period", "full", "changes"]


class Delivery(Strict):
    """How the agency delivers the feed and what a delivery means.

    ``extract`` says what absence means. ``period``: a delivery holds everything of the (scope, period)
    stretches that it covers. ``full``: it holds everything of its scope, and a current record that it no longer
    holds is withdrawn. ``changes``: it holds new and changed records only, and absence says nothing. The last
    two need a record key and ``extract_date``, the named group of the file name (or its archive's) with the day
    of the extract (``registry.read_extract_date``): versions are ordered by it, so a late, older extract never
    replaces what a newer one said.

    ``delimiters``: the one that cuts the heading line into most pieces is taken. ``ignored_headings``: columns
    known and left out (headings as in ``Origin``, or paths of a JSON record); any other heading that the
    contract does not name is a new column: let in, and flagged. ``json`` is one JSON document, ``json_lines``
    one object a line; ``records_path`` is the dotted path of the list of records in a JSON document, or in a
    page of the API that a ``json_lines`` feed is fetched from. ``encodings``: each line of a delimited file is
    read in the first that fits; ``utf-16`` is told by its mark alone.
    """

    source: str = Field(pattern=SOURCE)
    format: Literal["delimited", "wide", "json", "json_lines", "workbook"]
    extract: Extract = "period"
    extract_date: str | None = None
    withdrawal: Withdrawal | None = None
    delimiters: list[str] = [","]
    ignored_headings: list[str] = []
    encodings: list[str] = ["utf-8"]
    ends_with_newline: bool = True
    patterns: list[str] = Field(min_length=1)
    archives: list[str] = []
    examples: list[str] = Field(min_length=1)
    wide: Wide | None = None
    workbook: Workbook | None = None
    records_path: str | None = None
    scope: str
    period: Period
    identical_rows: IdenticalRows
    limits: Limits = Limits()
    must_contain: list[MustContain] = []
    reasonableness: Reasonableness | None = None

    @property
    def is_json(self) -> bool:
        """Whether records are JSON objects, so that columns have paths and not headings."""
        return self.format in ("json", "json_lines")

    @field_validator("encodings")
    @classmethod
    def _are_encodings(cls, encodings: list[str]) -> list[str]:
        for encoding in encodings:
            try:
                codecs.lookup(encoding)
            except LookupError:
                raise ValueError(f"{encoding} is no encoding; name one such as utf-8, cp1252 or utf-16") from None
        return encodings

    @field_validator("patterns", "archives")
    @classmethod
    def _are_patterns(cls, patterns: list[str]) -> list[str]:
        return [compiled(pattern) for pattern in patterns]

    @model_validator(mode="after")
    def _format_is_described(self) -> Delivery:
        for name, described in (("wide", self.wide), ("workbook", self.workbook)):
            if (self.format == name) != (described is not None):
                raise ValueError(f"the format {name} needs `{name}`, and only it has it")
        if self.records_path is not None and not self.is_json:
            raise ValueError("`records_path` is for the formats json and json_lines")
        return self

    @model_validator(mode="after")
    def _examples_match(self) -> Delivery:
        for example in self.examples:
            if not any(re.search(p, example, re.IGNORECASE) for p in [*self.patterns, *self.archives]):
                raise ValueError(f"example {example!r} matches none of the patterns")
        return self

    @model_validator(mode="after")
    def _extract_is_dated(self) -> Delivery:
        if self.withdrawal and self.extract == "period":
            raise ValueError("`withdrawal` is for extracts of kind full or changes")
        if self.extract_date is None:
            if self.extract != "period":
                raise ValueError(f"an extract of kind {self.extract} needs `extract_date`")
            return self
        for kind in (self.patterns, self.archives):
            if kind and all(self.extract_date in re.compile(pattern).groupindex for pattern in kind):
                return self
        raise ValueError(f"`extract_date` names {self.extract_date}, which is no named group of every pattern")


def compiled(pattern: str) -> str:
    """Return ``pattern``; raises ``ValueError`` where it is no regular expression."""
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is no regular expression: {error}") from error
    return pattern
