"""The drawn stars show what checks look up, and CI is told when they are not in step."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from saferkc.publishing import diagram
from saferkc.publishing.manifest import ManifestError
from saferkc.settings import Settings


def model(schema: str, name: str, key: list[str], columns: list[str], description: str) -> dict[str, Any]:
    return {
        "resource_type": "model",
        "name": name,
        "schema": f"build_{schema}",
        "description": description,
        "columns": {column: {"data_type": "bigint"} for column in columns},
        "config": {"meta": {"primary_key": key}},
    }


def looked_up(table: str, column: str, dimension: str) -> dict[str, Any]:
    return {
        "resource_type": "test",
        "name": f"refers_to_{table}_{column}",
        "schema": "scratch",
        "test_metadata": {"name": "refers_to"},
        "attached_node": f"model.{table}",
        "column_name": column,
        "depends_on": {"nodes": [f"model.{dimension}", f"model.{table}"]},
    }


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    nodes = {
        "model.dim_ward": model("core", "dim_ward", ["ward_key"], ["ward_key"], "One row a ward. It has a code."),
        "model.fct_offence": model(
            "core", "fct_offence", ["recorded_offence_key"],
            ["recorded_offence_key", "ward_key", "residence_ward_key", "age"], "One row a recorded offence.",
        ),
        "model.vawg_monthly": model(
            "vawg", "vawg_monthly", ["month"], ["month", "ward_key"], "One row a month | ward."
        ),
        "test.1": looked_up("fct_offence", "ward_key", "dim_ward"),
        "test.2": looked_up("fct_offence", "residence_ward_key", "dim_ward"),
        "test.3": looked_up("vawg_monthly", "ward_key", "dim_ward"),
    }  # fmt: skip
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps({"nodes": nodes}))
    return path


def test_a_fact_is_drawn_with_its_keys_and_a_line_for_each_that_is_looked_up(manifest: Path) -> None:
    page = diagram.stars(manifest)
    assert (
        "    fct_offence {\n"
        "        bigint recorded_offence_key PK\n"
        "        bigint residence_ward_key FK\n"
        "        bigint ward_key FK\n"
        "    }\n"
        "    dim_ward ||--o{ fct_offence : residence_ward_key\n"
        "    dim_ward ||--o{ fct_offence : ward_key\n"
    ) in page
    assert "| `dim_ward` | One row a ward. | ward_key |" in page


def test_marts_of_a_priority_are_listed_and_not_drawn(manifest: Path) -> None:
    page = diagram.stars(manifest)
    assert "### vawg\n" in page
    assert "| `vawg_monthly` | One row a month \\| ward. | month |" in page
    assert "vawg_monthly {" not in page


def test_a_page_is_stale_until_it_is_drawn_and_again_when_a_model_changes(tmp_path: Path, manifest: Path) -> None:
    settings = Settings(home=tmp_path, project_root=tmp_path, external_warehouse_url=None)
    (tmp_path / "docs").mkdir()
    assert diagram.stale(settings, manifest)
    assert diagram.draw(settings, manifest)
    assert not diagram.stale(settings, manifest)
    assert not diagram.draw(settings, manifest)
    manifest.write_text(manifest.read_text().replace("residence_ward_key", "home_ward_key"))
    assert diagram.stale(settings, manifest)


def test_a_manifest_without_facts_is_no_manifest_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    with pytest.raises(ManifestError, match="run dbt first"):
        diagram.stars(path)
    path.write_text(json.dumps({"nodes": {}}))
    with pytest.raises(ManifestError, match="no fact"):
        diagram.stars(path)
