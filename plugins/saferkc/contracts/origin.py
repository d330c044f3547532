"""Where in a document a column's value stands: the ``origin`` of a column."""

from __future__ import annotations

import zoneinfo
from typing import Literal

from pydantic import Field, field_validator, model_validator

from saferkc.contracts.strict import Strict

PartKind = Literal["name", "date", "phone", "postcode", "address", "uprn", "text"]


class TokenPart(Strict):
    """One field that goes into a token, and as what it is normalised before.

    ``headings`` (of a delimited file or a workbook) or ``path`` (of a JSON record), as in ``Origin``. ``kind``
    is written ``as`` in a contract. ``optional``: the document may lack the field; a part that is not optional
    must be there, though it may be empty in a row.
    """

    headings: list[str] | None = Field(default=None, min_length=1)
    path: str | None = None
    kind: PartKind = Field(alias="as")
    optional: bool = False

    @model_validator(mode="after")
    def _one_way(self) -> TokenPart:
        if (self.headings is None) == (self.path is None):
            raise ValueError("give exactly one of headings and path")
        return self


class Token(Strict):
    """A keyed token in place of an identity: its parts are never stored, logged or shown.

    ``purpose`` names the key ring: tokens of one purpose can be compared with each other across feeds, tokens of
    two purposes cannot. So every token of a purpose is made of the same kinds of parts in the same order
    (``load_contracts`` sees to it); neighbouring names count as one, since one agency writes a name in one
    field and another in two.
    """

    purpose: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    parts: list[TokenPart] = Field(min_length=1)

    @model_validator(mode="after")
    def _something_is_mandatory(self) -> Token:
        if all(part.optional for part in self.parts):
            raise ValueError("at least one part of a token must not be optional")
        return self

    @property
    def kinds(self) -> tuple[PartKind, ...]:
        """What the token is made of, neighbouring names taken as one."""
        kinds = [part.kind for part in self.parts]
        return tuple(kind for n, kind in enumerate(kinds) if n == 0 or kind != "name" or kinds[n - 1] != "name")


class Origin(Strict):
    """Where in a document a column's value stands; exactly one way is given.

    ``headings``: accepted column headings, case and spacing folded; a heading may be a regular expression in
    slashes whose named groups become part of the document's label, and must agree with the file name's where both
    say the same. ``label``: a named group of the file name (or of a heading), words in lower case; a group called
    ``year`` may have two digits (see ``registry.read_label``). ``path``: dotted path in a JSON record; a step in
    slashes is a regular expression without a dot, for a name that holds a year. ``cell``: ``period`` or ``value``
    of a wide file. ``token``: fields that become a keyed token.

    ``decimals``: places kept of a number whose copies are written with more or fewer. ``split``: the mark
    between several codes in one cell; kept as text, the codes sorted and joined by ``|``. ``date_formats``:
    further ways in which a date or time is written by hand, tried after ``logicalTypeOptions.format``.
    ``timezone``: the clock by which a time without an offset was written; an hour that it shows twice or never is
    read as ``loading.written`` says.
    """

    headings: list[str] | None = None
    label: str | None = None
    path: str | None = None
    cell: Literal["period", "value"] | None = None
    token: Token | None = None
    optional: bool = False
    thousands: str | None = None
    decimals: int | None = None
    split: str | None = Field(default=None, min_length=1)
    date_formats: list[str] = []
    timezone: str | None = None
    null_values: list[str] = [""]

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, zone: str | None) -> str | None:
        if zone is not None and zone not in zoneinfo.available_timezones():
            raise ValueError(f"{zone} is no time zone; name one such as Europe/London")
        return zone

    @model_validator(mode="after")
    def _one_way(self) -> Origin:
        if sum(x is not None for x in (self.headings, self.label, self.path, self.cell, self.token)) != 1:
            raise ValueError("give exactly one of headings, label, path, cell, token")
        return self
