"""Airflow's DAGs as a user meets them: all there, each with its page, owner and tags."""

from __future__ import annotations

import pytest
from home_helpers import Home
from saferkc.contracts import load_contracts
from saferkc.orchestration.airflow import expected_dags
from saferkc.orchestration.client import AirflowClient


@pytest.fixture(scope="module")
def dags(running_home: Home) -> dict[str, dict[str, object]]:
    client = AirflowClient(running_home.settings)
    assert client.import_errors() == []
    return {dag["dag_id"]: client.dag(dag["dag_id"]) for dag in client.dags()}


def test_there_is_a_dag_for_each_contract_one_for_the_warehouse_and_one_that_looks(
    dags: dict[str, dict[str, object]], running_home: Home
) -> None:
    feeds = load_contracts(running_home.settings.contracts_dir)
    assert len(dags) > 5
    assert set(dags) == expected_dags(running_home.settings)
    by_feed = {f"ingest_{feed}" for feed in feeds}
    assert set(dags) == {"warehouse", "alerts", "performance_pack", "monitoring"} | by_feed


def test_every_dag_has_a_page_that_says_why_it_is_safe_and_how_to_replay(
    dags: dict[str, dict[str, object]],
) -> None:
    for dag_id, dag in dags.items():
        page = str(dag["doc_md"])
        assert "safe to run again" in page, dag_id
        assert "When." in page, dag_id
        assert "replay" in page or dag_id in ("warehouse", "monitoring"), dag_id


def test_every_dag_has_owner_impact_tier_and_triage(dags: dict[str, dict[str, object]]) -> None:
    for dag_id, dag in dags.items():
        tags = {tag["name"] for tag in dag["tags"]}  # type: ignore[attr-defined]
        assert dag["owners"] and dag["owners"] != ["airflow"], dag_id
        assert len(tags & {"tier_1", "tier_2", "tier_3"}) == 1, dag_id
        assert any(tag.startswith("triage/") for tag in tags), dag_id


def test_every_dag_runs_by_london_time_one_run_at_a_time_and_catches_nothing_up(
    dags: dict[str, dict[str, object]],
) -> None:
    for dag_id, dag in dags.items():
        assert dag["is_paused"] is False, dag_id
        assert dag["catchup"] is False, dag_id
        assert dag["max_active_runs"] == 1, dag_id
        assert dag["timetable_summary"], dag_id
