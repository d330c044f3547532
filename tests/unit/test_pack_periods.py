"""What a pack compares a span with: as recorded, by the rule of today, or nothing, and why."""

from __future__ import annotations

from datetime import date

import pytest
from pydantic import ValidationError
from saferkc.pack.outline import Outline, OutlineError, read_outline
from saferkc.pack.periods import Comparison, Span, compare, financial_year, spans_of
from saferkc.pack.read import Month
from saferkc.recording.months import months_before, months_between

RULE = date(2017, 4, 1)
MAY = date(2017, 5, 1)


def held(month: date, *, off: float = 0.0, is_comparable: bool = True, is_restated: bool = False) -> Month:
    """A month of 50; before the rule restated to 60, within bounds of ``off`` either way."""
    is_first_year = RULE <= month < date(2018, 4, 1)
    comparable = 60.0 if is_restated and month < RULE else 50.0
    if month >= RULE:
        off = 0.0
    return Month(
        month, 50, comparable, comparable - off, comparable + off,
        "break" if is_first_year and not is_comparable else "comparable", "",
        0 if is_comparable or not is_first_year else None,
        -10.0 if is_restated else None, "" if is_comparable or not is_first_year else "The rule changed.", True, True,
    )  # fmt: skip


def series(**options: object) -> dict[date, Month]:
    months = months_between(date(2016, 1, 1), date(2017, 12, 1))
    return {month: held(month, **options) for month in months}  # type: ignore[arg-type]


def test_spans_are_a_month_three_months_and_the_financial_year_to_date() -> None:
    month, quarter, year = spans_of(MAY)
    assert (month.title, quarter.title, year.title) == ("May 2017", "March to May 2017", "April to May 2017")
    assert spans_of(date(2018, 1, 1))[1].title == "November 2017 to January 2018"
    assert quarter.year_before().title == "March to May 2016"
    assert (financial_year(date(2017, 3, 1)), financial_year(RULE)) == ("2016/17", "2017/18")


def test_what_may_be_compared_is_compared_as_recorded() -> None:
    assert compare(series(), spans_of(MAY)[2]) == Comparison(100, 100.0, 100.0, 100.0)


def test_across_a_break_nothing_is_compared_and_the_reason_is_told() -> None:
    compared = compare(series(is_comparable=False), spans_of(MAY)[0])
    assert compared == Comparison(50, reason="The rule changed.", is_break=True)


def test_across_a_break_an_exact_figure_of_today_is_added_up() -> None:
    compared = compare(series(is_comparable=False, is_restated=True), spans_of(MAY)[2])
    assert (compared.now, compared.before, compared.basis, compared.is_estimate) == (100, 120.0, "today", False)


def test_an_estimate_stands_with_its_bounds_for_a_month_and_is_never_added_up() -> None:
    months = series(is_comparable=False, is_restated=True, off=4.0)
    month = compare(months, spans_of(MAY)[0])
    assert (month.before, month.low, month.high, month.is_estimate) == (60.0, 56.0, 64.0, True)
    year = compare(months, spans_of(MAY)[2])
    assert (year.now, year.before, year.is_break) == (100, None, True)
    assert "must not be added up" in year.reason


def test_a_span_with_a_month_that_has_not_been_delivered_has_no_figure() -> None:
    months = series()
    del months[RULE]
    assert compare(months, spans_of(MAY)[2]).now is None
    assert compare(months, spans_of(MAY)[0]).now == 50
    del months[months_before(MAY, 12)]
    assert compare(months, Span((MAY,))) == Comparison(50)


def test_the_outline_of_the_board_holds_together_and_a_wrong_one_is_refused() -> None:
    outline = read_outline("board")
    assert len(outline.sections) == 7
    row = {"label": "A", "mart": "vawg.vawg_monthly", "class": "rape"}
    for rows, more, said in [
        ([row, row], {}, "stands twice"),
        ([row], {"charts": ["B"]}, "no row has"),
        ([row | {"by_month": False}], {"charts": ["A"]}, "shows months"),
        ([row], {"plan": [{"figure": "f", "part": "p"}]}, "needs part and whole"),
        ([row], {"plan": [{"figure": "f", "part": "p", "whole": "w"}]}, "needs the mart"),
    ]:
        section = {"title": "T", "about": "", "rows": rows} | more
        with pytest.raises(ValidationError, match=said):
            Outline.model_validate({"title": "T", "sections": [section]})
    with pytest.raises(OutlineError, match=r"no pack for \.\./board"):
        read_outline("../board")
