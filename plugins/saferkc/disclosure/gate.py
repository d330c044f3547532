"""One figure at a time: suppressed, or rounded. Suppressed is None with ``is_suppressed``, and never 0."""

from __future__ import annotations

import math
from dataclasses import dataclass

from saferkc.disclosure.rules import Rule


@dataclass(frozen=True)
class Gated:
    """A figure that may be shown. ``value`` is None where it is suppressed, or where there was none."""

    value: float | None
    is_suppressed: bool = False


@dataclass(frozen=True)
class GatedRange:
    """An estimate with its bounds, in the unit of the counts; all of it is suppressed or none."""

    value: float | None
    low: float | None = None
    high: float | None = None
    is_suppressed: bool = False


def gate_count(rule: Rule, count: float | None) -> Gated:
    """Return a count as it may be shown. An estimated count may have decimals.

    Raises ``ValueError`` for a count below 0 and for one that is no number.
    """
    if count is None:
        return Gated(None)
    if not 0 <= count < math.inf:
        raise ValueError("a count is 0 or more")
    # 7.4 would be rounded to a figure that the rule suppresses
    if count < rule.suppress_up_to + 1:
        return Gated(None, is_suppressed=True)
    return Gated(_nearest(count, rule.round_to) if rule.round_to > 1 else count)


def gate_range(rule: Rule, value: float | None, low: float | None, high: float | None) -> GatedRange:
    """Return an estimate as it may be shown, its bounds rounded outwards.

    An estimate whose lower bound is suppressed is suppressed as a whole.
    """
    if value is None or low is None or high is None:
        return GatedRange(None)
    if gate_count(rule, max(low, 0)).is_suppressed:
        return GatedRange(None, is_suppressed=True)
    step = rule.round_to
    if step == 1:
        return GatedRange(value, low, high)
    # rounded outwards a bound may come to lie where counts are suppressed, and is then the least that is shown
    least = gate_count(rule, rule.suppress_up_to + 1).value or 0
    return GatedRange(
        gate_count(rule, value).value, max(math.floor(low / step) * step, least), math.ceil(high / step) * step
    )


def gate_share(rule: Rule, part: float | None, whole: float | None) -> Gated:
    """Return the share of a part in its whole (0 to 1) from the rounded counts; suppressed where one of them is."""
    shown, of = gate_count(rule, part), gate_count(rule, whole)
    if shown.is_suppressed or of.is_suppressed:
        return Gated(None, is_suppressed=True)
    if shown.value is None or not of.value:
        return Gated(None)
    return Gated(min(shown.value / of.value, 1.0) if (part or 0) <= (whole or 0) else shown.value / of.value)


def gate_change(now: Gated, before: Gated) -> Gated:
    """Return how much more (or fewer, below 0) a shown figure is than another; suppressed where one of them is."""
    if now.is_suppressed or before.is_suppressed:
        return Gated(None, is_suppressed=True)
    if now.value is None or before.value is None:
        return Gated(None)
    return Gated(now.value - before.value)


def least_and_most(rule: Rule, shown: float) -> tuple[float, float]:
    """Return the least and the most that a whole count may be which is shown as this."""
    half = rule.round_to / 2
    low, high = math.ceil(shown - half), math.ceil(shown + half) - 1
    return max(low, rule.suppress_up_to + 1), high


def _nearest(count: float, step: int) -> float:
    """The nearest multiple, halves upwards."""
    return math.floor(count / step + 0.5) * step
