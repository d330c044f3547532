"""What every mart must say of itself: grain, keys, columns, and of each check what it means."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from layering import BASELINE, breaches

CHECKOUT = Path(__file__).resolve().parents[2]
Node = dict[str, Any]


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The project as dbt reads it; needs no database."""
    target = tmp_path_factory.mktemp("dbt")
    environment = os.environ | {"DBT_TARGET_PATH": str(target), "DBT_LOG_PATH": str(target)}
    finished = subprocess.run(
        [sys.executable, "-m", "dbt.cli.main", "--quiet", "--no-use-colors", "parse"],
        cwd=CHECKOUT / "dbt_project", env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return dict(json.loads((target / "manifest.json").read_text()))


@pytest.fixture(scope="module")
def nodes(manifest: dict[str, Any]) -> dict[str, Node]:
    """Models, seeds, tests and sources."""
    return dict(manifest["nodes"]) | dict(manifest["sources"])


def models(nodes: dict[str, Node], layer: str) -> list[Node]:
    found = [n for n in nodes.values() if n["resource_type"] == "model" and n["fqn"][1] == layer]
    assert found, f"no model in {layer}"
    return found


def checks_on(nodes: dict[str, Node], unique_id: str) -> list[Node]:
    return [n for n in nodes.values() if n["resource_type"] == "test" and n.get("attached_node") == unique_id]


def test_every_mart_is_described_whole_and_its_contract_enforced(nodes: dict[str, Node]) -> None:
    for model in models(nodes, "marts"):
        name = model["name"]
        assert model["description"].startswith("One row "), name
        assert model["config"]["contract"]["enforced"], name
        assert model["schema"] == f"build_{model['fqn'][2]}", name
        assert "build_id" in model["columns"], name
        for column in model["columns"].values():
            assert column["description"].rstrip().endswith("."), f"{name}.{column['name']}"
            assert column["data_type"], f"{name}.{column['name']}"


def test_every_mart_that_takes_rows_from_deliveries_says_whether_they_are_simulated(
    nodes: dict[str, Node],
) -> None:
    # what is made from seeds alone, or lists names and no figures
    without = {"dim_date", "dim_borough", "dim_offence", "dim_recording_regime", "dim_agency"}
    without |= {"funding", "plan_figure_relation", "plan_risk"}
    without |= {"dim_time_band", "dim_age_band", "dim_location_type", "dim_outcome"}
    for model in models(nodes, "marts"):
        assert ("is_simulated" in model["columns"]) == (model["name"] not in without), model["name"]


def test_every_mart_has_a_primary_key_that_is_tested(nodes: dict[str, Node]) -> None:
    for model in models(nodes, "marts"):
        key = model["config"]["meta"]["primary_key"]
        assert set(key) <= set(model["columns"]), model["name"]
        tested = [
            test["test_metadata"]["kwargs"]["columns"]
            for test in checks_on(nodes, model["unique_id"])
            if test["test_metadata"]["name"] == "primary_key"
        ]
        # the rows of a view are those of a fact, whose key is tested; a scan each would cost the night its speed
        assert tested == [key] or (model["config"]["materialized"] == "view" and tested == []), model["name"]


def test_every_key_of_a_fact_is_looked_up_in_its_dimension(nodes: dict[str, Node]) -> None:
    for model in models(nodes, "marts"):
        key = model["config"]["meta"]["primary_key"]
        own = set(key) if len(key) == 1 else set()
        looked_up = {
            test["column_name"]
            for test in checks_on(nodes, model["unique_id"])
            if test["test_metadata"]["name"] == "refers_to"
        }
        keys = {column for column in model["columns"] if column.endswith("_key")} - own
        # people and outcomes may come before their offence, or stay when it is deleted; is_offence_held says so
        if "is_offence_held" in model["columns"]:
            keys -= {"recorded_offence_key"}
        # dim_date is its own dimension of months, a regime's key is that of dim_recording_regime
        if model["name"] in {"dim_date", "dim_recording_regime"} or model["config"]["materialized"] == "view":
            continue
        assert keys <= looked_up, f"{model['name']}: {keys - looked_up}"


def test_every_check_says_what_it_means_and_what_to_do(nodes: dict[str, Node]) -> None:
    checks = [node for node in nodes.values() if node["resource_type"] == "test"]
    assert len(checks) > 50
    for check in checks:
        meta = check["config"]["meta"]
        assert len(meta.get("meaning", "")) > 20, check["name"]
        assert len(meta.get("next_step", "")) > 20, check["name"]
        assert check["config"]["severity"].lower() in {"error", "warn"}, check["name"]


def test_no_model_reads_past_its_layer(nodes: dict[str, Node]) -> None:
    assert breaches(nodes) == BASELINE
    # nothing known is let stand: a new breach is mended, not listed
    assert not BASELINE


def test_somebody_looks_at_every_priority_and_at_published_marts_only(
    manifest: dict[str, Any], nodes: dict[str, Node]
) -> None:
    seen = set()
    for exposure in manifest["exposures"].values():
        assert exposure["owner"]["name"] and len(exposure["description"]) > 20, exposure["name"]
        for key in exposure["depends_on"]["nodes"]:
            assert nodes[key]["fqn"][1] == "marts", f"{exposure['name']} looks at {nodes[key]['name']}"
            seen.add(nodes[key]["fqn"][2])
    assert seen | {"core"} == {model["fqn"][2] for model in models(nodes, "marts")}


def test_no_staging_or_intermediate_model_goes_undescribed(nodes: dict[str, Node]) -> None:
    for model in [*models(nodes, "staging"), *models(nodes, "intermediate")]:
        assert model["description"].startswith("One row "), model["name"]
    seeds = [node for node in nodes.values() if node["resource_type"] == "seed"]
    assert seeds
    for seed in seeds:
        assert seed["description"].startswith("One row "), seed["name"]
        assert all(column["description"] for column in seed["columns"].values()), seed["name"]
