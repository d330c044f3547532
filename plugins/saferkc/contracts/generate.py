"""What is derived from the contracts and kept in the repository: dbt's sources and the data dictionary.

``stale`` is what CI asks: a generated file that is not in step with its contracts fails the build.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml

from saferkc.contracts.model import Column, Contract, Delivery
from saferkc.contracts.registry import load_contracts
from saferkc.contracts.version_columns import VERSION_COLUMNS
from saferkc.settings import Settings

_NOTICE = "Generated from expectations/contracts by `saferkc contracts generate`: change the contract, not this file."


def generated_files(settings: Settings) -> dict[Path, str]:
    """Return every generated file and the content it should have."""
    contracts = load_contracts(settings.contracts_dir)
    staging = settings.dbt_project_dir / "models" / "staging"
    sources = sorted({contract.delivery.source for contract in contracts.values()})
    files = {staging / source / "_sources.yml": _dbt_sources(contracts, source) for source in sources}
    files[settings.project_root / "docs" / "data-dictionary.md"] = _data_dictionary(contracts)
    return files


def generate(settings: Settings) -> list[Path]:
    """Write the generated files that are stale and return them."""
    changed = stale(settings)
    for path, content in generated_files(settings).items():
        if path in changed:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
    return changed


def stale(settings: Settings) -> list[Path]:
    """Return the generated files that are missing or do not say what the contracts say."""
    return [
        path
        for path, content in generated_files(settings).items()
        if not path.exists() or path.read_text(encoding="utf-8") != content
    ]


def _dbt_sources(contracts: Mapping[str, Contract], source: str) -> str:
    fixed = [{"name": name, "description": meaning} for name, _, meaning in VERSION_COLUMNS]
    tables = [
        {
            "name": contract.feed,
            "description": contract.table.description,
            "columns": fixed + [{"name": c.name, "description": c.description} for c in contract.columns],
        }
        for contract in contracts.values()
        if contract.delivery.source == source
    ]
    raw = {
        "name": "raw",
        "schema": "raw",
        "description": "Every version of every record, as delivered; current where withdrawn_delivery_id is NULL.",
        "tables": tables,
    }
    document = {"version": 2, "sources": [raw]}
    body = yaml.dump(document, Dumper=_Indented, sort_keys=False, allow_unicode=True, width=110)
    return f"# {_NOTICE}\n{body}"


class _Indented(yaml.SafeDumper):
    """Lists stand one step in, as dbt's own files have them; nothing is written as an anchor."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        return True


def _data_dictionary(contracts: Mapping[str, Contract]) -> str:
    lines = [
        "# Data dictionary of the feeds",
        "",
        f"<!-- {_NOTICE} -->",
        "",
        "One section a feed: its grain, how it arrives, what to beware of, and every column. Raw tables hold these"
        " columns and, before them, the version columns of the next table. The marts are described in their dbt"
        " models.",
        "",
        "| version column | meaning |",
        "|---|---|",
        *(f"| `{name}` | {_cell(meaning)} |" for name, _, meaning in VERSION_COLUMNS),
    ]
    for contract in contracts.values():
        lines += ["", *_section(contract)]
    return "\n".join(lines) + "\n"


def _section(contract: Contract) -> list[str]:
    delivery, key = contract.delivery, ", ".join(f"`{name}`" for name in contract.key_columns)
    return [
        f"## {contract.feed}",
        "",
        f"**{contract.name}** (contract {contract.version}). {contract.description.purpose.strip()}",
        "",
        f"- Grain: {contract.table.description.strip()}",
        f"- Record key: {key or 'the whole row'}",
        f"- Arrives in `inbox/{delivery.source}/`, for example as {', '.join(f'`{e}`' for e in delivery.examples)}."
        f" {contract.description.usage.strip()}",
        f"- A delivery holds {_holds(delivery)}",
        f"- Due: {contract.operation.due}",
        f"- Beware: {contract.description.limitations.strip()}",
        f"- Owner: {contract.team.name}",
        "",
        "| column | type | meaning | sensitivity | rules |",
        "|---|---|---|---|---|",
        *(
            f"| `{c.name}` | {c.physical_type} | {_cell(c.description)} | {c.classification} | {_cell(_rules(c))} |"
            for c in contract.columns
        ),
    ]


def _holds(delivery: Delivery) -> str:
    """What a delivery speaks for, and so what it means that a record is not in it."""
    if delivery.extract == "changes":
        told = "what is new or has changed; a record that is not in it still holds."
    elif delivery.extract == "full":
        told = "everything; a record that is no longer in it is withdrawn."
    else:
        told = f"everything of its {delivery.period.grain}s; a record that is no longer in it is withdrawn."
    if delivery.withdrawal:
        values = " or ".join(f'"{value}"' for value in delivery.withdrawal.values)
        told += f" A row whose `{delivery.withdrawal.column}` is {values} withdraws its record."
    return told


def _rules(column: Column) -> str:
    rules = ["required"] if column.required else []
    options, origin = column.options, column.origin
    if origin.token:
        kinds = " and ".join(origin.token.kinds)
        rules.append(f"token of {kinds}, for the purpose {origin.token.purpose}; what it is made of is never stored")
    if origin.split:
        rules.append("several, sorted and joined by |")
    if origin.timezone:
        rules.append(f"sent by the clock in {origin.timezone}")
    if options.minimum is not None or options.maximum is not None:
        rules.append(f"{_bound(options.minimum)} to {_bound(options.maximum)}")
    if options.max_length is not None:
        rules.append(f"at most {options.max_length} characters")
    if options.pattern is not None:
        rules.append(f"written as `{options.pattern}`")
    for quality in column.quality:
        action = "else quarantined" if quality.severity == "error" else "else let in and flagged"
        rules.append(f"one of {len(quality.valid_values)} codes, {action}")
    return "; ".join(rules)


def _bound(value: float | None) -> str:
    return "any" if value is None else f"{value:g}"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
