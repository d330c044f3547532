"""Simulated deliveries of the open feeds, in the publishers' own layouts.

Nothing here is real: figures are drawn at random around rough volumes, LSOA and most ward codes lie in ranges
that no publisher uses, and every file says ``simulated`` in its name. Boroughs, and the wards of this borough,
are real names and codes.
"""

from saferkc.simulation.deliver import FEEDS, simulate
from saferkc.simulation.scenarios import SCENARIOS

__all__ = ["FEEDS", "SCENARIOS", "simulate"]
