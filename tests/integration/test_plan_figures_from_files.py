"""The plan's figures twice: from the marts, and with pandas from the files that the agencies delivered."""

from __future__ import annotations

import math

import pytest
from conftest import PlanWarehouse
from delivered_files import Delivered
from figures_from_files import figures
from marts_helpers import query

PLANS_YEAR = 2016
# shares are kept to six decimals and printed as per cent
AS_GOOD_AS_EQUAL = 5.1e-5


def of_the_marts(warehouse: PlanWarehouse, year: int) -> dict[str, float | None]:
    """The marts' figures of a year; that of the year before is held as a figure of its own year."""
    own, before = (f"{each}/{(each + 1) % 100:02}" for each in (year, year - 1))
    rows = query(
        warehouse.settings,
        f"""
        select figure_id, computed_value from build_partnership.plan_measure
        where financial_year = case figure_id when 'police_trafficking_previous' then '{before}' else '{own}' end
        """,
    )
    return {figure: None if value is None else float(value) for figure, value in rows}


def differing(from_files: dict[str, float], from_marts: dict[str, float | None]) -> dict[str, tuple[object, object]]:
    """Figures whose two values differ; what can't be worked out (a change since before the records) is None in both."""
    known = {figure: None if math.isnan(value) else value for figure, value in from_files.items()}
    return {
        figure: (value, from_marts.get(figure))
        for figure, value in known.items()
        if value != pytest.approx(from_marts.get(figure), abs=AS_GOOD_AS_EQUAL)
    }


def test_the_plans_year_is_the_same_from_the_files_as_from_the_marts(
    plan_warehouse: PlanWarehouse, delivered: Delivered
) -> None:
    from_files = figures(delivered, PLANS_YEAR)
    rows = query(plan_warehouse.settings, "select figure_id, computed_value from build_partnership.plan_figure")
    from_marts = {figure: None if value is None else float(value) for figure, value in rows}
    assert len(from_files) >= 140
    assert differing(from_files, from_marts) == {}


@pytest.mark.parametrize("year", [2012, 2015])
def test_another_year_is_the_same_from_the_files_as_from_the_marts(
    plan_warehouse: PlanWarehouse, delivered: Delivered, year: int
) -> None:
    from_files = figures(delivered, year)
    the_plans = figures(delivered, PLANS_YEAR)
    # the year is another one: its figures are not the plan's
    assert sum(from_files[figure] != the_plans[figure] for figure in from_files) > 100
    assert differing(from_files, of_the_marts(plan_warehouse, year)) == {}
