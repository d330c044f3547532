"""Small contracts made for one test each, without a file."""

from __future__ import annotations

from typing import Any

from saferkc.contracts import Contract

_LOGICAL = {
    "text": "string",
    "date": "date",
    "timestamptz": "timestamp",
    "double precision": "number",
    "integer": "integer",
    "bigint": "integer",
    "boolean": "boolean",
}


def column(name: str, kind: str = "text", origin: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A column whose heading is its name, unless ``origin`` says where else it stands."""
    return {
        "name": name,
        "logicalType": _LOGICAL[kind],
        "physicalType": kind,
        "description": name,
        "classification": "public",
        "customProperties": [{"property": "origin", "value": origin or {"headings": [name]}}],
    } | more


def small_contract(columns: list[dict[str, Any]], feed: str = "small_feed", **delivery: Any) -> Contract:
    """A contract of these columns; the delivery is a CSV of one fixed year unless ``delivery`` says otherwise."""
    return Contract.model_validate(
        {
            "apiVersion": "v3.1.0",
            "kind": "DataContract",
            "id": feed,
            "name": feed,
            "version": "1.0.0",
            "status": "active",
            "domain": "tests",
            "description": {"purpose": "a test", "usage": "a test", "limitations": "a test"},
            "schema": [{"name": feed, "description": "One row a test.", "properties": columns}],
            "slaProperties": [{"property": "frequency", "value": 1, "unit": "d"}],
            "team": {"name": "tests", "description": "tests"},
            "customProperties": [
                {
                    "property": "delivery",
                    "value": {
                        "source": "reference",
                        "format": "delimited",
                        "patterns": [rf"^{feed}.*\.csv$"],
                        "examples": [f"{feed}.csv"],
                        "scope": "all",
                        "period": {"grain": "year", "fixed": "2020"},
                        "identical_rows": {"rule": "keep"},
                    }
                    | delivery,
                },
                {
                    "property": "operation",
                    "value": {
                        "schedule": "0 5 * * *",
                        "impact_tier": "tier_3",
                        "triage": "triage/engineers",
                        "due": "never",
                        "calendar": {"every": "never"},
                    },
                },
            ],
        }
    )
