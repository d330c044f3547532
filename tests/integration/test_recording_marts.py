"""A suspected change goes into the marts of the night that finds it, and the audit's questions find it marked there."""

from __future__ import annotations

import pytest
from loading_helpers import month_after, query
from marts_helpers import begin_build, run_dbt
from recording_helpers import FIRST, deliver_crime, kept_changes
from saferkc.publishing.checks import Checker, Outcome
from saferkc.publishing.suites import load_suites
from saferkc.recording.watch import watch
from saferkc.settings import Settings
from saferkc.warehouse.connection import connect

MOVED_FROM = 40


def asked(settings: Settings, build_id: int) -> dict[str, Outcome]:
    (suite,) = [one for one in load_suites(settings.suites_dir) if one.schema_name == "burglary"]
    (table,) = [one for one in suite.tables if one.table == "burglary_monthly"]
    with Checker(settings) as checker:
        result = checker.run("s", "build_burglary", table.table, [check.check(build_id) for check in table.checks])
    return {outcome.check.name: outcome for outcome in result.outcomes}


@pytest.mark.timeout(1200)
def test_a_suspected_move_is_marked_in_the_marts_of_the_same_night(settings: Settings) -> None:
    # a third of other buildings counts as dwellings and no register knows of it; the rule of April 2017 is yet to come
    deliver_crime(settings, MOVED_FROM + 11, new_name_from=None, moved_from=MOVED_FROM)
    build_id, full_refresh = begin_build(settings)
    watch(settings, build_id)
    problems = run_dbt(
        settings, "--select", "+burglary_monthly", "--indirect-selection", "cautious",
        "--exclude-resource-type", "unit_test", full_refresh=full_refresh,
    )  # fmt: skip
    assert [problem for problem in problems if problem["status"] != "warn"] == []
    (change,) = kept_changes(settings)
    assert (change["kind"], change["state"], change["nature"]) == ("recording", "suspected", "split")
    assert change["effective_month"] == month_after(FIRST, MOVED_FROM)

    marked = query(
        settings,
        "select month, burglary_class, bool_and(comparability = 'provisional'),"
        " bool_or(position('suspected' in coalesce(caveat, '')) > 0)"
        " from build_burglary.burglary_monthly where month >= '2016-03-01' and geography_type = 'borough'"
        " group by 1, 2 order by 1, 2",
    )
    assert marked
    newest = max(month for month, *_ in marked)
    for month, burglary_class, is_provisional, is_suspected in marked:
        concerned = burglary_class != "all" and month >= change["effective_month"]
        assert is_suspected is concerned, (month, burglary_class)
        assert is_provisional is (concerned or month == newest), (month, burglary_class)

    outcomes = asked(settings, build_id)
    assert [name for name, outcome in outcomes.items() if outcome.could_not_run] == []
    told = outcomes["no unregistered break"]
    assert not told.success
    assert told.evidence[0].startswith(f"Change {change['change_id']}: From May 2016 “Burglary in a Dwelling” rose by")
    assert outcomes["no year is compared over a break"].success
    # and a mart that is not marked is found out
    with connect(settings) as connection:
        connection.execute("update build_burglary.burglary_monthly set comparability = 'comparable'")
    assert not asked(settings, build_id)["no year is compared over a break"].success
