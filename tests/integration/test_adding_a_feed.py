"""A feed is added with one contract and one staging model: what docs/adding-a-feed.md says, done in a copy."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from marts_helpers import NewWarehouse, query, run_dbt
from saferkc.contracts import load_contracts
from saferkc.contracts.generate import generate, stale
from saferkc.landing import receive
from saferkc.loading import load_arrivals
from saferkc.publishing import check_deliveries
from saferkc.settings import Settings
from saferkc.warehouse.migrate import migrate

CHECKOUT = Path(__file__).resolve().parents[2]
FEED = "lfb_deliberate_fires"
PAGE = CHECKOUT / "docs" / "adding-a-feed.md"
FILES = re.compile(r"^`(?P<path>[\w/.]+)`:\n\n```\w+\n(?P<content>.*?)^```$", re.MULTILINE | re.DOTALL)
SENT = """\
IncidentNumber,DateTimeOfCall,StopCodeDescription,PropertyCategory,IncGeo_WardCode,UPRN,AddressQualifier,Postcode_full
000101-01042017,01/04/2017 00:30,Primary Fire,Dwelling,E05009394,217000001,Correct incident location,W10 6DZ
000102-02042017,02/04/2017 23:10,Secondary Fire,Outdoor,E05009396,,On land,W10 5AA
000103-03042017,03/04/2017 03:05,Primary Fire,Hot air balloon,E05009396,217000001,In street,W10 5AA
000104-04042017,31/04/2017 03:05,Primary Fire,Road Vehicle,E05009396,217000002,In street,W10 5AA
000105-05042017,05/04/2017 03:05,Primary Fire,Road Vehicle,E05009396,217000003,In street,W10 5AA
000106-06042017,06/04/2017 03:05,Primary Fire,Road Vehicle,E05009396,217000004,In street,W10 5AA
"""


@dataclass(frozen=True)
class Added:
    """A copy of the project with the feed added, and what was written into it by hand."""

    settings: Settings
    written: list[Path]
    not_in_step: list[Path]


@pytest.fixture(scope="module")
def added(
    new_warehouse: NewWarehouse, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Added]:
    project = tmp_path_factory.mktemp("project")
    leave = shutil.ignore_patterns("target", "logs", "__pycache__")
    for part in ("expectations", "dbt_project", "dags", "docs"):
        shutil.copytree(CHECKOUT / part, project / part, ignore=leave)
    written = []
    for file in FILES.finditer(PAGE.read_text(encoding="utf-8")):
        path = project / file["path"]
        assert not path.exists(), f"{file['path']} is there already"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file["content"], encoding="utf-8")
        written.append(path)
    with new_warehouse(tmp_path_factory.mktemp("added"), template_database) as own:
        settings = replace(own, project_root=project)
        not_in_step = stale(settings)
        generate(settings)
        migrate(settings)
        yield Added(settings, written, not_in_step)


def test_it_takes_a_contract_and_a_staging_model_and_no_python(added: Added) -> None:
    root = added.settings.project_root
    assert sorted(str(path.relative_to(root)) for path in added.written) == [
        "dbt_project/models/staging/lfb/stg_lfb__deliberate_fires.sql",
        "dbt_project/models/staging/lfb/stg_lfb__deliberate_fires.yml",
        "expectations/contracts/lfb_deliberate_fires.yaml",
    ]
    assert set(load_contracts(added.settings.contracts_dir)) > {FEED, "police_offences"}


def test_what_follows_from_the_contract_is_named_until_it_is_written(added: Added) -> None:
    root = added.settings.project_root
    assert [str(path.relative_to(root)) for path in added.not_in_step] == [
        "dbt_project/models/staging/lfb/_sources.yml",
        "docs/data-dictionary.md",
    ]
    assert stale(added.settings) == []
    assert FEED in (root / "docs" / "data-dictionary.md").read_text(encoding="utf-8")


def test_its_dag_appears(added: Added) -> None:
    program = (
        "import runpy, sys; found = runpy.run_path(sys.argv[1]);"
        f"dag = found['ingest_{FEED}']; print(sorted(t.task_id for t in dag.tasks), *sorted(dag.tags))"
    )
    environment = os.environ | {
        "SAFERKC_PROJECT_ROOT": str(added.settings.project_root),
        "AIRFLOW_HOME": str(added.settings.home / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    }
    found = subprocess.run(
        [sys.executable, "-c", program, str(added.settings.dags_dir / "ingest.py")],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    said = found.stdout.splitlines()[-1]
    assert {"'check'", "'land'", "'load'"} <= set(re.findall(r"'\w+'", said))
    assert said.endswith("Community safety analysts ingest tier_3 triage/engineers")


def test_a_delivery_runs_through_to_the_staging_model(added: Added) -> None:
    settings = added.settings
    inbox = settings.inbox / "lfb"
    inbox.mkdir(parents=True)
    (inbox / "simulated_Deliberate fires 2017-04.csv").write_text(SENT, encoding="utf-8")
    summary = load_arrivals(settings, FEED, receive(settings, FEED))
    assert query(settings, "select state, rows_in, rows_admitted, rows_quarantined from quality.delivery") == [
        ("admitted", 6, 5, 1)
    ]
    assert query(settings, "select line_number, column_name, rule from quality.quarantine") == [
        (5, "called_at", "type")
    ]
    checks = check_deliveries(settings, FEED, summary.delivery_ids)
    assert (checks.failed, checks.warnings) == (0, 1), checks.reasons  # what burned was never sent before
    assert run_dbt(settings, "--select", "stg_lfb__deliberate_fires") == []
    rows = query(
        settings,
        "select incident_id_lfb, called_at, called_local_at, property_category, premises_token, is_simulated"
        " from staging.stg_lfb__deliberate_fires order by 1",
    )
    assert [row[0][:6] for row in rows] == ["000101", "000102", "000103", "000105", "000106"]
    first, second, third = rows[:3]
    assert first[1:3] == (datetime(2017, 3, 31, 23, 30, tzinfo=UTC), datetime(2017, 4, 1, 0, 30))
    assert third[3] == "Hot air balloon"
    assert first[4] == third[4] and re.fullmatch(r"\w+:[0-9a-f]{32}", first[4])
    assert second[4] is None
    assert all(row[5] for row in rows)


def test_the_house_reference_is_nowhere_in_the_warehouse(added: Added) -> None:
    """Runs after the delivery: what stood under UPRN, or was to be ignored, is in no table."""
    held = query(added.settings, f"select string_agg(t::text, ' ') from raw.{FEED} as t")[0][0]
    assert held and "217000001" not in held and "W10" not in held
    spoilt = str(query(added.settings, "select * from quality.quarantine"))
    assert "217000002" not in spoilt
