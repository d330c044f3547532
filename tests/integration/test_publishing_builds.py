"""The ledger of builds: when there is something to build, what a build sees, and that a crash blocks nothing."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from publishing_helpers import deliver, scalar
from saferkc.publishing import BuildInProgressError, begin_build, finish_build
from saferkc.recording.decisions import decide
from saferkc.recording.ledger import add_change, say_anew
from saferkc.settings import Settings
from saferkc.warehouse.connection import connect

CHANGE = {
    "series": "Burglary - Residential", "parent_series": "Burglary", "feed": "mps_recorded_crime", "geography": "all",
    "effective_month": "2018-01-01", "kind": "recording", "nature": "split", "confidence": 0.7, "evidence": {},
    "state": "suspected", "register_id": None, "treatment": "break",
}  # fmt: skip


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """A warehouse with one delivery and a dbt project of its own, which a test can change."""
    root = tmp_path / "checkout"
    (root / "dbt_project" / "models").mkdir(parents=True)
    (root / "dbt_project" / "models" / "a.sql").write_text("select 1")
    (root / "expectations" / "suites").mkdir(parents=True)
    (root / "expectations" / "suites" / "core.yaml").write_text("schema: core")
    own = replace(settings, project_root=root)
    with connect(own) as connection:
        deliver(connection)
    return own


def mark(settings: Settings, build_id: int | None, state: str) -> None:
    with connect(settings) as connection:
        connection.execute(
            "update quality.build set state = %s, finished_at = now() where build_id = %s", (state, build_id)
        )


def test_the_first_build_sees_every_admitted_delivery(settings: Settings) -> None:
    with connect(settings) as connection:
        deliver(connection, state="refused", reason="it is cut short", rows_in=0, rows_admitted=0)
        second = deliver(connection, feed="mps_recorded_crime")
    start = begin_build(settings, run_id="scheduled__1")
    assert start.full_refresh
    seen = "select array_agg(delivery_id order by delivery_id) from quality.build_delivery where build_id = "
    assert scalar(settings, f"{seen}{start.build_id}") == [1, second]
    assert scalar(settings, "select airflow_run_id from quality.build") == "scheduled__1"


def test_nothing_is_built_when_nothing_changed_since_the_published_build(settings: Settings) -> None:
    first = begin_build(settings)
    mark(settings, first.build_id, "published")
    assert begin_build(settings).build_id is None
    assert scalar(settings, "select count(*) from quality.build") == 1
    assert begin_build(settings, full_refresh=True).full_refresh


def test_a_decision_on_a_change_in_counting_is_built_and_a_suspicion_waits(settings: Settings) -> None:
    mark(settings, begin_build(settings).build_id, "published")
    with connect(settings) as connection:
        add_change(connection, CHANGE)
    assert begin_build(settings).build_id is None
    with connect(settings) as connection:
        decide(connection, 1, "confirmed", by="analyst", note="the Met said so")
    start = begin_build(settings)
    assert start.build_id is not None
    assert not start.full_refresh
    mark(settings, start.build_id, "published")
    assert begin_build(settings).build_id is None
    with connect(settings) as connection:
        decide(connection, 1, "rejected", by="analyst", note="they took it back")
    assert begin_build(settings).build_id is not None
    told = "select array[decided_by, decision_note] from quality.recording_change where decided_at is not null"
    assert scalar(settings, told) == ["analyst", "they took it back"]


def test_a_change_says_when_what_marts_read_of_it_changed(settings: Settings) -> None:
    changed_at = "select changed_at from quality.recording_change"
    with connect(settings) as connection:
        add_change(connection, CHANGE)
    first = scalar(settings, changed_at)
    with connect(settings) as connection:
        shares = [{"from_class": "Other", "to_class": "Residential", "weight": 0.3}]
        say_anew(connection, 1, CHANGE | {"confidence": 0.9, "evidence": {"sentences": ["surer"], "code_map": shares}})
    assert scalar(settings, changed_at) == first
    with connect(settings) as connection:
        say_anew(connection, 1, CHANGE | {"treatment": "bridge"})
    assert scalar(settings, changed_at) > first


@pytest.mark.parametrize("known", [{"state": "registered", "register_id": "burglary_2017"}, {"kind": "real"}])
def test_a_change_of_which_marts_read_nothing_leaves_them_alone(settings: Settings, known: dict[str, str]) -> None:
    changed_at = "select changed_at from quality.recording_change"
    with connect(settings) as connection:
        add_change(connection, CHANGE | known)
        say_anew(connection, 1, CHANGE | known | {"effective_month": "2018-02-01"})
    assert scalar(settings, changed_at) is None
    with connect(settings) as connection:
        say_anew(connection, 1, CHANGE)
    assert scalar(settings, changed_at) is not None, "now it is one that the marts mark"


def test_a_new_delivery_is_built_incrementally(settings: Settings) -> None:
    first = begin_build(settings)
    mark(settings, first.build_id, "published")
    with connect(settings) as connection:
        deliver(connection)
    second = begin_build(settings)
    assert second.build_id == 2
    assert not second.full_refresh


@pytest.mark.parametrize("state", ["held", "failed"])
def test_a_build_that_was_not_published_is_tried_again(settings: Settings, state: str) -> None:
    mark(settings, begin_build(settings).build_id, "published")
    with connect(settings) as connection:
        deliver(connection)
    mark(settings, begin_build(settings).build_id, state)
    again = begin_build(settings)
    assert again.build_id == 3
    assert not again.full_refresh


def test_a_changed_project_is_built_anew_until_it_is_published(settings: Settings) -> None:
    mark(settings, begin_build(settings).build_id, "published")
    model = settings.dbt_project_dir / "models" / "a.sql"
    model.write_text("select 2")
    changed = begin_build(settings)
    assert changed.full_refresh
    mark(settings, changed.build_id, "failed")
    # back to the old project: tables may be of either by now
    model.write_text("select 1")
    with connect(settings) as connection:
        deliver(connection)
    back = begin_build(settings)
    assert back.full_refresh
    mark(settings, back.build_id, "published")
    with connect(settings) as connection:
        deliver(connection)
    assert not begin_build(settings).full_refresh


def test_a_changed_suite_is_audited_again_without_building_anew(settings: Settings) -> None:
    mark(settings, begin_build(settings).build_id, "published")
    (settings.project_root / "expectations" / "suites" / "core.yaml").write_text("schema: core # stricter")
    start = begin_build(settings)
    assert start.build_id == 2
    assert not start.full_refresh


def test_what_dbt_writes_while_it_works_is_no_change_of_the_project(settings: Settings) -> None:
    mark(settings, begin_build(settings).build_id, "published")
    for folder in ("target", "logs"):
        (settings.dbt_project_dir / folder).mkdir()
        (settings.dbt_project_dir / folder / "manifest.json").write_text("{}")
    (settings.dbt_project_dir / ".user.yml").write_text("id: 1")
    assert begin_build(settings).build_id is None


def test_the_same_project_elsewhere_is_the_same_project(settings: Settings, tmp_path: Path) -> None:
    mark(settings, begin_build(settings).build_id, "published")
    shutil.move(settings.project_root, tmp_path / "moved")
    assert begin_build(replace(settings, project_root=tmp_path / "moved")).build_id is None


def test_a_build_left_running_by_a_crash_is_closed_with_a_reason_and_an_alert(settings: Settings) -> None:
    crashed = begin_build(settings)
    second = begin_build(settings)
    assert second.build_id != crashed.build_id
    state = f"select state || ': ' || reason from quality.build where build_id = {crashed.build_id}"
    assert str(scalar(settings, state)).startswith("failed: It broke off before its end")
    assert scalar(settings, "select state from quality.alert where dedup_key = 'build:failed'") == "open"
    assert scalar(settings, "select count(*) from quality.build where state = 'running'") == 1


def test_a_build_that_is_still_at_work_is_waited_for(settings: Settings) -> None:
    begin_build(settings)
    with psycopg.connect(settings.warehouse_url, application_name="dbt") as at_work:
        at_work.execute("select 1")
        with pytest.raises(BuildInProgressError, match="a build is at work"):
            begin_build(settings, patience_seconds=0.3)
    assert begin_build(settings).build_id == 2


def test_the_first_end_of_a_build_stands(settings: Settings) -> None:
    start = begin_build(settings)
    assert start.build_id is not None
    assert finish_build(settings, start.build_id, state="failed", reason="dbt stopped")
    assert not finish_build(settings, start.build_id, state="held", reason="later")
    assert scalar(settings, "select state || ': ' || reason from quality.build") == "failed: dbt stopped"
