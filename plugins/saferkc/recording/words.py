"""Evidence in plain words and numbers, for people who decide and not for statisticians."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from saferkc.disclosure import Rule, gate_count, gate_share
from saferkc.recording.series import Feed

# how a count, or a part and its whole, stands in a sentence until it is known who reads it
_KEPT = re.compile(r"⟦([\d.e+-]+)(?:/([\d.e+-]+))?⟧")

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


def counted(number: float) -> str:
    """A number of records as a sentence of evidence keeps it, until ``as_shown`` says it to whoever reads."""
    return f"⟦{abs(number):.6g}⟧"


def share_of(part: float, whole: float) -> str:
    """A part of a number of records, or by how much of itself it moved, kept as ``counted`` keeps a number."""
    return f"⟦{abs(part):.6g}/{abs(whole):.6g}⟧"


def as_shown(sentence: str, rule: Rule) -> str:
    """A sentence of evidence as a rule lets it be said: its counts, and shares of them, go through the gate."""

    def said(kept: re.Match[str]) -> str:
        if kept[2] is not None:
            share = gate_share(rule, float(kept[1]), float(kept[2])).value
            return "share not shown" if share is None else percent(share)
        count = gate_count(rule, float(kept[1])).value
        return f"{rule.suppress_up_to} or fewer" if count is None else f"about {about(count)}"

    return _KEPT.sub(said, sentence)


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
