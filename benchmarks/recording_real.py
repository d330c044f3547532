"""Every change that the detector finds in published files, as a table to be judged one by one.

Run with the project's own Python: ``.venv/bin/python benchmarks/recording_real.py FILE…``, with borough files of the
Metropolitan Police that follow one another in time; see README.md.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from measuring import machine
from saferkc.disclosure import Rule
from saferkc.recording import Change, Feed, examine
from saferkc.recording.published import as_one_area, wide_panels
from saferkc.recording.words import as_shown

# published figures are nobody's secret
_AS_COUNTED = Rule(suppress_up_to=-1, round_to=1, values_left=0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Examine the files and print the tables."""
    parser = argparse.ArgumentParser(description="Changes found in published files.")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--real", action="store_true", help="list real changes as well")
    options = parser.parse_args(arguments)
    started = time.perf_counter()
    panels = wide_panels(options.files, "mps_recorded_crime")
    read = time.perf_counter()
    boroughs = examine(Feed("mps_recorded_crime", panels))
    examined = time.perf_counter()
    london = examine(Feed("mps_recorded_crime", as_one_area(panels, "London")))
    print("; ".join(f"{what} {value}" for what, value in machine().items()) + ".\n")
    areas, months = len(panels[0].areas), len(panels[0].months)
    series = areas * sum(len(panel.children) + 1 for panel in panels)
    print(
        f"{areas} areas, {months} months, {series:,} series, {series * months / 12:,.0f} series-years: read in "
        f"{read - started:.1f} s, examined in {examined - read:.1f} s on one core.\n"
    )
    for name, changes in ((f"{areas} areas", boroughs), ("London as one area", london)):
        kinds = Counter(change.lead.kind for change in changes)
        print(f"{name}: {', '.join(f'{count} {kind}' for kind, count in sorted(kinds.items()))}.\n")
        print("\n".join(_table(changes, real=options.real)), end="\n\n")
    return 0


def _table(changes: Sequence[Change], *, real: bool) -> Iterator[str]:
    yield "| month (from, to) | kind, nature | treatment | areas | confidence | evidence |"
    yield "|---|---|---|--:|--:|---|"
    for change in changes:
        lead = change.lead
        if lead.kind == "real" and not real:
            continue
        evidence = " ".join(as_shown(text, _AS_COUNTED) for text in change.evidence)
        yield (
            f"| {lead.month:%Y-%m} ({lead.earliest:%Y-%m}, {lead.latest:%Y-%m}) | {lead.kind}, {lead.nature or '-'}"
            f" | {lead.treatment or '-'}{f' over {lead.bridged_parent}' if lead.bridged_parent else ''}"
            f" | {len(change.areas)} | {lead.confidence:.2f} | {evidence} |"
        )


if __name__ == "__main__":
    sys.exit(main())
