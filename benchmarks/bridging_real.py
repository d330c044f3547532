"""The weight of the burglary rule of April 2017 in published files, as months came in, and of months without a rule.

Run with the project's own Python: ``.venv/bin/python benchmarks/bridging_real.py FILE…``, with borough files of the
Metropolitan Police that follow one another in time; see README.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
from measuring import machine
from saferkc.recording.bridging import CodeWeight, code_weights
from saferkc.recording.codes import code_events, joined
from saferkc.recording.published import wide_panels
from saferkc.recording.recodes import Shift, Z, shifts
from saferkc.recording.series import Panel
from saferkc.recording.steps import filled

HOME = "Kensington and Chelsea"
GAINER, GIVER = "Burglary - Residential", "Burglary - Business and Community"
RULE = date(2017, 4, 1)
_AFTER, _LONGEST = (3, 6, 12, 20), 20
# half-years whose twelve months after end before the rule
_WITHOUT_RULE = tuple(date(year, month, 1) for year in range(2011, 2017) for month in (4, 10))[:-1]


def main(arguments: Sequence[str] | None = None) -> int:
    """Estimate the weights and print the tables."""
    parser = argparse.ArgumentParser(description="The weight of the burglary rule of April 2017.")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    options = parser.parse_args(arguments)
    panels = wide_panels(options.files, "mps_recorded_crime")
    burglary = next(panel for panel in panels if panel.parent == "Burglary")
    print("; ".join(f"{what} {value}" for what, value in machine().items()) + ".\n")
    print("\n".join(_tables(burglary)))
    return 0


def _tables(burglary: Panel) -> Iterator[str]:
    number = burglary.areas.index(HOME)
    alone = replace(burglary, areas=(HOME,), counts=burglary.counts[[number]])
    place = burglary.months.index(RULE)
    yield f"| months after | London | {HOME} | the same, no other borough to look at |"
    yield "|--:|--:|--:|--:|"
    for after in _AFTER:
        together, own = _weights(burglary, place, after), _weights(alone, place, after)
        yield f"| {after} | {_told(together[None])} | {_told(together[HOME])} | {_told(own[HOME])} |"
    boroughs = sorted(
        (weight for area, weight in _weights(burglary, place, _LONGEST).items() if area is not None),
        key=lambda weight: weight.weight,
    )
    yield f"\nAreas after {_LONGEST} months: " + ", ".join(f"{w.area} {w.weight:.2f}" for w in boroughs) + ".\n"
    yield f"| month without a rule | London | {HOME} | areas whose bounds hold 1 |"
    yield "|---|--:|--:|--:|"
    # names of today, so that years before and after the new labels are asked alike
    whole = joined(burglary, code_events(burglary))
    whole = replace(whole, counts=filled(whole.counts))
    kept = whole.counts[:, whole.children.index(GIVER)]
    for month in _WITHOUT_RULE:
        start = whole.months.index(month)
        everywhere, areas = shifts(kept[:, : start + 12], whole.total[:, : start + 12], start)
        held = np.abs(areas.size) <= Z * areas.standard_error
        yield f"| {month:%Y-%m} | {_factor(everywhere)} | {_factor(areas, number)} | {held.sum()} of {held.size} |"


def _factor(shift: Shift, number: int | tuple[()] = ()) -> str:
    """By how much the share of other buildings changed, whichever way, with 90 % bounds."""
    size, error = shift.size[number], shift.standard_error[number]
    low, high = np.exp(size - Z * error), np.exp(size + Z * error)
    return f"{np.exp(size):.2f} ({low:.2f} to {high:.2f})"


def _weights(panel: Panel, place: int, after: int) -> dict[str | None, CodeWeight]:
    found = code_weights(panel.until(place + after), place, {GIVER: [GAINER]})
    return {weight.area: weight for weight in found if weight.to_class == GAINER}


def _told(weight: CodeWeight) -> str:
    return f"{weight.weight:.2f} ({weight.weight_low:.2f} to {weight.weight_high:.2f})"


if __name__ == "__main__":
    sys.exit(main())
