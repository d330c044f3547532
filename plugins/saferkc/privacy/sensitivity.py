"""What is open data, and what is about people and must not be shown or lie about in plain."""

from __future__ import annotations

import re
from collections.abc import Iterable

from saferkc.contracts import Contract, takes


def is_open(contract: Contract) -> bool:
    """Whether everything that a feed sends is public anyway."""
    return all(column.classification == "public" for column in contract.columns)


def is_open_file(contracts: Iterable[Contract], name: str) -> bool:
    """Whether a file of this name, come to the source of these contracts, holds open data only.

    It does where a feed takes it and all feeds of the source are open. A file that nobody expected may hold
    anything and is treated as if it were about people.
    """
    own = list(contracts)
    if not all(is_open(contract) for contract in own):
        return False
    return any(
        takes(contract, name) or any(re.search(p, name, re.IGNORECASE) for p in contract.delivery.archives)
        for contract in own
    )
