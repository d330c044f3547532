"""``saferkc contracts``: checking them, and making what follows from them."""

from __future__ import annotations

from saferkc.cli.console import say
from saferkc.contracts import load_contracts
from saferkc.contracts.generate import generate, stale
from saferkc.settings import Settings


def check_contracts(settings: Settings) -> int:
    """Check all contracts and that the generated files are in step; return the exit status."""
    contracts = load_contracts(settings.contracts_dir)
    old = stale(settings)
    for path in old:
        say(f"{path}: not in step with the contracts; run `saferkc contracts generate`")
    if not old:
        say(f"{len(contracts)} contracts are sound, and what is made from them is in step.")
    return 1 if old else 0


def generate_files(settings: Settings) -> None:
    """Write the generated files anew and say which changed."""
    changed = generate(settings)
    for path in changed:
        say(f"written: {path}")
    if not changed:
        say("Everything was in step already.")
