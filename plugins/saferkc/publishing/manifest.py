"""What dbt says of itself: the published models of its manifest, and the results of a run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from saferkc.settings import Settings

BUILD_PREFIX = "build_"


class ManifestError(Exception):
    """dbt's manifest or results can't be used; the message says what is missing."""


@dataclass(frozen=True)
class PublishedModel:
    """A table that publishing copies from ``build_<schema>.<table>`` to ``<schema>.<table>``, or a view made there.

    ``rows`` is 'changed' where only rows stamped since the last published build need comparing.
    """

    schema: str
    table: str
    primary_key: tuple[str, ...]
    rows: Literal["all", "changed"] = "all"
    is_view: bool = False

    @property
    def build_schema(self) -> str:
        """The schema into which dbt builds it."""
        return BUILD_PREFIX + self.schema

    @property
    def name(self) -> str:
        """The published table's name for people."""
        return f"{self.schema}.{self.table}"


@dataclass(frozen=True)
class NodeResult:
    """How one dbt node ended. ``rows`` are the failures that a test counted."""

    unique_id: str
    kind: str
    name: str
    status: str
    rows: int | None


def target_dir(settings: Settings) -> Path:
    """Where dbt writes: the home's own folder where there is one, else the project's."""
    own = settings.home / "dbt" / "target"
    return own if (own / "manifest.json").exists() else settings.dbt_project_dir / "target"


def published_models(manifest: Path) -> list[PublishedModel]:
    """Read the models that are published, by name.

    Raises ``ManifestError`` when there is no manifest, no published model, or one without a primary key.
    """
    if not manifest.exists():
        raise ManifestError(f"dbt has left no manifest at {manifest}: run dbt first")
    nodes: dict[str, dict[str, Any]] = json.loads(manifest.read_text(encoding="utf-8"))["nodes"]
    found = []
    for node in nodes.values():
        if node["resource_type"] not in ("model", "seed") or not node["schema"].startswith(BUILD_PREFIX):
            continue
        config = node.get("config") or {}
        if config.get("enabled") is False or config.get("materialized") == "ephemeral":
            continue
        meta = (node.get("meta") or {}) | (config.get("meta") or {})
        key = tuple(meta.get("primary_key") or ())
        if not key:
            raise ManifestError(f"model {node['name']} has no meta.primary_key, so it can't be published")
        rows = meta.get("publish", "all")
        if rows not in ("all", "changed"):
            raise ManifestError(f"model {node['name']}: meta.publish must be all or changed, not {rows}")
        table = node.get("alias") or node["name"]
        is_view = config.get("materialized") == "view"
        found.append(PublishedModel(node["schema"].removeprefix(BUILD_PREFIX), table, key, rows, is_view))
    if not found:
        raise ManifestError(f"{manifest} holds no model to publish")
    return sorted(found, key=lambda model: model.name)


def run_results(path: Path) -> list[NodeResult]:
    """Read how the nodes of a dbt run ended; raises ``ManifestError`` when the file is not there.

    dbt's messages are left out: those of a failed statement can quote values.
    """
    if not path.exists():
        raise ManifestError(f"dbt has left no results at {path}: it did not come to its end")
    results = json.loads(path.read_text(encoding="utf-8"))["results"]
    return [
        NodeResult(
            unique_id=result["unique_id"],
            kind=result["unique_id"].split(".", 1)[0],
            name=_short_name(result["unique_id"]),
            status=result["status"],
            rows=result.get("failures"),
        )
        for result in results
    ]


def node_descriptions(manifest: Path) -> dict[str, dict[str, Any]]:
    """Return what the manifest says of each test: ``unique_id`` to description, meta, tested column."""
    nodes: dict[str, dict[str, Any]] = json.loads(manifest.read_text(encoding="utf-8"))["nodes"]
    described = {}
    for unique_id, node in nodes.items():
        if node["resource_type"] != "test":
            continue
        config = node.get("config") or {}
        attached = node.get("attached_node")
        tested = nodes.get(attached) if attached else None
        described[unique_id] = {
            "description": node.get("description") or "",
            "meta": (node.get("meta") or {}) | (config.get("meta") or {}),
            "column": node.get("column_name"),
            "table": f"{tested['schema']}.{tested.get('alias') or tested['name']}" if tested else "",
            "test": (node.get("test_metadata") or {}).get("name") or node["name"],
        }
    return described


def _short_name(unique_id: str) -> str:
    # test.saferkc.not_null_dim_ward_ward_key.4f1c… and unit_test.saferkc.model.name
    parts = unique_id.split(".")
    return parts[2] if parts[0] == "test" else parts[-1]
