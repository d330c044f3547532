"""How pages write days, times, numbers and texts."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

_HERE = ZoneInfo("Europe/London")


def day(value: date | None) -> str:
    """A day, short: 27 Nov 2026."""
    return "" if value is None else f"{value.day} {value:%b %Y}"


def moment(value: datetime | None) -> str:
    """A moment by the clock in London: Fri 27 Nov 2026, 04:31."""
    if value is None:
        return ""
    local = value.astimezone(_HERE)
    return f"{local:%a} {local.day} {local:%b %Y, %H:%M}"


def month(value: date) -> str:
    """A month: April 2017."""
    return f"{value:%B %Y}"


def number(value: float | None) -> str:
    """A number with commas; nothing where there is none, which is not zero."""
    if value is None:
        return ""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"


def lasted(seconds: float | None) -> str:
    """A duration in the unit that fits."""
    if seconds is None:
        return ""
    minutes, rest = divmod(round(abs(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h" if days < 3 else f"{days} days"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def paragraphs(text: str) -> list[str]:
    """The paragraphs of a text."""
    return [part.strip() for part in text.split("\n\n") if part.strip()]


def spaced(name: str) -> str:
    """A name of the warehouse as words."""
    return name.replace("_", " ")
