"""The gate: what may be shown of a count, and that nothing shown together gives a suppressed count away."""

from __future__ import annotations

from pathlib import Path

import hypothesis
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from saferkc.contracts import load_contracts
from saferkc.disclosure import (
    Cell,
    DisclosureError,
    Equality,
    Gated,
    Ranges,
    Rule,
    gate_change,
    gate_count,
    gate_range,
    gate_share,
    protect,
    read_rules,
)
from saferkc.disclosure.gate import least_and_most
from saferkc.privacy.sensitivity import is_open
from saferkc.settings import Settings
from scipy.optimize import linprog

CHECKOUT = Path(__file__).resolve().parents[2]
DEFAULT = Rule(suppress_up_to=7, round_to=5, values_left=5)
RULES = st.builds(
    lambda step, more, left: Rule(
        suppress_up_to=step // 2 + more, round_to=step, values_left=min(left, step // 2 + more + 1)
    ),
    st.integers(2, 12), st.integers(0, 12), st.integers(0, 8),
)  # fmt: skip


@pytest.mark.parametrize(
    ("count", "shown"), [(0, None), (7, None), (8, 10), (10, 10), (12, 10), (13, 15), (1_998, 2_000), (None, None)]
)
def test_by_the_default_7_or_fewer_are_suppressed_and_the_rest_rounded_to_5(
    count: int | None, shown: int | None
) -> None:
    gated = gate_count(read_rules(CHECKOUT / "expectations" / "disclosure.yaml").rule("board", "vawg.any"), count)
    assert gated == Gated(shown, is_suppressed=count is not None and shown is None)


@given(RULES, st.floats(0, 10_000))
def test_a_shown_count_is_a_multiple_near_it_and_never_one_that_the_rule_suppresses(rule: Rule, count: float) -> None:
    shown = gate_count(rule, count)
    if shown.is_suppressed:
        assert shown.value is None
        assert count < rule.suppress_up_to + 1
    else:
        assert shown.value is not None
        assert shown.value % rule.round_to == 0
        assert shown.value > 0
        assert abs(shown.value - count) <= rule.round_to / 2


@given(RULES, st.integers(0, 3_000))
def test_a_count_lies_where_readers_of_the_rounded_one_must_look_for_it(rule: Rule, count: int) -> None:
    shown = gate_count(rule, count).value
    if shown is not None:
        low, high = least_and_most(rule, shown)
        assert low <= count <= high
        # and the bounds are the closest ones: one step further is shown otherwise
        assert gate_count(rule, high + 1).value != shown
        assert gate_count(rule, low - 1).value != shown


@given(RULES, st.floats(0, 500), st.floats(0, 200), st.floats(0, 200))
def test_bounds_of_an_estimate_are_rounded_outwards_and_never_to_a_small_number(
    rule: Rule, low: float, up: float, further: float
) -> None:
    value, high = low + up, low + up + further
    shown = gate_range(rule, value, low, high)
    if shown.is_suppressed:
        assert (shown.value, shown.low, shown.high) == (None, None, None)
        assert low < rule.suppress_up_to + 1
    else:
        assert shown.low is not None and shown.high is not None and shown.value is not None
        assert shown.high >= high
        assert shown.low <= max(low, least := gate_count(rule, rule.suppress_up_to + 1).value or 0)
        assert shown.low >= least


@given(st.integers(0, 400), st.integers(1, 400))
def test_shares_are_of_rounded_counts_and_changes_too(part: int, more: int) -> None:
    whole = part + more
    share = gate_share(DEFAULT, part, whole)
    part_shown, whole_shown = gate_count(DEFAULT, part), gate_count(DEFAULT, whole)
    change = gate_change(part_shown, whole_shown)
    if part_shown.is_suppressed or whole_shown.is_suppressed:
        assert share == change == Gated(None, is_suppressed=True)
    else:
        assert part_shown.value is not None and whole_shown.value is not None
        assert share.value == pytest.approx(part_shown.value / whole_shown.value)
        assert change.value == part_shown.value - whole_shown.value


def test_no_figure_is_not_a_suppressed_figure_and_neither_is_zero() -> None:
    assert gate_count(DEFAULT, None) == Gated(None)
    assert gate_change(Gated(None), Gated(10)) == Gated(None)
    assert gate_share(DEFAULT, None, 100) == Gated(None)
    assert gate_count(DEFAULT, 0) == Gated(None, is_suppressed=True)
    with pytest.raises(ValueError, match="0 or more"):
        gate_count(DEFAULT, -1)
    with pytest.raises(ValueError, match="0 or more"):
        gate_count(DEFAULT, float("nan"))


def values_left(cells: list[Cell], equalities: list, hidden: frozenset) -> dict:  # type: ignore[type-arg]
    """An attack of its own, by all that is shown: how many numbers each suppressed cell may still be."""
    parts = sorted({part for cell in cells for part in cell.parts} | {p for w, o in equalities for p in (w, *o)})
    rows, limits = [], []
    for cell in cells:
        row = np.array([float(part in cell.parts) for part in parts])
        if cell.count <= 7:
            rows.append(row)
            limits.append(7)
        elif cell.key not in hidden:
            shown = int((cell.count + 2) // 5 * 5)
            rows += [row, -row]
            limits += [shown + 2, -max(8, shown - 2)]
    equal = [np.array([float(part == whole) - float(part in of) for part in parts]) for whole, of in equalities]
    found = {}
    for cell in cells:
        if cell.count <= 7:
            aim = np.array([float(part in cell.parts) for part in parts])
            ends = [
                sign * linprog(sign * aim, rows, limits, equal or None, [0] * len(equal) or None, (0, None)).fun
                for sign in (1, -1)
            ]
            found[cell.key] = int(np.floor(ends[1] + 1e-6) - np.ceil(ends[0] - 1e-6) + 1)
    return found


def table(counts: list[list[int]]) -> tuple[list[Cell], list[Equality]]:
    """Classes by month with the sums over months, and a class that is the sum of the classes."""
    rows = [*counts, [sum(column) for column in zip(*counts, strict=True)]]
    names = [*(f"class {number}" for number in range(len(counts))), "all"]
    cells = []
    for name, row in zip(names, rows, strict=True):
        for month, count in enumerate(row):
            part = f"{name}, {month}"
            cells.append(Cell(part, count, frozenset({part}), importance=1 + (name == "all")))
        months = frozenset(f"{name}, {month}" for month in range(len(row)))
        cells.append(Cell(f"{name}, year", sum(row), months, importance=3 + (name == "all")))
    equalities: list[Equality] = [
        (f"all, {month}", frozenset(f"{name}, {month}" for name in names[:-1])) for month in range(len(rows[0]))
    ]
    return cells, equalities


def test_without_a_second_suppression_a_total_gives_a_suppressed_count_away_and_with_it_none_does() -> None:
    cells, equalities = table([[20, 31, 18], [7, 12, 4]])
    control = values_left(cells, equalities, frozenset())
    assert {key for key, left in control.items() if left < DEFAULT.values_left} == {"class 1, 0", "class 1, 2"}
    hidden = protect(DEFAULT, cells, equalities)
    assert min(values_left(cells, equalities, hidden).values()) >= DEFAULT.values_left
    # the total matters more than a class of a month
    assert hidden
    assert not any("all" in str(key) or "year" in str(key) for key in hidden)


@hypothesis.settings(max_examples=40)
@given(st.integers(1, 3).flatmap(
    lambda months: st.lists(st.lists(st.integers(0, 30), min_size=months, max_size=months), min_size=2, max_size=3)
))  # fmt: skip
def test_no_table_gives_a_suppressed_count_away(counts: list[list[int]]) -> None:
    cells, equalities = table(counts)
    hidden = protect(DEFAULT, cells, equalities)
    left = values_left(cells, equalities, hidden)
    assert all(values >= DEFAULT.values_left for values in left.values()), (counts, hidden, left)
    # nothing is given up where nothing is suppressed
    assert left or not hidden


@given(st.lists(st.integers(0, 40), min_size=2, max_size=6), st.sets(st.integers(0, 5), max_size=2))
def test_one_sum_is_attacked_by_arithmetic_as_the_solver_would(counts: list[int], hidden: set[int]) -> None:
    cells = [Cell(str(number), count, frozenset({str(number)})) for number, count in enumerate(counts)]
    cells.append(Cell("all", sum(counts), frozenset({"all"})))
    equalities: list[Equality] = [("all", frozenset(map(str, range(len(counts)))))]
    given_up = frozenset(map(str, hidden))
    ranges = Ranges(DEFAULT, cells, equalities, given_up)
    assert {cell.key: ranges.attack(cell).values for cell in ranges.suppressed} == values_left(
        cells, equalities, given_up
    )
    found = protect(DEFAULT, cells, equalities)
    assert min(values_left(cells, equalities, found).values(), default=5) >= DEFAULT.values_left


def test_what_was_shown_before_stays_and_the_newer_figure_is_given_up() -> None:
    cells = [
        Cell("to November", 22, frozenset("ab"), importance=9, is_fixed=True),
        Cell("December", 6, frozenset("c"), importance=9),
        Cell("to December", 28, frozenset("abc"), importance=1),
    ]
    # at most 22 before, at least 28 with December
    assert protect(DEFAULT, cells) == {"to December"}


def test_what_can_not_be_is_said() -> None:
    cells = [Cell("whole", 50, frozenset({"w"})), Cell("part", 3, frozenset({"p"}))]
    with pytest.raises(ValueError, match="contradict"):
        protect(DEFAULT, cells, [("w", frozenset({"p"}))])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("round_to: 5", "round_to: 20"), "rounded to 0"),
        (("values_left: 5", "values_left: 9"), "can't be 9 different numbers"),
        (("board: {about_people: small_numbers, open", "board: {about_people: none, open"), "not there: none"),
        (("board: {about_people: small_numbers, open: as_counted}", "board: {open: as_counted}"), "one rule for each"),
        (("- vawg.vawg_london_monthly", "- burglary.burglary_monthly"), "several sensitivities"),
        (("round_to: 5", "round: 5"), "rules.small_numbers.round"),
        (("rules:", "rules: ["), "is no YAML"),
    ],
)
def test_rules_that_make_no_sense_are_refused(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    text = (CHECKOUT / "expectations" / "disclosure.yaml").read_text()
    assert change[0] in text
    broken = tmp_path / "disclosure.yaml"
    broken.write_text(text.replace(*change))
    with pytest.raises(DisclosureError, match=said):
        read_rules(broken)


def test_only_feeds_that_anybody_may_read_are_open() -> None:
    settings = Settings.load()
    contracts = load_contracts(settings.contracts_dir)
    feeds = [name.removeprefix("raw.") for name in read_rules(settings.disclosure_file).sensitivities["open"]
             if name.startswith("raw.")]  # fmt: skip
    assert feeds and all(is_open(contracts[feed]) for feed in feeds)


def test_who_has_no_rule_is_told_and_a_relation_that_nobody_judged_is_about_people() -> None:
    rules = read_rules(Settings.load().disclosure_file)
    assert rules.rule("board", "some.new_mart").suppress_up_to == 7
    assert rules.rule("board", "vawg.vawg_london_monthly").round_to == 1
    assert rules.rule("engineers", "some.new_mart").round_to == 1
    assert rules.strictest("some.new_mart").suppress_up_to == 7, "the strictest, whoever may see more"
    assert rules.strictest("raw.mps_recorded_crime").suppress_up_to == -1
    with pytest.raises(DisclosureError, match="no audience press"):
        rules.rule("press", "vawg.vawg_monthly")
    with pytest.raises(DisclosureError, match="can't be read"):
        read_rules(Path("/nowhere/disclosure.yaml"))
