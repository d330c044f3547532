"""A suspected change goes into the marts of the night that finds it, and the audit's questions find it marked there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any
from urllib.parse import urlsplit

import pytest
from conftest import PlanWarehouse
from loading_helpers import month_after, query
from marts_helpers import NewWarehouse, begin_build, run_dbt
from recording_helpers import FIRST, deliver_crime, kept_changes
from saferkc.publishing.checks import Checker, Outcome
from saferkc.publishing.suites import load_suites
from saferkc.recording.decisions import decide
from saferkc.recording.ledger import add_change
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


HOME, FROM = "E09000020", date(2016, 9, 1)
# (mart, its classes), of the marts that count by what the findings below are about
MARTS = {
    "asb.asb_monthly": "asb_class", "vawg.vawg_service_monthly": "service_class", "vawg.vawg_monthly": "vawg_class",
    "vawg.vawg_repeat_victim_monthly": "victim_class", "hate_crime.hate_crime_monthly": "hate_crime_class",
    "serious_youth_violence.serious_youth_violence_monthly": "violence_class",
    "mopac_local.mopac_local_monthly": "offence_class",
}  # fmt: skip
OF_THE_LEDGER = (
    "int_recording__classes_of_labels", "int_recording__findings", "int_recording__code_maps_found",
    "int_recording__changes_by_class", "recording_code_weight",
)  # fmt: skip


@pytest.fixture(scope="module")
def built(
    plan_warehouse: PlanWarehouse, new_warehouse: NewWarehouse, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """A copy of the plan's warehouse, and a build in it."""
    database = urlsplit(plan_warehouse.settings.warehouse_url).path.lstrip("/")
    with new_warehouse(tmp_path_factory.mktemp("findings"), database) as settings:
        begin_build(settings, full_refresh=True)
        yield settings


def found(feed: str, series: str, whole: str, **other: Any) -> dict[str, Any]:
    """A suspected change of this borough: a break, or with ``bridged`` a move within its whole."""
    bridged, classes = other.pop("bridged", False), other.pop("classes", [series])
    return {
        "series": series, "parent_series": whole, "feed": feed, "geography": HOME, "effective_month": FROM,
        "kind": "recording", "nature": "split" if bridged else "scope", "confidence": 0.9, "state": "suspected",
        "register_id": None, "treatment": "bridge" if bridged else "break",
        "evidence": {"classes": classes, "areas": [HOME], "bridged_parent": whole if bridged else None},
    } | other  # fmt: skip


FINDINGS = [
    found("tmo_asb_cases", "Cannabis", "All cases"),
    found("council_enforcement_actions", "Littering notice", "Waste"),
    found("police_asb_incidents", "Personal", "All incidents", bridged=True, classes=["Personal", "Nuisance"]),
    found("angelou_referrals", "Sexual violence", "All referrals", bridged=True,
          classes=["Sexual violence", "Sexual exploitation"]),
    found("police_offences", "Knife used to injure", "All offences", bridged=True),
    found(f"police_offences by ward of {HOME}", "Colville", "All offences", bridged=True, treatment="break",
          nature="geography", classes=["Colville", "Norland"]),
]  # fmt: skip
COUNTED = {
    ("asb_monthly", name)
    for name in (
        "landlord_all", "landlord_priority_a", "landlord_priority_b", "landlord_priority_c", "council_all",
        "council_waste", "police_personal", "police_nuisance",
    )
} | {
    ("vawg_service_monthly", "angelou_sexual_violence"), ("vawg_service_monthly", "angelou_sexual_exploitation"),
    ("serious_youth_violence_monthly", "knife_injury"),
    ("serious_youth_violence_monthly", "knife_injury_outside_carnival"),
    ("serious_youth_violence_monthly", "robbery_with_knife_injury"),
}  # fmt: skip


def marked(settings: Settings) -> tuple[set[tuple[str, str]], set[tuple[str, str, str | None]], set[tuple[str, str]]]:
    """What is said to be suspected: classes of the borough, (mart, ward) with all of its classes, and what else."""
    classes, wards, partly = set(), set(), set()
    for mart, column in MARTS.items():
        schema, table = mart.split(".")
        rows = query(
            settings,
            f"""
            select {column}, ward_name, bool_and(is_due = (is_said and comparability <> 'comparable')) as is_whole
            from (
                select *, coalesce(caveat, '') like '%%not confirmed%%' as is_said,
                    month >= '{FROM}' and month < '{FROM.replace(year=FROM.year + 1)}' as is_due
                -- a service counts for other boroughs as well
                from build_{schema}.{table} where borough_code = '{HOME}'
            ) as rows group by 1, 2 having bool_or(is_said)
            """,
        )
        every = {row[0] for row in query(settings, f"select distinct {column} from build_{schema}.{table}"
                                                    " where geography_type = 'ward'")}  # fmt: skip
        for name, ward, is_whole in rows:
            if not is_whole:
                partly.add((table, name))
            elif ward is None:
                classes.add((table, name))
        for ward in {row[1] for row in rows if row[1]}:
            if {row[0] for row in rows if row[1] == ward} == every:
                wards.add((table, ward))
            else:
                classes |= {(table, f"{row[0]} of a ward") for row in rows if row[1] == ward and row[0] not in every}
    return classes, wards, partly


@pytest.mark.timeout(1200)
def test_what_is_found_in_any_feed_marks_the_series_that_count_it_and_no_other(built: Settings) -> None:
    with connect(built) as connection:
        for finding in FINDINGS:
            add_change(connection, finding)
    models = [*OF_THE_LEDGER, *(mart.split(".")[1] for mart in MARTS)]
    assert run_dbt(built, "--select", *models, verb="run") == []
    classes, wards, partly = marked(built)
    assert partly == set()
    assert classes == COUNTED
    # whoever counts by ward; a ward has a few classes of its borough
    by_ward = {mart.split(".")[1] for mart in MARTS} - {"vawg_repeat_victim_monthly"}
    assert wards == {(table, ward) for table in by_ward for ward in ("Colville", "Norland")}

    with connect(built) as connection:
        decide(connection, 2, "confirmed", by="analyst", note="a new law")
    assert run_dbt(built, "--select", *OF_THE_LEDGER, "asb_monthly", verb="run") == []
    rows = query(
        built,
        "select asb_class, bool_and(comparability = 'break' and change_on_same_month_last_year is null),"
        f" bool_and(records_comparable is null) from build_asb.asb_monthly where month between '{FROM}' and"
        f" '{FROM.replace(year=FROM.year + 1, month=8)}' and geography_type = 'borough' group by 1 order by 1",
    )
    assert [name for name, is_broken, _ in rows if is_broken] == ["council_all", "council_waste"]
    before = query(
        built,
        "select distinct asb_class from build_asb.asb_monthly where geography_type = 'borough'"
        f" and month < '{FROM}' and records_comparable is null and asb_class like 'council%%' order by 1",
    )
    assert before == [("council_all",), ("council_waste",)]
