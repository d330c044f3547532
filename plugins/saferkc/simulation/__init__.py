"""Simulated deliveries: of the open feeds in the publishers' own layouts, and of the partner agencies.

Nothing here is real: figures are drawn at random, people's names are invented, LSOA and most ward codes, property
references and postcodes lie in ranges that no publisher uses, and every file says ``simulated`` in its name.
Boroughs, and the wards of this borough, are real names and codes. The partner agencies (``partners``) see one
simulated world (``world``), whose 2016/17 has the figures of the Community Safety Plan.
"""

from saferkc.simulation.all_agencies import simulate_all
from saferkc.simulation.deliver import FEEDS, simulate
from saferkc.simulation.partner_faults import PARTNER_SCENARIOS
from saferkc.simulation.partners import PARTNER_FEEDS, deliver_partners
from saferkc.simulation.scenarios import SCENARIOS

__all__ = [
    "FEEDS",
    "PARTNER_FEEDS",
    "PARTNER_SCENARIOS",
    "SCENARIOS",
    "deliver_partners",
    "simulate",
    "simulate_all",
]
