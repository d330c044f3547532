"""Contracts: what each agency sends, and all that is derived from it."""

from saferkc.contracts.model import Contract
from saferkc.contracts.registry import ContractError, label_of, load_contracts, takes

__all__ = ["Contract", "ContractError", "label_of", "load_contracts", "takes"]
