"""Bridged counts: bounds that make sense at any count, and hold what they promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from saferkc.recording.bridged import bridged, bridged_difference
from scipy import stats

counts = st.lists(st.integers(0, 3_000).map(float), min_size=1, max_size=4)


@st.composite
def weights(draw: st.DrawFn, size: int) -> tuple[np.ndarray, ...]:
    three = [sorted(draw(st.lists(st.floats(0, 1), min_size=3, max_size=3))) for _ in range(size)]
    low, weight, high = np.array(three).T
    return weight, low, high


@given(st.data(), counts)
def test_bounds_hold_the_estimate_and_lie_within_the_whole(data: st.DataObject, counts: list[float]) -> None:
    given_counts = np.array(counts)
    found = bridged(given_counts, *data.draw(weights(len(counts))))
    slack = 1e-9 * (1 + given_counts.sum())
    assert 0 <= found.low <= found.estimate + slack
    assert found.estimate <= found.high + slack
    assert found.high <= given_counts.sum()


@given(st.data(), counts, st.integers(1, 50))
def test_more_counted_never_means_less_by_the_new_rule(data: st.DataObject, counts: list[float], more: int) -> None:
    few = np.array([counts[0]])
    own = data.draw(weights(1))
    less, greater = bridged(few, *own), bridged(few + more, *own)
    slack = 1e-7 * (1 + few[0] + more)
    assert greater.estimate >= less.estimate
    assert greater.low >= less.low - slack
    assert greater.high >= less.high - slack


@given(st.data(), counts)
def test_a_difference_is_turned_around_with_its_bounds(data: st.DataObject, counts: list[float]) -> None:
    now = np.array(counts)
    before = now[::-1] + np.arange(len(now))
    own = data.draw(weights(len(counts)))
    forward, back = bridged_difference(now, before, *own), bridged_difference(before, now, *own)
    np.testing.assert_allclose(forward.low, -back.high, atol=1e-6)
    np.testing.assert_allclose(forward.high, -back.low, atol=1e-6)
    assert forward.low <= forward.estimate + 1e-6 * (1 + now.sum())


def test_what_is_certain_has_no_width() -> None:
    counts = np.array([70.0, 40.0])
    found = bridged(counts, np.array([1.0, 0.0]), np.array([1.0, 0.0]), np.array([1.0, 0.0]))
    assert (found.low, found.estimate, found.high) == (70.0, 70.0, 70.0)
    uncertain = bridged(counts, np.array([1.0, 0.3]), np.array([1.0, 0.0]), np.array([1.0, 0.6]))
    # all of the first are certain, and no more than all of both can be meant
    assert 70.0 <= uncertain.low < uncertain.high <= 110.0


@pytest.mark.parametrize("weight", [0.05, 0.1, 0.2, 0.3, 0.5])
@pytest.mark.parametrize("level", [1, 5, 20, 80, 500])
def test_nine_in_ten_draws_lie_within_the_bounds(weight: float, level: int) -> None:
    """Counts about ``level``, a weight that is known to 15 %: the draws of binomial chance, worked out exactly."""
    error = 0.15 * weight
    true_weights = np.clip(weight + error * stats.norm.ppf((np.arange(40) + 0.5) / 40), 0, 1)
    covered = total = 0.0
    for count in range(int(stats.poisson.ppf(0.001, level)), int(stats.poisson.ppf(0.999, level)) + 1):
        low, high = (np.array([weight + sign * 1.645 * error]) for sign in (-1, 1))
        found = bridged(np.array([float(count)]), np.array([weight]), low, high)
        inside = stats.binom.cdf(np.floor(found.high + 1e-9), count, true_weights) - stats.binom.cdf(
            np.ceil(found.low - 1e-9) - 1, count, true_weights
        )
        chance = stats.poisson.pmf(count, level)
        covered += chance * inside.mean()
        total += chance
    # at one or five a month a whole number is inside or not: bounds hold more than they must
    assert 0.88 <= covered / total <= (0.99 if level < 20 else 0.95)
