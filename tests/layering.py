"""Which model may read what: the rules of docs/developing-models.md over dbt's manifest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Node = Mapping[str, Any]

# the one schema whose marts may look into another priority's: what spans them all
SPANNING = "partnership"
# Breaches that are known and let stand, as `breaches` words them. Empty from the first day, and it stays so.
BASELINE: frozenset[str] = frozenset()


def breaches(nodes: Mapping[str, Node]) -> set[str]:
    """Every read of a model that its layer forbids, and every mart without an enforced contract, in words.

    ``nodes`` are the manifest's nodes and sources by their id.
    """
    found: set[str] = set()
    for model in nodes.values():
        if model["resource_type"] != "model":
            continue
        room = _room(model)
        if room not in ("staging", "intermediate") and not model["config"]["contract"]["enforced"]:
            found.add(f"{model['name']} is public and has no enforced contract")
        for parent_id in model["depends_on"]["nodes"]:
            parent = nodes[parent_id]
            if not _may_read(room, parent):
                found.add(f"{model['name']} ({room}) reads {parent['name']} ({_room(parent)})")
    return found


def _room(node: Node) -> str:
    """Layer of a node; of a mart the schema, which is core or a priority."""
    if node["resource_type"] == "source":
        return "accounts" if node["source_name"] == "quality" else "raw"
    if node["resource_type"] != "model":
        return str(node["resource_type"])
    return str(node["fqn"][2] if node["fqn"][1] == "marts" else node["fqn"][1])


def _may_read(room: str, parent: Node) -> bool:
    of_parent = _room(parent)
    # the accounts say which deliveries are new and what they cover; they hold no records
    if of_parent == "accounts":
        return True
    match room:
        case "staging":
            return of_parent == "raw"
        case "intermediate" | "core":
            return of_parent in ("seed", "staging", "intermediate", "core")
        case _ if room == SPANNING:
            return of_parent not in ("raw", "staging")
        case _:
            return of_parent in ("seed", "intermediate", "core", room)
