"""What is read from dbt's manifest and results."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from saferkc.publishing.manifest import ManifestError, published_models, run_results


def manifest(folder: Path, **node: object) -> Path:
    model = {
        "resource_type": "model",
        "name": "fct_crime",
        "alias": "fct_crime",
        "schema": "build_core",
        "config": {"materialized": "incremental", "meta": {"primary_key": ["crime_key"], "publish": "changed"}},
    } | node
    staging = model | {"schema": "staging", "name": "stg", "config": {}}
    path = folder / "manifest.json"
    path.write_text(json.dumps({"nodes": {"model.saferkc.fct_crime": model, "model.saferkc.stg": staging}}))
    return path


def test_marts_are_published_and_staging_is_not(tmp_path: Path) -> None:
    (model,) = published_models(manifest(tmp_path))
    assert (model.name, model.build_schema, model.primary_key, model.rows) == (
        "core.fct_crime",
        "build_core",
        ("crime_key",),
        "changed",
    )


def test_a_model_is_published_whole_unless_it_says_otherwise(tmp_path: Path) -> None:
    (model,) = published_models(manifest(tmp_path, config={"meta": {"primary_key": ["k"]}}))
    assert model.rows == "all"


@pytest.mark.parametrize(
    ("node", "fault"),
    [
        ({"config": {"meta": {}}}, "fct_crime has no meta.primary_key"),
        ({"config": {"meta": {"primary_key": ["k"], "publish": "some"}}}, "must be all or changed, not some"),
        ({"schema": "core"}, "no model to publish"),
    ],
)
def test_what_can_not_be_published_is_said(tmp_path: Path, node: dict[str, object], fault: str) -> None:
    with pytest.raises(ManifestError, match=fault):
        published_models(manifest(tmp_path, **node))


def test_a_missing_manifest_or_result_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="no manifest"):
        published_models(tmp_path / "manifest.json")
    with pytest.raises(ManifestError, match="did not come to its end"):
        run_results(tmp_path / "run_results.json")


def test_results_keep_names_and_counts_but_not_dbts_messages(tmp_path: Path) -> None:
    entries = [
        {"unique_id": "test.saferkc.unique_ward.4f1c", "status": "fail", "failures": 3, "message": "Got Mr Somebody"},
        {"unique_id": "unit_test.saferkc.dim_ward.names_fold", "status": "pass", "failures": 0, "message": None},
        {"unique_id": "model.saferkc.dim_ward", "status": "success", "failures": None, "message": "INSERT 1"},
    ]
    path = tmp_path / "run_results.json"
    path.write_text(json.dumps({"results": entries}))
    test, unit, model = run_results(path)
    assert (test.kind, test.name, test.rows) == ("test", "unique_ward", 3)
    assert (unit.kind, unit.name) == ("unit_test", "names_fold")
    assert (model.kind, model.name) == ("model", "dim_ward")
    assert "Somebody" not in str([test, unit, model])
