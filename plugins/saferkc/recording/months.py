"""Months as the detector and its charts count them: first days, one after another."""

from __future__ import annotations

from datetime import date


def months_between(first: date, last: date) -> tuple[date, ...]:
    """All first days of months from one month to another, both included."""
    return tuple(_month(number) for number in range(_number(first), _number(last) + 1))


def months_apart(one: date, other: date) -> int:
    """Whole months from ``other`` to ``one``."""
    return _number(one) - _number(other)


def months_before(month: date, count: int) -> date:
    """The first day of the month so many before."""
    return _month(_number(month) - count)


def first_month(day: date) -> date:
    """The first month that begins on or after a day."""
    return day if day.day == 1 else _month(_number(day) + 1)


def _number(day: date) -> int:
    return day.year * 12 + day.month - 1


def _month(number: int) -> date:
    return date(number // 12, number % 12 + 1, 1)
