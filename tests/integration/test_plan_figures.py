"""The plan's figures on the simulated year that it is about, and what is said of those that can't be reproduced."""

from __future__ import annotations

from conftest import PlanWarehouse
from marts_helpers import query

# of which no feed holds anything, or only this borough's part
NEEDS_OTHER_DATA = {
    "area_sq_miles",
    "asb_rank",
    "burglary_concern",
    "cpt_officers",
    "hate_change_1y_london",
    "owl_members",
    "population",
    "tfmv_rate_rank",
    "vawg_da_repeat_rank",
    "vwi_non_domestic_share_london",
}


def test_the_plan_is_reproduced_but_for_what_contradicts_itself_or_no_feed_holds(
    plan_warehouse: PlanWarehouse,
) -> None:
    rows = query(plan_warehouse.settings, "select status, figure_id from build_partnership.plan_figure")
    by_status: dict[str, set[str]] = {}
    for status, figure in rows:
        by_status.setdefault(status, set()).add(figure)
    assert len(rows) == 159
    assert by_status.pop("contradictory") == {"tfmv_accused_kc_share", "vawg_da_share_violence", "vwi_hate_share"}
    assert by_status.pop("needs_other_data") == NEEDS_OTHER_DATA
    assert len(by_status.pop("reproduced")) == 146
    assert by_status == {}, "figures that differ and nobody can say why"


def test_contradictions_are_shown_with_the_plans_own_arithmetic(plan_warehouse: PlanWarehouse) -> None:
    reasons = dict(query(plan_warehouse.settings, "select figure_id, reason from build_partnership.plan_figure"))
    assert "84 + 9 + 7 + 5 = 105 %" in reasons["vawg_da_share_violence"]
    assert "25 of 40 is 62.50 %, as printed 63 %; the plan prints 62 %" in reasons["tfmv_accused_kc_share"]
    hate = reasons["vwi_hate_share"]
    assert "222 being 23 % means a whole of 945 to 986; 46 being 4 % means a whole of 1,023 to 1,314" in hate
    august = reasons["vwi_august_share_cy"]
    assert "222 being 23 % means a whole of 945 to 986; 222 being 22 % means a whole of 987 to 1,032" in august


def test_a_borough_that_two_sources_count_differently_is_not_ranked(plan_warehouse: PlanWarehouse) -> None:
    """The simulated files of all boroughs are not of the simulated world: their figure here is another one."""
    rows = query(
        plan_warehouse.settings,
        "select is_same_count, rank_by_rate_as_published, rank_by_rate_comparable"
        " from build_partnership.london_comparator_financial_year"
        " where offence_class = 'theft_from_motor_vehicle' and financial_year = '2016/17'",
    )
    [(is_same_count, as_published, comparable)] = rows
    assert not is_same_count
    assert as_published is not None
    assert comparable is None
