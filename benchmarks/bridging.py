"""What a bridge is worth: counts by the new rule as the marts' arithmetic gives them, beside records coded both ways.

Run with the project's own Python: ``.venv/bin/python benchmarks/bridging.py``; see README.md for what is measured.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import platform
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import product
from pathlib import Path

import numpy as np
from measuring import machine
from rich.console import Console
from rich.progress import track
from saferkc.recording.bridged import bridged, bridged_difference, is_worth_bridging
from saferkc.recording.bridging import CodeWeight, code_weights
from saferkc.recording.recodes import Shift, dual_coded
from saferkc.recording.series import Floats
from saferkc.simulation.recording_bridges import GAINER, GIVER, Recoded, recoded

SHARES = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)
VOLUMES = (0.1, 1.0, 10.0)
AREAS = (33, 1)
AFTER = (3, 6, 12, 24)
# the months before the change that are bridged
_OLD_MONTHS = 36
# what tables show where they don't tell months after apart
_USUAL_AFTER = 12
# a trend of the giving class a month, which no bridge can know
_TREND = -0.005


@dataclass(frozen=True)
class Score:
    """One bridge: one seed, all areas, sums over ``cells`` (areas times months, years, or differences of months).

    ``covered`` is how many lie within their bounds; ``error`` and ``recorded`` are absolute errors of the comparable
    series and of the series as recorded, ``width`` that of the bounds, in offences. ``worth`` tells of what is
    summed: all areas, or only those whose bridge is worth it by the marts' rule.
    """

    basis: str
    volume: float
    areas: int
    share: float
    after: int
    seed: int
    step: str
    worth: bool
    cells: int
    covered: int
    error: float
    recorded: float
    width: float


# weights with their bounds, shape (areas, 3)
Weights = Floats


@lru_cache(maxsize=8)
def _found(case: Recoded, after: int) -> list[CodeWeight]:
    return [w for w in code_weights(case.until(after), case.place, {GIVER: [GAINER]}) if w.to_class == GAINER]


def estimated(case: Recoded, after: int) -> Weights:
    """Weights from the shift, when the new rule was ``after`` months old."""
    found = [w for w in _found(case, after) if w.area is not None]
    return np.array([(w.weight, w.weight_low, w.weight_high) for w in found])


def estimated_together(case: Recoded, after: int) -> Weights:
    """The weight of all areas together."""
    found = [w for w in _found(case, after) if w.area is None]
    return np.array([(w.weight, w.weight_low, w.weight_high) for w in found])


def from_dual_coding(case: Recoded, _after: int) -> Weights:
    """Weights from the records of the year before the change, coded both ways."""
    year = slice(case.place - 12, case.place)
    shift: Shift = dual_coded(case.moved[:, year].sum(axis=1), case.given[:, year].sum(axis=1))[1]
    return np.stack([shift.weight, shift.weight_low, shift.weight_high], axis=1)


def true_weights(case: Recoded, _after: int) -> Weights:
    """The weight of each area as it is: what is left of the error is chance, and no bridge can do better."""
    return np.repeat(case.weights[:, None], 3, axis=1)


def from_authority(off: float) -> Callable[[Recoded, int], Weights]:
    """One weight for all areas without bounds, ``off`` by so much of it from the truth on average."""

    def weights(case: Recoded, _after: int) -> Weights:
        told = case.moved.sum() / case.given.sum() * (1 + off)
        return np.full((len(case.weights), 3), told)

    return weights


TRUE = "true"
BASES: Mapping[str, Callable[[Recoded, int], Weights]] = {
    "estimated": estimated,
    "estimated, all areas together": estimated_together,
    "estimated, trend": estimated,
    TRUE: true_weights,
    "dual coded": from_dual_coding,
    "authority": from_authority(0.0),
    "authority, a tenth off": from_authority(0.1),
    "authority, a quarter off": from_authority(0.25),
}


def score(basis: str, case: Recoded, volume: float, share: float, after: int, seed: int) -> Iterator[Score]:
    """Hold the bridge of each area against the truth: months, years, and months beside those a year before."""
    weight, low, high = np.moveaxis(BASES[basis](case, after)[:, None, :, None], 2, 0)
    old = slice(case.place - _OLD_MONTHS, case.place)
    given, moved = case.given[:, old], case.moved[:, old]
    if len(weight) < len(given):
        given, moved = given.sum(axis=0, keepdims=True), moved.sum(axis=0, keepdims=True)
    usual = given[:, -12:].mean(axis=1)
    years = (len(given), _OLD_MONTHS // 12, 12)
    bridge = bridged(given[:, :, None], weight, low, high)
    of_years = bridged(given.reshape(years).sum(axis=2)[:, :, None], weight, low, high)
    differences = bridged_difference(given[:, 12:, None], given[:, :-12, None], weight, low, high)
    truths = moved, moved.reshape(years).sum(axis=2), moved[:, 12:] - moved[:, :-12]
    for step, months, found, truth in zip(
        ("month", "year", "difference"), (1, 12, 1), (bridge, of_years, differences), truths, strict=True
    ):
        is_worth = is_worth_bridging((usual * months)[:, None], weight[:, 0], low[:, 0], high[:, 0])
        for worth, rows in ((False, np.ones(len(given), bool)), (True, is_worth)):
            inside = (found.low <= truth + 1e-9) & (truth <= found.high + 1e-9)
            yield Score(
                basis, volume, len(case.given), share, after, seed, step, worth, int(truth[rows].size),
                int(inside[rows].sum()), float(np.abs(found.estimate - truth)[rows].sum()),
                float(np.abs(truth)[rows].sum()), float((found.high - found.low)[rows].sum()),
            )  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Score, print the tables and return the exit status."""
    options = _options(arguments)
    scores = [Score(**one) for path in options.tables_of for one in json.loads(path.read_text())]
    if not options.tables_of:
        console = Console(stderr=True)
        # seed by seed, so that a part of the seeds tells of everything
        for seed in track(range(options.seeds[0], options.seeds[1] + 1), "bridging", console=console):
            for basis, case, volume, share in _cases(options, seed):
                for after in _months_after(basis, options.after):
                    scores += score(basis, case, volume, share, after, seed)
    print("\n\n".join(report(scores)))
    if options.json:
        options.json.write_text(json.dumps([asdict(one) for one in scores]))
    return 0


def _cases(options: argparse.Namespace, seed: int) -> Iterator[tuple[str, Recoded, float, float]]:
    for volume, areas, share in product(options.volumes, options.areas, options.shares):
        case = recoded(seed, volume, areas, share)
        for basis in options.bases:
            is_trend = basis == "estimated, trend"
            yield basis, recoded(seed, volume, areas, share, drift=_TREND) if is_trend else case, volume, share


def _months_after(basis: str, after: Sequence[int]) -> Sequence[int]:
    """The months after which a basis is looked at: only an estimate knows more as they go by."""
    if basis == "estimated":
        return after
    return [_USUAL_AFTER] if basis.startswith("estimated") else [0]


def report(scores: Sequence[Score]) -> Iterator[str]:
    """Yield the machine, and the tables: by share, by months after, and of other bases of weights."""
    versions = {"Python": platform.python_version()} | {
        name: importlib.metadata.version(name) for name in ("numpy", "scipy")
    }
    yield "; ".join(f"{what} {value}" for what, value in (machine() | versions).items()) + "."
    own = [one for one in scores if one.basis == "estimated"]
    if own:
        yield f"Weights estimated {_USUAL_AFTER} months after the change:"
        usual = [s for s in own if s.after == _USUAL_AFTER]
        yield _table(usual, lambda s: (f"{s.volume:g}", s.areas, f"{s.share:.0%}"),
                     ("volume", "areas", "recoded"))  # fmt: skip
        yield "All shares together, by months after the change:"
        yield _table(own, lambda s: (f"{s.volume:g}", s.areas, s.after), ("volume", "areas", "months after"))
    true = [s for s in scores if s.basis == TRUE]
    if true:
        yield "With the true weight of each area, what only chance leaves:"
        yield _table(true, lambda s: (f"{s.volume:g}", s.areas, f"{s.share:.0%}"), ("volume", "areas", "recoded"))
    others = [s for s in scores if s.basis not in {"estimated", TRUE}]
    if others:
        yield "Weights on other grounds, all shares together:"
        yield _table(others, lambda s: (s.basis, f"{s.volume:g}", s.areas), ("weights", "volume", "areas"))


def _table(
    scores: Sequence[Score], key: Callable[[Score], tuple[object, ...]], names: tuple[str, ...]
) -> str:  # fmt: skip
    groups: dict[tuple[object, ...], list[Score]] = defaultdict(list)
    for one in scores:
        groups[key(one)].append(one)
    lines = [
        f"| {' | '.join(names)} | seeds | months: coverage | error, of as recorded | width, of what moved"
        " | worth it | coverage | error | years: coverage | error | worth it | coverage | error"
        " | differences: coverage |",
        "|" + "--:|" * (len(names) + 13),
    ]
    for group, found in sorted(groups.items(), key=lambda item: [_as_number(part) for part in item[0]]):
        cells = [*map(str, group), str(len({s.seed for s in found}))]
        for step in ("month", "year"):
            every, worth = ([s for s in found if s.step == step and s.worth is w] for w in (False, True))
            cells += [_coverage(every), _ratio(every, "error")]
            if step == "month":
                cells.append(_ratio(every, "width"))
            cells += [f"{_sum(worth, 'cells') / _sum(every, 'cells'):.0%}", _coverage(worth), _ratio(worth, "error")]
        cells.append(_coverage([s for s in found if s.step == "difference" and not s.worth]))
        lines.append("| " + " | ".join(cell.replace("%", " %") for cell in cells) + " |")
    return "\n".join(lines)


def _as_number(part: object) -> tuple[float, str]:
    text = str(part).rstrip("%")
    return (float(text), "") if text.replace(".", "").isdigit() else (0.0, text)


def _sum(scores: Sequence[Score], what: str) -> float:
    return float(sum(getattr(one, what) for one in scores))


def _coverage(scores: Sequence[Score]) -> str:
    cells = _sum(scores, "cells")
    return f"{_sum(scores, 'covered') / cells:.1%}" if cells else "-"


def _ratio(scores: Sequence[Score], what: str) -> str:
    recorded = _sum(scores, "recorded")
    return f"{_sum(scores, what) / recorded:.2f}" if recorded else "-"


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Bridges across recodes, beside records coded both ways.")
    parser.add_argument("--seeds", type=int, nargs=2, default=(3000, 3199), metavar=("FIRST", "LAST"),
                        help="seeds to score (default 3000 3199; 0 to 99 and 2000 to 2019 are for tuning)")  # fmt: skip
    parser.add_argument("--volumes", type=float, nargs="+", default=list(VOLUMES), metavar="TIMES")
    parser.add_argument("--areas", type=int, nargs="+", default=list(AREAS), metavar="COUNT")
    parser.add_argument("--shares", type=float, nargs="+", default=list(SHARES), metavar="PART")
    parser.add_argument("--after", type=int, nargs="+", default=list(AFTER), metavar="MONTHS")
    parser.add_argument("--bases", nargs="+", choices=list(BASES), default=list(BASES), metavar="BASIS")
    parser.add_argument("--tables-of", nargs="+", type=Path, default=[], metavar="FILE",
                        help="score nothing; print the tables of scores that --json wrote")  # fmt: skip
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every score there")
    options = parser.parse_args(arguments)
    if options.seeds[0] > options.seeds[1]:
        parser.error("the first seed comes before the last")
    return options


if __name__ == "__main__":
    sys.exit(main())
