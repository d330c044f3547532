"""``saferkc simulate``: what all agencies deliver, the open publishers and the partners."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from saferkc.settings import Settings
from saferkc.simulation.deliver import simulate
from saferkc.simulation.partner_faults import PARTNER_SCENARIOS
from saferkc.simulation.partners import HISTORY_FROM, NIGHTS, deliver_partners
from saferkc.simulation.scenarios import SCENARIOS


def simulate_all(
    settings: Settings,
    *,
    date_from: date,
    date_to: date,
    seed: int = 2017,
    scale: float = 1.0,
    scenarios: Sequence[str] = (),
    out: Path | None = None,
    only_new: bool = False,
    nights: int = NIGHTS,
    history: bool = True,
) -> list[Path]:
    """Write what all agencies would have delivered from ``date_from`` to ``date_to`` and return the files.

    The open publishers deliver the months (see ``simulate``), the partners the nights (see ``deliver_partners``,
    also for ``nights`` and ``history``). A scenario of one side leaves the other alone; see ``SCENARIOS`` and
    ``PARTNER_SCENARIOS``. Raises ``ValueError`` for an unknown scenario or a range that is none.
    """
    known = SCENARIOS | PARTNER_SCENARIOS
    unknown = [name for name in scenarios if name not in known]
    if unknown:
        raise ValueError(f"unknown scenario {', '.join(unknown)}; known are {', '.join(sorted(known))}")
    files = simulate(
        settings,
        date_from=date_from,
        date_to=date_to,
        seed=seed,
        scale=scale,
        scenarios=[name for name in scenarios if name in SCENARIOS],
        out=out,
        only_new=only_new,
    )
    if date_to < HISTORY_FROM:
        return files
    return files + deliver_partners(
        settings,
        date_from=max(date_from, HISTORY_FROM),
        date_to=date_to,
        seed=seed,
        scale=scale,
        scenarios=[name for name in scenarios if name in PARTNER_SCENARIOS],
        out=out,
        only_new=only_new,
        nights=nights,
        history=history,
    )
