"""From counted cells to what the detector takes: months, holes, codes that are no news, and feeds that stand beside."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from saferkc.recording import Feed, KnownChange, Panel, Rate, examine
from saferkc.recording.faults import find_faults
from saferkc.recording.levels import beside
from saferkc.recording.months import months_between
from saferkc.recording.rates import find_rate_steps
from saferkc.recording.reading.beside import Sister, sisters_of
from saferkc.recording.reading.counts import Cell
from saferkc.recording.reading.panels import panels_of
from saferkc.recording.reading.trees import Tree
from saferkc.recording.reading.window import Window, begins

JANUARY = date(2012, 1, 1)
MONTHS = months_between(JANUARY, date(2016, 12, 1))
TREE = Tree("feed", "feed", "", "'All'", "r.kind", series={"All": "all_of_it"})


def cell(child: str | None, month: date | None, count: float, area: str = "here") -> Cell:
    return Cell(area, "All", child, month, count, ())


def test_a_feed_begins_where_its_records_do_and_not_with_a_stray_of_the_past() -> None:
    totals = dict.fromkeys(MONTHS, 100.0) | {date(1999, 5, 1): 1.0, date(2017, 1, 1): 40.0}
    assert begins(totals, MONTHS[-1]) == JANUARY
    assert Window(True, None, MONTHS[-1], None).months(totals) == MONTHS
    assert begins({}, MONTHS[-1]) is None
    assert Window(True, None, date(1998, 1, 1), None).months(totals) == ()


def test_a_month_that_no_delivery_covers_is_not_known_and_one_without_records_is_zero() -> None:
    months = MONTHS[:3]
    cells = [cell("a", months[0], 5), cell("a", months[2], 7, "there")]
    (panel,) = panels_of(TREE, cells, months, frozenset((months[0], months[2])))
    assert panel.series == "all_of_it"
    np.testing.assert_array_equal(panel.counts[:, 0], [[5, np.nan, 0], [0, np.nan, 7]])
    (panel,) = panels_of(replace(TREE, absent_is_unknown=True), cells, months)
    np.testing.assert_array_equal(panel.counts[:, 0], [[5, np.nan, np.nan], [np.nan, np.nan, 7]])


def test_a_rare_code_that_the_contract_lists_and_one_used_long_ago_are_no_news() -> None:
    cells = [
        *(cell("usual", month, 50) for month in MONTHS),
        cell("rare and listed", MONTHS[30], 1), cell("rare", MONTHS[30], 1),
        *(cell("listed and common", month, 9) for month in MONTHS[30:]),
        *(cell("used before", month, 9) for month in (None, *MONTHS[30:])),
    ]  # fmt: skip
    (panel,) = panels_of(TREE, cells, MONTHS, known=frozenset({"rare and listed", "listed and common"}))
    assert panel.listed == {"rare and listed", "used before"}


def test_classes_that_overlap_stand_beside_all_of_their_whole() -> None:
    tree = replace(TREE, is_joined=True)
    cells = [cell("a", JANUARY, 3), cell("b", JANUARY, 4), cell(None, JANUARY, 5)]
    (panel,) = panels_of(tree, cells, [JANUARY])
    assert (panel.dimension, panel.total.item(), panel.counts.sum()) == ("flag", 5, 7)


def panel(name: str, counts: np.ndarray, areas: tuple[str, ...] = ("here",), first: int = 0, series: str = "") -> Panel:
    return Panel("feed", name, areas, ("a", "b"), MONTHS[first:], counts, series=series)


def test_a_sister_has_the_months_and_areas_that_both_have() -> None:
    ours = Feed("ours", (panel("Burglary", np.full((1, 2, 60), 10.0), series="burglary"),))
    other = np.arange(2 * 2 * 24, dtype=float).reshape(2, 2, 24)
    theirs = Feed("theirs", (panel("BURGLARIES", other, ("there", "here"), 36, "burglary"),))
    (name, counts) = sisters_of(ours, Sister("ours", ("theirs",)), [theirs])["Burglary"]
    assert name == "theirs"
    assert np.isnan(counts[0, :36]).all()
    np.testing.assert_array_equal(counts[0, 36:], other[1].sum(axis=0))
    unlike = Feed("theirs", (panel("Robbery", other, ("there", "here"), 36, "robbery"),))
    assert sisters_of(ours, Sister("ours", ("theirs",)), [unlike]) == {}


def test_a_sister_that_begins_later_is_asked_from_there_on() -> None:
    level = np.random.default_rng(3).poisson(200, 60).astype(float)
    stepped = level * np.where(np.arange(60) >= 45, 1.5, 1.0)
    for counts, moves in ((level, False), (stepped, True)):
        counts[:12] = np.nan
        look = beside(counts, 45, 0.5)
        assert look is not None
        assert (look.moves, look.level) == (moves, not moves)
    assert beside(level, 5, 0.5) is None, "not there yet"


def test_a_rate_begins_with_the_first_month_that_has_records() -> None:
    records = np.where(np.arange(60) >= 20, 400.0, 0.0)[None]
    share = np.where(np.arange(60) >= 45, 0.3, 0.05)
    (step,) = find_rate_steps((Rate("late", "system", records * share, records),), 12)
    assert step.place == 45
    assert find_rate_steps((Rate("late", "system", records * 0.05, records),), 12) == []


@pytest.mark.parametrize("same_records", [False, True])
def test_a_sister_of_the_same_records_that_moves_too_does_not_make_a_step_real(same_records: bool) -> None:
    chance = np.random.default_rng(1)
    areas = tuple(f"area {number}" for number in range(6))
    counts = chance.poisson(100, (6, 2, 60)).astype(float)
    counts[:, :, 39:] *= 1.5  # April
    feed = Feed(
        "feed", (panel("Violence", counts, areas),), {"Violence": ("publication", counts.sum(axis=1))},
        frozenset({"publication"} if same_records else ()),
    )  # fmt: skip
    (change,) = examine(feed)
    assert change.lead.kind == ("unsure" if same_records else "real")


def test_a_whole_that_ceases_in_a_feed_of_one_area_is_no_crime_figure() -> None:
    chance = np.random.default_rng(2)
    counts = chance.poisson(60, (1, 2, 60)).astype(float)
    counts[:, :, 40:] = chance.poisson(1, (1, 2, 20))
    entry = KnownChange("moved", "fraud", date(2011, 4, 1), date(2015, 4, 30), "scope", "break", "It moves away")
    (change,) = examine(Feed("feed", (panel("Fraud", counts, series="fraud"),)), [entry])
    lead = change.lead
    assert (lead.kind, lead.nature, lead.treatment, lead.register_id) == ("recording", "scope", "break", "moved")
    counts[:, :, 40:] = chance.poisson(30, (1, 2, 20))
    assert {c.lead.kind for c in examine(Feed("feed", (panel("Fraud", counts),)))} == {"real"}, "half of it can go"


def flags(entry_ends: date | None) -> list[str]:
    """What is said of a flag that steps in all areas where the register has an entry for its series."""
    chance = np.random.default_rng(4)
    areas = tuple(f"area {number}" for number in range(6))
    counts = chance.poisson(40, (6, 2, 60)).astype(float)
    counts[:, 0, 40:] = chance.poisson(80, (6, 20))
    whole = chance.poisson(2000, (6, 60)).astype(float)
    given = replace(
        panel("All offences", counts, areas), dimension="flag", base=whole, child_series={"a": "hate_crime"}
    )
    entry = KnownChange("rule", "hate_crime", date(2015, 5, 1), entry_ends, "system", "break", "A rule")
    return [change.lead.kind for change in examine(Feed("feed", (given,)), [entry])]


def test_a_step_of_a_flag_needs_a_day_and_not_a_range_of_years() -> None:
    assert flags(None) == ["recording"]
    assert flags(date(2018, 12, 31)) == []


def test_flags_that_fall_together_are_no_short_delivery() -> None:
    counts = np.random.default_rng(6).poisson(60, (1, 4, 60)).astype(float)
    counts[:, :, -1] = np.round(counts[:, :, -1] * 0.5)
    given = Panel("feed", "All", ("here",), ("a", "b", "c", "d"), MONTHS, counts)
    assert [fault.kind for fault in find_faults([given], 50)] == ["incomplete"]
    as_flags = replace(given, dimension="flag", base=np.full((1, 60), 5000.0))
    assert find_faults([as_flags], 50) == []


def test_types_drawn_anew_are_no_renames_because_two_short_names_are_alike() -> None:
    chance = np.random.default_rng(8)
    old = {name: chance.poisson(60, 60).astype(float) for name in ("Noise", "Begging", "Trespass", "Rowdy behaviour")}
    new = {name: chance.poisson(80, 60).astype(float) for name in ("Nuisance", "Personal", "Environmental")}
    before = np.arange(60) < 39
    counts = np.stack([*(v * before for v in old.values()), *(v * ~before for v in new.values())])[None]
    (change,) = examine(Feed("calls", (Panel("calls", "All calls", ("here",), (*old, *new), MONTHS, counts),)))
    assert (change.lead.nature, change.lead.treatment) == ("merge", "bridge")
    assert "in the place of" not in " ".join(change.evidence)


def test_a_new_code_that_the_whole_does_not_feel_leaves_the_whole_comparable() -> None:
    counts = np.random.default_rng(9).poisson([[[90]], [[40]]], (1, 2, 2, 60))[0].astype(float)[:1]
    small = np.where(np.arange(60) >= 45, 3.0, 0.0)
    given = Panel("feed", "Damage", ("here",), ("Car", "House", "Arson"), MONTHS, np.append(counts, [[small]], axis=1))
    (change,) = examine(Feed("feed", (given,)))
    assert (change.lead.nature, change.lead.treatment, change.lead.bridged_parent) == ("split", "bridge", "Damage")
    assert "too little to matter for Damage as a whole" in " ".join(change.evidence)
    large = np.append(counts, [[small * 20]], axis=1)
    (change,) = examine(Feed("feed", (replace(given, counts=large),)))
    assert (change.lead.nature, change.lead.treatment) == ("scope", "break")
