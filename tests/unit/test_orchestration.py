"""Running Airflow for a home: its environment, waiting for ingest runs, and the pages of the DAGs."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from saferkc.contracts import load_contracts
from saferkc.orchestration.airflow import _fingerprint
from saferkc.orchestration.connections import _of_variables, faulty_connections
from saferkc.orchestration.environment import airflow_environment, remember_secrets
from saferkc.orchestration.pages import ingest_page
from saferkc.orchestration.waiting import wait_for_ingests
from saferkc.settings import Settings
from saferkc.warehouse.embedded import home_id


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    settings = Settings.load(tmp_path / "home")
    settings.remember(postgres_port=5999, postgres_password="p@ss word")  # noqa: S106
    remember_secrets(settings)
    return settings


def test_secrets_are_chosen_once_and_readable_by_their_owner_only(home: Settings) -> None:
    before = home.runtime()
    remember_secrets(home)
    assert home.runtime() == before
    assert home.runtime_file.stat().st_mode & 0o077 == 0


def test_settings_of_the_shell_for_another_airflow_do_not_leak_in(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "CeleryExecutor")
    monkeypatch.setenv("AIRFLOW_CONFIG", "/somewhere/else.cfg")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    environment = airflow_environment(home)
    assert environment["AIRFLOW__CORE__EXECUTOR"].endswith("LocalExecutor")
    assert "AIRFLOW_CONFIG" not in environment
    assert "PYTHONDONTWRITEBYTECODE" not in environment


def test_connections_to_agencies_that_variables_set_reach_airflow_and_a_change_of_them_restarts_it(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = _fingerprint(home)
    monkeypatch.setenv("AIRFLOW_CONN_SAFERKC_POLICE", "sftp://user@host")
    monkeypatch.setenv("AIRFLOW_CONN_SAFERKC_COUNCIL", '{"conn_type": "http"}')
    monkeypatch.setenv("AIRFLOW_CONN_SAFERKC_TMO", "{")
    monkeypatch.setenv("AIRFLOW_CONN_ANOTHER", "sftp://user@host")
    environment = airflow_environment(home)
    assert environment["AIRFLOW_CONN_SAFERKC_POLICE"] == "sftp://user@host"
    assert "AIRFLOW_CONN_ANOTHER" not in environment
    assert _of_variables(environment) == {"saferkc_police": "sftp", "saferkc_council": "http", "saferkc_tmo": ""}
    assert _fingerprint(home) != before


def test_nothing_reports_home(home: Settings) -> None:
    environment = airflow_environment(home)
    assert environment["AIRFLOW__COSMOS__ENABLE_TELEMETRY"] == "False"
    assert environment["GX_ANALYTICS_ENABLED"] == "False"
    assert environment["DBT_SEND_ANONYMOUS_USAGE_STATS"] == "False"


def test_two_homes_share_nothing_but_the_checkout(home: Settings, tmp_path: Path) -> None:
    other = Settings.load(tmp_path / "other")
    other.remember(postgres_port=5998, postgres_password="another")  # noqa: S106
    remember_secrets(other)
    mine, theirs = airflow_environment(home), airflow_environment(other)
    shared = [name for name, value in mine.items() if str(home.home) in value and theirs[name] == value]
    assert shared == []
    assert home_id(home) != home_id(other)
    assert mine["AIRFLOW__API__SECRET_KEY"] != theirs["AIRFLOW__API__SECRET_KEY"]


def test_build_waits_until_no_ingest_run_is_under_way() -> None:
    left = {"ingest_a": 3, "ingest_b": 1}

    def count(dag_id: str) -> int:
        left[dag_id] = max(0, left[dag_id] - 1)
        return left[dag_id]

    wait_for_ingests(["a", "b"], count, poll_seconds=0)
    assert left == {"ingest_a": 0, "ingest_b": 0}


def test_ingest_that_never_ends_is_named() -> None:
    with pytest.raises(TimeoutError, match=r"still being taken in after 0 h: b$"):
        wait_for_ingests(["a", "b"], lambda dag: int(dag == "ingest_b"), poll_seconds=0, timeout_seconds=0)


def test_page_of_every_feed_says_how_to_replay_it() -> None:
    settings = Settings.load()
    contracts = load_contracts(settings.contracts_dir)
    assert contracts
    for feed, contract in contracts.items():
        page = ingest_page(contract)
        assert f"saferkc backfill --feed {feed} " in page
        assert contract.operation.schedule in page


def test_an_error_while_connections_are_tried_shows_no_secret(home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = subprocess.CompletedProcess([], 1, "", "Traceback ...\nValueError: not a key: s3cret\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: ended)
    assert faulty_connections(home) == {"Airflow": "its connections can't be read: ValueError"}
