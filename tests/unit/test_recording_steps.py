"""Steps in counts: additive over classes, blind to season and slope, and no surer than counts allow."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from saferkc.recording import Feed, Panel, examine
from saferkc.recording.steps import filled, restlessness, step_at


def months(count: int) -> tuple[date, ...]:
    return tuple(date(2012 + number // 12, number % 12 + 1, 1) for number in range(count))


@hypothesis_settings(max_examples=30)
@given(
    step=st.floats(-40, 40),
    level=st.floats(50, 200),
    height=st.floats(0, 20),
    drift=st.sampled_from([0.0, 0.06, 0.5]),
    before=st.integers(36, 60),
    after=st.integers(1, 12),
)
def test_a_step_is_found_whatever_season_and_whatever_drift_is_allowed_for(
    step: float, level: float, height: float, drift: float, before: int, after: int
) -> None:
    number = np.arange(before + after)
    counts = level + height * ((number % 12) == 7) + step * (number >= before)
    found = step_at(counts[None, None], before, drift)
    assert found is not None
    assert found.size[0, 0] == pytest.approx(step, abs=1e-6)


@pytest.mark.parametrize("after", [1, 4, 12])
def test_a_trend_is_no_step(after: int) -> None:
    counts = np.random.default_rng(4).poisson(100 * 1.01 ** np.arange(48 + after), (200, 1, 48 + after)).astype(float)
    found = step_at(counts, 48, restlessness(counts))
    assert found is not None
    assert (np.abs(found.t) > 3.3).mean() < 0.01


@hypothesis_settings(max_examples=20)
@given(seed=st.integers(0, 10_000), place=st.integers(12, 70))
def test_steps_of_classes_add_up_to_that_of_their_whole(seed: int, place: int) -> None:
    counts = np.random.default_rng(seed).poisson(30, (2, 4, 72)).astype(float)
    parts, whole = step_at(counts, place), step_at(counts.sum(axis=1, keepdims=True), place)
    assert parts is not None
    assert whole is not None
    np.testing.assert_allclose(parts.size.sum(axis=1), whole.size[:, 0], atol=1e-8)


def test_an_interval_of_95_percent_holds_no_step_about_as_often_where_there_is_none() -> None:
    counts = np.random.default_rng(5).poisson(60, (2000, 1, 60)).astype(float)
    found = step_at(counts, 48)
    assert found is not None
    covered = (np.abs(found.t) < 1.96).mean()
    # Poisson counts that don't go together: the floor and the widening may only make it more careful
    assert 0.94 < covered < 0.995


def test_more_variance_than_chance_makes_a_step_less_sure() -> None:
    chance = np.random.default_rng(1)
    calm = chance.poisson(100, (50, 1, 60)).astype(float)
    restless = chance.poisson(100 * chance.gamma(10, 0.1, (50, 1, 60))).astype(float)
    errors = [found.standard_error.mean() for counts in (calm, restless) if (found := step_at(counts, 48))]
    assert errors[1] > 1.5 * errors[0]


def test_less_than_a_year_says_nothing() -> None:
    assert step_at(np.ones((1, 1, 20)), 11) is None
    assert step_at(np.ones((1, 1, 20)), 20) is None
    assert step_at(np.ones((1, 1, 20)), 12) is not None


def test_holes_are_filled_from_the_same_month_of_other_years() -> None:
    counts = np.tile(np.arange(12, dtype=float), 4)[None, None].copy()
    counts[0, 0, 19] = np.nan
    assert filled(counts)[0, 0, 19] == 7
    assert np.isnan(counts[0, 0, 19]), "what was given stays as it was"


def test_shapes_that_disagree_are_refused() -> None:
    with pytest.raises(ValueError, match="Burglary: counts have shape"):
        Panel("f", "Burglary", ("a",), ("x", "y"), months(3), np.zeros((1, 1, 3)))
    with pytest.raises(ValueError, match="base has shape"):
        Panel("f", "Hate", ("a",), ("x",), months(3), np.zeros((1, 1, 3)), "flag", base=np.zeros((1, 4)))


def test_panels_of_a_feed_have_the_same_areas_and_months_and_none_says_nothing() -> None:
    one = Panel("f", "Burglary", ("a",), ("x",), months(3), np.zeros((1, 1, 3)))
    with pytest.raises(ValueError, match="Theft has other areas or months than Burglary"):
        Feed("f", (one, Panel("f", "Theft", ("a",), ("x",), months(4), np.zeros((1, 1, 4)))))
    assert examine(Feed("f", ())) == []


def test_a_panel_of_earlier_does_not_know_codes_of_later() -> None:
    counts = np.ones((1, 2, 6))
    counts[0, 1, :4] = 0
    panel = Panel("f", "Burglary", ("a",), ("old", "new"), months(6), counts)
    assert panel.until(4).children == ("old",)
    assert panel.until(5).children == ("old", "new")


def test_counting_tends_to_change_in_april_and_after_a_go_live() -> None:
    panel = Panel("f", "p", ("a",), ("x",), months(3), np.ones((1, 1, 3)))
    feed = Feed("f", (panel,), usual_days=frozenset({date(2024, 2, 28), date(2015, 10, 1)}))
    usual = [m for y in (2015, 2024) for n in range(1, 13) if feed.is_usual(m := date(y, n, 1))]
    assert usual == [date(2015, 4, 1), date(2015, 10, 1), date(2024, 3, 1), date(2024, 4, 1)]
