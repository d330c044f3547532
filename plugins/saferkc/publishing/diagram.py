"""``docs/stars.md``: the stars as dbt knows them, drawn from the manifest and kept in the repository.

The lines of the diagrams are the checks that look a key up in its dimension, so a picture can't show a join that
nothing verifies. ``stale`` is what CI asks.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from saferkc.publishing.manifest import BUILD_PREFIX, ManifestError
from saferkc.settings import Settings

_NOTICE = "Generated from dbt's manifest by `saferkc docs diagram`: change the models, not this file."
_CORE = "core"


@dataclass(frozen=True)
class _Line:
    """A key column of a table and the dimension in which a check looks it up."""

    table: str
    column: str
    dimension: str


def stars_file(settings: Settings) -> Path:
    """Where the diagrams are kept."""
    return settings.project_root / "docs" / "stars.md"


def draw(settings: Settings, manifest: Path) -> bool:
    """Write the diagrams where they are stale; returns whether they were. Raises ``ManifestError``."""
    if not stale(settings, manifest):
        return False
    stars_file(settings).write_text(stars(manifest), encoding="utf-8")
    return True


def stale(settings: Settings, manifest: Path) -> bool:
    """Whether the diagrams are missing or do not show the models of ``manifest``. Raises ``ManifestError``."""
    path = stars_file(settings)
    return not path.exists() or path.read_text(encoding="utf-8") != stars(manifest)


def stars(manifest: Path) -> str:
    """Return the page: a star for each fact and bridge, the dimensions, and the marts of each priority.

    Raises ``ManifestError`` when there is no manifest, or no fact in it.
    """
    if not manifest.exists():
        raise ManifestError(f"dbt has left no manifest at {manifest}: run dbt first")
    nodes: dict[str, dict[str, Any]] = json.loads(manifest.read_text(encoding="utf-8"))["nodes"]
    marts = {
        key: node
        for key, node in sorted(nodes.items(), key=lambda item: str(item[1]["name"]))
        if node["resource_type"] == "model" and node["schema"].startswith(BUILD_PREFIX)
    }
    lines = sorted(_lines(nodes, marts), key=lambda line: (line.table, line.column))
    core = [node for node in marts.values() if _schema(node) == _CORE]
    dimensions = [node for node in core if node["name"].startswith("dim_")]
    facts = [node for node in core if node not in dimensions]
    if not facts:
        raise ManifestError(f"{manifest} holds no fact in {BUILD_PREFIX}{_CORE}")
    priorities = sorted({_schema(node) for node in marts.values()} - {_CORE})
    parts = [
        f"<!-- {_NOTICE} -->\n# The stars\n",
        "Each line is a key that a check of every build looks up in its dimension. Member 0 of a dimension is *not"
        " known*, and -1, where a row can be without a value, *not applicable*: no row is lost in a join.\n",
        "## Dimensions\n\n" + _table(dimensions),
        "## Facts\n",
        *(_star(fact, [line for line in lines if line.table == fact["name"]]) for fact in facts),
        "## Priorities\n",
        *(
            f"### {schema}\n\n" + _table([node for node in marts.values() if _schema(node) == schema])
            for schema in priorities
        ),
    ]
    return "\n".join(parts)


def _schema(node: Mapping[str, Any]) -> str:
    return str(node["schema"]).removeprefix(BUILD_PREFIX)


def _lines(nodes: Mapping[str, Mapping[str, Any]], marts: Mapping[str, Mapping[str, Any]]) -> Iterator[_Line]:
    for node in nodes.values():
        if (node.get("test_metadata") or {}).get("name") != "refers_to" or node.get("attached_node") not in marts:
            continue
        own = node["attached_node"]
        # a dimension that looks up a member of itself reads one table only
        others = [key for key in node["depends_on"]["nodes"] if key != own] or [own]
        yield _Line(marts[own]["name"], node["column_name"], nodes[others[0]]["name"])


def _grain(node: Mapping[str, Any]) -> str:
    """The first sentence of the description, which is the grain."""
    return str(node["description"]).split(". ")[0].rstrip(".").replace("|", "\\|") + "."


def _table(models: list[dict[str, Any]]) -> str:
    rows = [
        f"| `{node['name']}` | {_grain(node)} | {', '.join(node['config']['meta']['primary_key'])} |" for node in models
    ]
    return "\n".join(["| table | grain | key |", "|---|---|---|", *rows]) + "\n"


def _star(fact: Mapping[str, Any], lines: list[_Line]) -> str:
    keys = list(dict.fromkeys([*fact["config"]["meta"]["primary_key"], *(line.column for line in lines)]))
    primary = fact["config"]["meta"]["primary_key"]
    looked_up = {line.column for line in lines}
    marks = {key: ", ".join([*["PK"] * (key in primary), *["FK"] * (key in looked_up)]) for key in keys}
    drawn = [
        "```mermaid",
        "erDiagram",
        f"    {fact['name']} {{",
        *(f"        {fact['columns'][key]['data_type']} {key} {marks[key]}" for key in keys),
        "    }",
        *(f"    {line.dimension} ||--o{{ {line.table} : {line.column}" for line in lines),
        "```",
    ]
    return f"### {fact['name']}\n\n{_grain(fact)}\n\n" + "\n".join(drawn) + "\n"
