"""What can be wrong with a delivery."""

from __future__ import annotations

from dataclasses import dataclass


class Refused(Exception):  # noqa: N818  (the field's word: a delivery is refused)
    """The delivery breaks its contract as a whole; the message says why, in words and without values."""


@dataclass(frozen=True)
class QuarantinedRow:
    """A line that broke its contract: where, which rule and why. It holds no value of the line.

    ``record_key`` is the hash by which its record is known, as far as the key itself could be read.
    """

    line_number: int
    column_name: str | None
    rule: str
    reason: str
    row_token: str | None = None
    record_key: str | None = None
