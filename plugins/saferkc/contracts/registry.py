"""The set of contracts: reading it, and checking it without data."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path

import yaml
from pydantic import ValidationError

from saferkc.contracts.model import Contract

# written in C, where PyYAML has it: every process of a night reads all contracts, and in Python that takes 0.2 s more
_YamlLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class ContractError(Exception):
    """A contract is wrong; the message names the file, the place in it and what was expected."""


def read_contract(path: Path) -> Contract:
    """Parse one contract file; raises ``ContractError``."""
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _YamlLoader)  # noqa: S506 - a safe loader as well
        contract = Contract.model_validate(content)
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
    _check_purposes(contracts)
    _check_extract_dates(contracts)
    return contracts


def _check_purposes(contracts: Mapping[str, Contract]) -> None:
    """Tokens of one purpose are made to be compared, so all are made of the same kinds of parts."""
    first: dict[str, tuple[str, tuple[str, ...]]] = {}
    for contract in contracts.values():
        for column in contract.columns:
            if column.token is None:
                continue
            here = f"{contract.id}.{column.name}"
            other, kinds = first.setdefault(column.token.purpose, (here, column.token.kinds))
            if kinds != column.token.kinds:
                raise ContractError(
                    f"{here}: a token of purpose {column.token.purpose} is made of {', '.join(kinds)} (see {other}),"
                    f" not of {', '.join(column.token.kinds)}; tokens made otherwise could never be equal"
                )


def _check_extract_dates(contracts: Mapping[str, Contract]) -> None:
    for contract in contracts.values():
        group = contract.delivery.extract_date
        for example in contract.delivery.examples if group else []:
            said = (label_of(contract, example) or {}).get(group or "")
            try:
                read_extract_date(said or _archive_label(contract, example).get(group or "", ""))
            except ValueError as error:
                raise ContractError(f"{contract.id}: the example {example}: {error}") from error


def _archive_label(contract: Contract, name: str) -> dict[str, str]:
    found = (re.search(pattern, name, re.IGNORECASE) for pattern in contract.delivery.archives)
    return next((read_label(match) for match in found if match), {})


def read_extract_date(said: str) -> date:
    """Return the day of an extract from what a file name says of it.

    ``YYYY-MM-DD`` or ``YYYYMMDD``, with or without ``THHMM``; ``YYYY-MM`` or ``YYYYMM`` is the last day of that
    month, since an extract of a month is taken when the month is over. Raises ``ValueError``.
    """
    found = re.fullmatch(r"(\d{4})-?(\d{2})(?:-?(\d{2})(?:T\d{4})?)?", said, re.IGNORECASE)
    if found is None:
        raise ValueError(f"{said!r} is no day of an extract; written as 2017-04-03, 20170403 or 20170403T0630")
    year, month, day = int(found[1]), int(found[2]), found[3]
    try:
        first = date(year, month, 1)
        return first.replace(day=int(day) if day else monthrange(year, month)[1])
    except ValueError as error:
        raise ValueError(f"{said!r} is no day of an extract: {error}") from error


def plain_name(name: str) -> str:
    """Return a document's name without the ending of an OpenPGP message (``.pgp``, ``.gpg``, ``.asc``), if any."""
    return re.sub(r"\.(?:pgp|gpg|asc)$", "", name, flags=re.IGNORECASE)


def label_of(contract: Contract, name: str) -> dict[str, str] | None:
    """Return what a document's name says (the named groups), or None where the feed does not take it.

    Any document may come encrypted, under its name and an ending that no pattern has to mention.
    """
    for pattern in contract.delivery.patterns:
        found = re.search(pattern, plain_name(name), re.IGNORECASE)
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
