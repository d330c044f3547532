"""Evidence in plain words and numbers, for people who decide and not for statisticians."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from saferkc.recording.series import Feed


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
    quoted = [f"“{name}”" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def where(areas: Sequence[str], of: int) -> str:
    """Which areas, in a sentence."""
    if len(areas) == of and of > 1:
        return f"in all {of} areas"
    return f"in {listed(areas)}" if len(areas) <= 3 else f"in {len(areas)} of {of} areas"


def why_then(feed: Feed, month: date) -> list[str]:
    """What is known of a date, if anything."""
    if month.month == 4:
        return ["Counting rules tend to change on 1 April."]
    if feed.is_usual(month):
        return ["A new system went live just before."]
    return []
