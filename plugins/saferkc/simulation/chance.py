"""Months, and a source of chance for each thing that is drawn.

Every draw has its own generator, seeded by what is drawn and not by what was drawn before it, so a month comes
out the same whichever range was asked for, and a nightly delivery fits the ones before it.
"""

from __future__ import annotations

import zlib
from datetime import date

import numpy as np

CARNIVAL_MONTH = 8


def generator(seed: int, what: str, *numbers: int) -> np.random.Generator:
    """Return the generator of one draw, named by ``what`` and numbers such as year, month and chunk."""
    return np.random.default_rng([seed, zlib.crc32(what.encode()), *numbers])


def months_between(first: date, last: date) -> list[date]:
    """First days of all months from ``first`` to ``last``, both included."""
    start, end = first.year * 12 + first.month - 1, last.year * 12 + last.month - 1
    return [date(number // 12, number % 12 + 1, 1) for number in range(start, end + 1)]


def months_later(month: date, count: int) -> date:
    """First day of the month ``count`` months after (or before) ``month``."""
    number = month.year * 12 + month.month - 1 + count
    return date(number // 12, number % 12 + 1, 1)
