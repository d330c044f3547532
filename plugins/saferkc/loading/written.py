"""How agencies write days, times and lists of codes, and what is read from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl

CODES_JOINED_BY = "|"
# "03/04/17" read by a format with four digits is the year 17; 31/12/9999 is how systems write "never"
_FIRST_YEAR, _LAST_YEAR = 1900, 2100


@dataclass(frozen=True)
class OddHours:
    """Times in hours that a clock shows twice (it goes back) or never (it goes forward)."""

    twice: int = 0
    never: int = 0

    def __add__(self, other: OddHours) -> OddHours:
        return OddHours(self.twice + other.twice, self.never + other.never)


def read_dates(text: pl.Series, formats: Sequence[str | None]) -> pl.Series:
    """Read days written in one of ``formats`` (strptime), the first that fits; null where none does."""
    return _first_that_fits(text, formats, lambda part, fmt: part.str.to_date(fmt, strict=False))


def read_times(text: pl.Series, formats: Sequence[str | None]) -> pl.Series:
    """Read times written with their offset (or in UTC) as moments in UTC; null where no format fits."""
    return _first_that_fits(
        text, formats, lambda part, fmt: part.str.to_datetime(fmt, time_unit="us", time_zone="UTC", strict=False)
    )


def read_local_times(text: pl.Series, formats: Sequence[str | None], zone: str) -> tuple[pl.Series, OddHours]:
    """Read times by the clock of ``zone`` as moments in UTC, and count those that the clock leaves in doubt.

    An hour that the clock shows twice is read as the first of the two: nobody wrote down which it was, and an
    hour is the most that it can be wrong by. An hour that it never shows was read off a clock that had not been
    put forward, and so is an hour later. Neither is a reason to lose a record.
    """
    local = _first_that_fits(text, formats, lambda part, fmt: part.str.to_datetime(fmt, time_unit="us", strict=False))
    first = local.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    last = local.dt.replace_time_zone(zone, ambiguous="latest", non_existent="null")
    unshown = local.is_not_null() & first.is_null()
    odd = OddHours(twice=int((first != last).sum()), never=int(unshown.sum()))
    if odd.never:
        later = local.dt.offset_by("1h").dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
        first = first.zip_with(~unshown, later)
    return first.dt.convert_time_zone("UTC"), odd


def sorted_codes(text: pl.Expr, mark: str) -> pl.Expr:
    """Return several codes in one cell in one way of writing: each once, sorted, joined by ``|``; null for none."""
    codes = text.str.split(mark).list.eval(pl.element().str.strip_chars().filter(pl.element().str.strip_chars() != ""))
    joined = codes.list.unique().list.sort().list.join(CODES_JOINED_BY)
    return pl.when(joined == "").then(None).otherwise(joined)


def _first_that_fits(
    text: pl.Series, formats: Sequence[str | None], read: Callable[[pl.Series, str | None], pl.Series]
) -> pl.Series:
    """Read by the first format; what it does not fit is tried by the next, so the usual way costs one reading."""
    value = _sane(read(text, formats[0]))
    for fmt in formats[1:]:
        left = text.is_not_null() & value.is_null()
        if not left.any():
            break
        value = value.zip_with(~left, _sane(read(text.set(~left, None), fmt)))
    return value


def _sane(value: pl.Series) -> pl.Series:
    return value.set(~value.dt.year().is_between(_FIRST_YEAR, _LAST_YEAR), None)
