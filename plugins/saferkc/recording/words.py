"""Evidence in plain words and numbers, for people who decide and not for statisticians."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from saferkc.recording.series import Feed

# so many areas are named, more are counted
_NAMED = 3


def month_in_words(month: date) -> str:
    """A month as people write it."""
    return f"{month:%B %Y}"


def about(number: float) -> str:
    """A number as one says it: two figures at most from 20 on."""
    size = abs(number)
    if size >= 1000:
        return f"{round(size, -2):,.0f}"
    if size >= 100:
        return f"{round(size, -1):.0f}"
    return f"{size:.0f}" if size >= 3 else f"{size:.1f}"


def percent(ratio: float) -> str:
    """A ratio in whole percent."""
    return f"{abs(ratio) * 100:.0f} %"


def listed(names: Sequence[str]) -> str:
    """Names in a sentence."""
    return in_a_row([f"“{name}”" for name in names])


def in_a_row(parts: Sequence[str]) -> str:
    """Parts as a sentence lists them, each once."""
    names = list(dict.fromkeys(parts))
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def where(feed: Feed, areas: Sequence[str]) -> str:
    """Which of the feed's areas, in a sentence."""
    of = len(feed.panels[0].areas)
    if len(areas) == of and of > 1:
        return f"in all {of} areas"
    if len(areas) > _NAMED:
        return f"in {len(areas)} of {of} areas"
    return f"in {in_a_row([feed.area_names.get(area, area) for area in areas])}"


def why_then(feed: Feed, month: date) -> list[str]:
    """What is known of a date, if anything."""
    if month.month == 4:
        return ["Counting rules tend to change on 1 April."]
    if feed.is_usual(month):
        return ["A new system went live just before."]
    return []
