"""The set of contracts: reading it, and checking it without data."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import yaml
from pydantic import ValidationError

from saferkc.contracts.model import Contract


class ContractError(Exception):
    """A contract is wrong; the message names the file, the place in it and what was expected."""


def read_contract(path: Path) -> Contract:
    """Parse one contract file; raises ``ContractError``."""
    try:
        contract = Contract.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except yaml.YAMLError as error:
        raise ContractError(f"{path.name}: not readable as YAML: {error}") from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'contract'}: {e['msg']}" for e in error.errors())
        raise ContractError(f"{path.name}: {faults}") from error
    if contract.id != path.stem:
        raise ContractError(f"{path.name}: the id is {contract.id}, but a contract's file is called by its id")
    return contract


@lru_cache(maxsize=8)
def load_contracts(directory: Path) -> dict[str, Contract]:
    """Read all contracts in ``directory``, feed to contract, in the order of their names.

    Raises ``ContractError`` where one is wrong, where two take the same file, or where there is none.
    """
    contracts = {path.stem: read_contract(path) for path in sorted(directory.glob("*.yaml"))}
    if not contracts:
        raise ContractError(f"no contract in {directory}")
    for contract in contracts.values():
        for example in contract.delivery.examples:
            rivals = [
                other.id
                for other in contracts.values()
                if other.delivery.source == contract.delivery.source and takes(other, example)
            ]
            if len(rivals) > 1:
                raise ContractError(f"{example} would be taken by {' and '.join(rivals)}")
    for contract in contracts.values():
        rule = contract.delivery.reasonableness
        if rule and rule.against not in contracts:
            raise ContractError(f"{contract.id}: is compared with {rule.against}, which is no feed")
    return contracts


def label_of(contract: Contract, name: str) -> dict[str, str] | None:
    """Return what a document's name says (the named groups), or None where the feed does not take it."""
    for pattern in contract.delivery.patterns:
        found = re.search(pattern, name, re.IGNORECASE)
        if found:
            return read_label(found)
    return None


def read_label(found: re.Match[str]) -> dict[str, str]:
    """Return the named groups of a file name or heading, written alike wherever they were found.

    Publishers write the same word in capitals or not and the same ``year`` with two digits or four
    (``WD15CD``, ``ward2015.csv``), and labels are compared with each other. Codes keep their capitals.
    """
    groups = {key: value for key, value in found.groupdict().items() if value is not None}
    label = {key: value if any(map(str.isdigit, value)) else value.lower() for key, value in groups.items()}
    if len(label.get("year", "")) == 2:
        label["year"] = f"20{label['year']}"
    return label


def takes(contract: Contract, name: str) -> bool:
    """Whether the feed takes a document of this name."""
    return label_of(contract, name) is not None
