"""Code maps: weights that make sense whatever the counts are, and that come near to what the simulation did."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from saferkc.recording import Feed, Panel, examine
from saferkc.recording.bridging import CodeWeight, code_map, code_weights
from saferkc.recording.published import wide_panels
from saferkc.recording.recodes import dual_coded, shifts
from saferkc.simulation.recording_bridges import GAINER, GIVER, recoded
from saferkc.simulation.recording_cases import AREAS, CHANGE, make_case, months

GIVES = {GIVER: [GAINER]}


def weights_of(found: list[CodeWeight], to_class: str = GAINER) -> dict[str | None, CodeWeight]:
    return {weight.area: weight for weight in found if weight.to_class == to_class and weight.from_class != to_class}


def assert_is_code_map(found: list[CodeWeight]) -> None:
    sums: dict[tuple[str, str | None], float] = defaultdict(float)
    for weight in found:
        assert 0 <= weight.weight_low <= weight.weight <= weight.weight_high <= 1
        sums[weight.from_class, weight.area] += weight.weight
    assert all(total == pytest.approx(1, abs=1e-9) for total in sums.values())


@st.composite
def panels(draw: st.DrawFn) -> Panel:
    """Three classes at any level in a few areas, some months not delivered."""
    chance = np.random.default_rng(draw(st.integers(0, 2**32)))
    areas = draw(st.integers(1, 5))
    levels = np.array(draw(st.lists(st.sampled_from([0.0, 0.2, 3.0, 60.0, 2000.0]), min_size=3, max_size=3)))
    after = np.array(draw(st.lists(st.sampled_from([0.0, 0.2, 3.0, 60.0, 2000.0]), min_size=3, max_size=3)))
    length = draw(st.integers(20, 60))
    means = np.where(np.arange(length) < 15, levels[:, None], after[:, None])
    counts = chance.poisson(np.broadcast_to(means, (areas, *means.shape))).astype(float)
    counts[chance.random((areas, 1, length)).repeat(3, axis=1) < 0.02] = np.nan
    names = tuple(f"Area {number}" for number in range(areas))
    return Panel("test", "Whole", names, ("A", "B", "C"), months(length), counts)


@settings(max_examples=60)
@given(panels(), st.sampled_from([{"A": ["B"]}, {"A": ["B", "C"]}, {"A": ["C"], "B": ["C"]}]))
def test_weights_add_up_and_lie_within_their_bounds(panel: Panel, gives: dict[str, list[str]]) -> None:
    # codes that come and go in this noise are other codes: here only the months count
    panel = replace(panel, counts=panel.counts + np.where(np.arange(len(panel.months)) == 2, 1.0, 0.0))
    assert_is_code_map([w for w in code_weights(panel, 15, gives) if {w.from_class, w.to_class} <= {"A", "B", "C"}])


@pytest.mark.parametrize("areas", [1, 9])
@pytest.mark.parametrize("share", [0.15, 0.5])
def test_weights_come_near_to_what_was_recoded(areas: int, share: float) -> None:
    """A weight lies within its bounds nine times in ten; here of twenty recodes, all areas together, at least 15."""
    inside, errors = 0, []
    for seed in range(20):
        case = recoded(seed, 1.0, areas, share)
        found = weights_of(code_weights(case.until(12), case.place, GIVES))[None]
        truth = case.moved.sum() / case.given.sum()
        inside += found.weight_low <= truth <= found.weight_high
        errors.append(found.weight - truth)
    assert inside >= 15
    assert np.mean(np.abs(errors)) < 0.06
    assert abs(np.mean(errors)) < 0.03


def test_more_months_say_no_less_on_average() -> None:
    def width(after: int) -> float:
        found = [weights_of(code_weights(case.until(after), case.place, GIVES))[None] for case in cases]
        return float(np.mean([weight.weight_high - weight.weight_low for weight in found]))

    cases = [recoded(seed, 1.0, 9, 0.3) for seed in range(8)]
    assert width(1) > width(3) > width(12) >= width(24)


def test_the_more_was_recoded_the_more_is_found() -> None:
    found = [weights_of(code_weights(recoded(3, 1.0, 9, share).until(12), CHANGE, GIVES)) for share in (0.1, 0.2, 0.4)]
    for area in found[0]:
        assert found[0][area].weight < found[1][area].weight < found[2][area].weight


def test_an_area_with_hardly_any_records_leans_on_the_others() -> None:
    case = recoded(5, 1.0, 9, 0.3, spread=0.0)
    panel = case.until(12)
    counts = panel.counts.copy()
    counts[4] = np.minimum(counts[4], 1.0)
    counts[5] = 0.0
    found = weights_of(code_weights(replace(panel, counts=counts), case.place, GIVES))
    for area in ("Area 5", "Area 6"):
        assert found[area].weight == pytest.approx(found[None].weight, abs=0.08)
        # what it can't tell itself makes its interval wider than that of all
        assert found[area].weight_high - found[area].weight_low > found[None].weight_high - found[None].weight_low


def test_areas_that_differ_keep_their_own_weights() -> None:
    case = recoded(6, 10.0, 9, 0.3, spread=0.8)
    found = weights_of(code_weights(case.until(12), case.place, GIVES))
    own = [found[f"Area {number}"].weight for number in range(1, 10)]
    assert np.corrcoef(own, case.weights)[0, 1] > 0.9


def test_new_names_of_the_same_month_are_told_by_the_old_ones() -> None:
    """Case 1: 30 % recoded, and both classes renamed in the same month."""
    case = make_case("1", 0)
    assert case.month is not None
    feed = case.at(case.month + 6)
    (change,) = [change for change in examine(feed) if change.lead.whole == "Burglary" and change.lead.kind != "real"]
    rows = [CodeWeight(**row) for row in code_map(feed, change)]
    assert_is_code_map(rows)
    assert {row.area for row in rows} == {None, *AREAS}
    together = {(row.from_class, row.to_class): row for row in rows if row.area is None}
    assert set(together) == {
        ("Other building", "Residential"), ("Other building", "Business and community"), ("Dwelling", "Residential"),
    }  # fmt: skip
    moved = together["Other building", "Residential"]
    assert moved.weight == pytest.approx(0.3, abs=0.06)
    assert together["Dwelling", "Residential"].weight_low == 1


def _with_code(new: str, share: float) -> Panel:
    """A panel in which a part of ``GIVER`` gets a code of its own from the change on."""
    case = recoded(1, 1.0, 4, share, spread=0.0)
    counts = case.panel.counts.copy()
    shown = np.where(np.arange(counts.shape[2]) >= case.place, case.moved, 0.0)
    counts[:, 0] -= shown
    return replace(
        case.until(0), children=(GAINER, GIVER, new), months=case.panel.months[: case.place + 6],
        counts=np.concatenate([counts, shown[:, None]], axis=1)[:, :, : case.place + 6],
    )  # fmt: skip


def test_what_a_new_code_got_is_known_from_the_months_after() -> None:
    panel = _with_code("Unconnected building", 0.3)
    feed = Feed("test", (panel,))
    (change,) = [change for change in examine(feed) if change.lead.kind == "recording"]
    rows = [CodeWeight(**row) for row in code_map(feed, change)]
    assert_is_code_map(rows)
    found = weights_of(rows, "Unconnected building")[None]
    assert found.from_class == GIVER
    assert found.weight_low <= 0.3 <= found.weight_high
    # no level before is needed: two months before it are enough
    late = replace(panel, months=panel.months[CHANGE - 2 :], counts=panel.counts[:, :, CHANGE - 2 :])
    soon = weights_of(code_weights(late, 2, {GIVER: ["Unconnected building"]}), "Unconnected building")[None]
    assert soon.weight == pytest.approx(found.weight, abs=0.01)


def test_a_class_that_ends_gives_all() -> None:
    panel = recoded(1, 1.0, 4, 0.3).panel
    counts = panel.counts.copy()
    counts[:, 0, CHANGE:] += counts[:, 1, CHANGE:]
    counts[:, 1, CHANGE:] = 0
    found = weights_of(code_weights(replace(panel, counts=counts), CHANGE, GIVES))
    assert {(w.weight, w.weight_low, w.weight_high) for w in found.values()} == {(1.0, 1.0, 1.0)}


def test_nothing_is_said_before_the_months_tell_anything() -> None:
    panel = recoded(1, 1.0, 4, 0.3).panel
    assert code_weights(panel.until(CHANGE), CHANGE, GIVES) == []
    assert code_weights(panel, 11, GIVES) == []
    with pytest.raises(ValueError, match="month 11"):
        shifts(panel.counts[:, 1], panel.total, 11)


def test_what_would_tell_less_than_the_figures_as_recorded_is_no_bridge() -> None:
    """5 % of five offences a month in one area alone: any estimate is a guess."""
    case = recoded(2, 0.1, 1, 0.05)
    assert code_weights(case.until(12), case.place, GIVES)
    assert code_weights(case.until(12), case.place, GIVES, only_worth=True) == []
    clear = recoded(2, 1.0, 9, 0.4)
    assert code_weights(clear.until(12), clear.place, GIVES, only_worth=True) == code_weights(
        clear.until(12), clear.place, GIVES
    )


def test_a_real_change_has_no_code_map() -> None:
    feed = make_case("7", 3).feed
    assert all(code_map(feed, change) == [] for change in examine(feed) if change.lead.kind == "real")


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 400)), min_size=1, max_size=8))
def test_records_coded_both_ways_give_weights_within_their_bounds(records: list[tuple[int, int]]) -> None:
    moved = np.array([min(pair) for pair in records], float)
    counted = np.array([max(pair) for pair in records], float)
    if not counted.sum():
        with pytest.raises(ValueError, match="no record"):
            dual_coded(moved, counted)
        return
    for shift in dual_coded(moved, counted):
        assert np.all((shift.weight_low >= 0) & (shift.weight_low <= shift.weight))
        assert np.all((shift.weight_high <= 1) & (shift.weight_high >= shift.weight))
    together = dual_coded(moved, counted)[0]
    assert float(together.weight) == pytest.approx(moved.sum() / counted.sum(), abs=0.5 / (counted.sum() + 1) + 1e-9)


def test_the_burglary_rule_of_2017_moved_about_a_third_and_no_other_april_did(real_data: Path) -> None:
    files = ("borough_level_crime_200801_201612.csv", "borough_level_crime_201701_201812.csv")
    panels = wide_panels([real_data / "mps" / name for name in files], "mps_recorded_crime")
    (burglary,) = [panel for panel in panels if panel.parent == "Burglary"]
    residential, business = "Burglary - Residential", "Burglary - Business and Community"
    april = burglary.months.index(date(2017, 4, 1))
    for after in (3, 6, 12, 20):
        found = weights_of(code_weights(burglary.until(april + after), april, {business: [residential]}), residential)
        # the register's first estimate, made another way
        assert 0.22 <= found[None].weight <= 0.47
        home = found["Kensington and Chelsea"]
        assert home.weight_low <= 0.3 <= home.weight_high
    before = burglary.until(burglary.months.index(date(2016, 12, 1)))
    old = {"Burglary in Other Buildings": ["Burglary in a Dwelling"]}
    for year in (2012, 2013, 2014, 2015):
        place = before.months.index(date(year, 4, 1))
        none = weights_of(code_weights(before.until(place + 12), place, old), "Burglary in a Dwelling")
        assert none[None].weight_low == 0
