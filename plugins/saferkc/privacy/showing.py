"""What may be shown to people of a delivery: never a value, and of data about people no heading or name either.

In a file without headings the first person stands where headings do; a file may be called after a client.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from saferkc.contracts import Contract
from saferkc.contracts.labels import fold_label
from saferkc.contracts.model import Column
from saferkc.contracts.registry import plain_name
from saferkc.privacy.sensitivity import is_open

_ENDINGS = {".csv", ".txt", ".xlsx", ".xls", ".xlsm", ".json", ".jsonl", ".zip", ".gz", ".pgp", ".gpg", ".asc", ".pdf"}


def new_heading(contract: Contract, heading: str, headings: Sequence[str]) -> tuple[str, str]:
    """Return name and meaning of the flag for a heading that the contract does not know.

    The heading itself is shown for open data only. ``headings`` are all headings of the document, where it has
    them in a row.
    """
    if is_open(contract):
        return heading, f"a new column, {heading!r}, has appeared"
    place = f"number {headings.index(heading) + 1}" if heading in headings else "a field"
    return f"({place}, not shown)", (
        f"a new column, {place}, has appeared; its heading is not shown, since it may be a person's:"
        " read it in the landed original"
    )


def file_name(contracts: Iterable[Contract], name: str, otherwise: str) -> str:
    """Return what a file that came to the source of these contracts is called wherever its name is shown.

    A source with open data only shows names as they are. Of any other, the part of a name that a contract agreed
    is shown; a file of another name is called by ``otherwise``. Both go on saying that a file is simulated.
    """
    own = list(contracts)
    if all(is_open(contract) for contract in own):
        return name
    simulated = "simulated_" if "simulated" in name.lower() else ""
    plain = plain_name(name)
    encrypted = name[len(plain) :]
    for pattern in [p for c in own for p in [*c.delivery.patterns, *c.delivery.archives]]:
        agreed = re.search(pattern, plain, re.IGNORECASE)
        if agreed:
            before = name[: agreed.start()].strip("_ ").lower()
            return name if before in ("", "simulated") else simulated + agreed[0].lstrip("_/ ") + encrypted
    ending = PurePosixPath(name).suffix.lower()
    return f"{simulated}unknown_{otherwise}{ending if ending in _ENDINGS else ''}"


def hidden_codes(
    columns: Sequence[Column], codes: Iterable[str], key: bytes, also_known: Iterable[str] = ()
) -> dict[str, str]:
    """Return for each code that may not be shown what stands for it: the same on every night, and no name.

    Codes of public columns are shown, and those that the columns' lists or ``also_known`` hold; whatever else was
    typed where a code belongs may be somebody's name.
    """
    if all(column.classification == "public" for column in columns):
        return {}
    listed = [value for column in columns for rule in column.quality for value in rule.valid_values]
    known = {fold_label(value) for value in (*listed, *also_known)}
    return {
        code: f"new code {hmac.new(key, code.encode(), hashlib.sha256).hexdigest()[:4]} (not shown)"
        for code in codes
        if fold_label(code) not in known
    }


def without_hidden(value: Any, hidden: Mapping[str, str]) -> Any:
    """Return texts, or lists and mappings of them, with what stands for the ``hidden`` codes in their place."""
    if not hidden:
        return value
    if isinstance(value, str):
        longest_first = sorted(hidden, key=len, reverse=True)
        pattern = rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)"
        return re.sub(pattern, lambda found: hidden[found[0]], value)
    if isinstance(value, Mapping):
        return {key: without_hidden(one, hidden) for key, one in value.items()}
    return [without_hidden(one, hidden) for one in value] if isinstance(value, list | tuple) else value
