"""The gate through which figures leave the restricted schemas: small counts suppressed, the others rounded.

``rules`` reads who may see what (``expectations/disclosure.yaml``), ``gate`` applies a rule to counts, estimates,
shares and changes, ``protect`` suppresses a second figure where a table would give a suppressed one away. Nothing here
knows a database, a mart or a way to show figures.
"""

from saferkc.disclosure.gate import Gated, GatedRange, gate_change, gate_count, gate_range, gate_share
from saferkc.disclosure.protect import Cell, Equality, Ranges, protect
from saferkc.disclosure.rules import DisclosureError, DisclosureRules, Rule, read_rules

__all__ = [
    "Cell",
    "DisclosureError",
    "DisclosureRules",
    "Equality",
    "Gated",
    "GatedRange",
    "Ranges",
    "Rule",
    "gate_change",
    "gate_count",
    "gate_range",
    "gate_share",
    "protect",
    "read_rules",
]
