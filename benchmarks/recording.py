"""How well recording changes are told from real ones, beside never alerting and usual tests for anomalies.

Run with the project's own Python: ``.venv/bin/python benchmarks/recording.py``; see README.md for what is measured.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import numpy as np
from measuring import machine
from saferkc.recording.detect import MONTHS_OF_A_NIGHT, examine
from saferkc.recording.findings import Change
from saferkc.recording.months import months_apart
from saferkc.recording.prompts import pelt_changes, xmr_signals, z_score_signals
from saferkc.recording.series import Feed, Floats
from saferkc.simulation.recording_cases import HOME, MAKERS, WORLD, Case, make_case

VOLUMES = (0.1, 1.0, 10.0)
# real changes and silence are watched for alarms at these months after the change
_WATCHED = (1, 2, 3, 4, 6, 8, 10, 12)
_NEAR = 3
ALARMS = ("recording", "data_fault", "unsure")


@dataclass(frozen=True)
class Said:
    """What a contender said: a kind, the month it means, and what to do; only the detector can say the last."""

    kind: str
    month: date
    parent: str | None
    treatment: str | None = None
    natures: tuple[str, ...] = ()
    latest: date | None = None


@dataclass(frozen=True)
class Score:
    """How one contender did on one seed of one case."""

    case: str
    volume: float
    truth: str
    answer: str
    right: bool
    months_to_alarm: int | None
    month_error: int | None
    treatment_right: bool | None
    called_recording: bool
    stray_alarms: int
    series_years: float


Contender = Callable[[Feed, int], list[Said]]


def ours(feed: Feed, since: int) -> list[Said]:
    """The detector, with an empty register."""
    return [_said(change) for change in examine(feed, since=since) if HOME in change.areas]


def _said(change: Change) -> Said:
    lead = change.lead
    return Said(lead.kind, lead.month, lead.whole, lead.treatment, (str(lead.nature),), lead.latest)


def never(_feed: Feed, _since: int) -> list[Said]:
    """Nobody is ever alarmed."""
    return []


def _on_each_series(signals: Callable[[Floats], list[int]]) -> Contender:
    """A test that looks at each series of the home borough alone; its alarm is taken to mean a recording change."""

    def contender(feed: Feed, since: int) -> list[Said]:
        found = []
        for panel in feed.panels:
            home = panel.areas.index(HOME)
            for values in (*panel.counts[home], panel.total[home]):
                months = [month for month in signals(_known(values)) if month >= since]
                found += [Said("recording", panel.months[month], panel.parent) for month in months]
        return found

    return contender


def _known(values: Floats) -> Floats:
    """A month that was not delivered is no row, which such tests count as 0."""
    result: Floats = values.copy()
    result[np.isnan(result)] = 0.0
    return result


CONTENDERS: Mapping[str, tuple[str, Contender]] = {
    "ours": ("saferkc.recording", ours),
    "never": ("never alert", never),
    "xmr": ("XmR chart", _on_each_series(xmr_signals)),
    "pelt": ("PELT, default jump of 5", _on_each_series(lambda values: pelt_changes(values, jump=5))),
    "z": ("z-score of 14 months", _on_each_series(z_score_signals)),
}


def score(case: Case, volume: float, contender: Contender) -> Score:
    """Watch one case month by month and score what was said."""
    truth = "real" if case.kind == "none" else case.kind
    start = case.month if case.month is not None else len(case.feed.months) - case.horizon
    first_alarm: Said | None = None
    months_to_alarm = None
    strays: set[tuple[str | None, int]] = set()
    called_recording = False
    said: list[Said] = []
    for after in _watched(case):
        length = start + after
        said = contender(case.at(length), max(12, length - MONTHS_OF_A_NIGHT))
        alarms = [one for one in said if one.kind in ALARMS]
        about = [one for one in alarms if _is_about(one, case)]
        called_recording |= any(one.kind == "recording" for one in alarms)
        strays |= {_place(one) for one in alarms if one not in about}
        if about and first_alarm is None:
            first_alarm, months_to_alarm = about[0], after
        if first_alarm is not None and case.kind in ("recording", "data_fault"):
            break
    if case.kind in ("recording", "data_fault"):
        # what is said in the end, with all months in; a fault is judged on the night it is seen
        if case.kind == "recording" and months_to_alarm is not None and months_to_alarm < case.horizon:
            said = contender(case.at(start + case.horizon), max(12, start + case.horizon - MONTHS_OF_A_NIGHT))
        relevant = [one for one in said if _is_about(one, case)]
        answer = _answer(relevant)
        strays |= {_place(one) for one in said if one.kind in ALARMS and one not in relevant}
    else:
        relevant = []
        answer = "recording" if called_recording else "unsure" if strays else "real"
    chosen = next((one for one in relevant if one.kind == answer), None)
    right = answer == truth or answer in case.allowed
    if right and case.natures and chosen is not None:
        right = bool(case.natures & set(chosen.natures))
    error = abs(months_apart(chosen.month, case.feed.months[case.month])) if chosen and case.month is not None else None
    treated = chosen.treatment == case.treatment if chosen and case.treatment and answer == truth else None
    years = case.horizon / 12 * sum(len(classes) + 1 for classes in WORLD.values())
    return Score(case.number, volume, truth, answer, right, months_to_alarm, error, treated, called_recording,
                 _distinct(strays), years)  # fmt: skip


def _watched(case: Case) -> Sequence[int]:
    if case.kind in ("recording", "data_fault") or case.kind == "none":
        return range(1, case.horizon + 1)
    return _WATCHED


def _is_about(one: Said, case: Case) -> bool:
    if case.month is None or case.kind not in ("recording", "data_fault"):
        return False
    if case.parent is not None and one.parent not in (case.parent, "all"):
        return False
    truth = case.feed.months[case.month]
    spread = max(_NEAR, case.tolerance)
    return -spread <= months_apart(one.month, truth) <= spread or (one.latest or one.month) >= truth >= one.month


def _answer(relevant: Sequence[Said]) -> str:
    kinds = {one.kind for one in relevant}
    return next((kind for kind in ("data_fault", "recording", "unsure") if kind in kinds), "real")


def _place(one: Said) -> tuple[str | None, int]:
    return one.parent, one.month.year * 12 + one.month.month


def _distinct(places: set[tuple[str | None, int]]) -> int:
    """Alarms, those of one whole within three months counted once."""
    count, last = 0, dict[str | None, int]()
    for parent, month in sorted(places, key=lambda place: (str(place[0]), place[1])):
        if parent not in last or month - last[parent] > _NEAR:
            count += 1
        last[parent] = month
    return count


def main(arguments: Sequence[str] | None = None) -> int:
    """Score, print the tables and return the exit status."""
    options = _options(arguments)
    scores: dict[str, list[Score]] = defaultdict(list)
    for path in options.tables_of:
        for name, found in json.loads(path.read_text()).items():
            scores[name] += [Score(**one) for one in found]
    if not options.tables_of:
        _measure(scores, options)
    print("\n\n".join(report(scores)))
    if options.json:
        options.json.write_text(json.dumps({name: [asdict(s) for s in found] for name, found in scores.items()}))
    return 0


def _measure(scores: dict[str, list[Score]], options: argparse.Namespace) -> None:
    started = time.perf_counter()
    for number in options.cases:
        for volume in options.volumes:
            for seed in range(options.seeds[0], _last_seed(number, options.seeds) + 1):
                case = make_case(number, seed, volume)
                for name in options.only:
                    scores[name].append(score(case, volume, CONTENDERS[name][1]))
        print(f"case {number} done after {time.perf_counter() - started:.0f} s", file=sys.stderr, flush=True)


# five years of silence, month by month, cost as much as many other cases
_SEEDS_OF_SILENCE = 20


def _last_seed(number: str, seeds: Sequence[int]) -> int:
    return min(seeds[1], seeds[0] + _SEEDS_OF_SILENCE - 1) if number == "17" else int(seeds[1])


def report(scores: Mapping[str, Sequence[Score]]) -> Iterator[str]:
    """Yield the machine, the table of contenders, and that of the detector's cases."""
    yield "; ".join(f"{what} {value}" for what, value in machine().items()) + "."
    yield _contenders_table(scores)
    if "ours" in scores:
        yield _cases_table(scores["ours"])


def _contenders_table(scores: Mapping[str, Sequence[Score]]) -> str:
    lines = [
        "| contender | volume | seeds a case | F1 of recording: the 17 cases (with variants) | class right"
        " | real or nothing called recording | false alarms a series-year |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for name, found in scores.items():
        for volume in sorted({s.volume for s in found}):
            own = [s for s in found if s.volume == volume]
            real = [s for s in own if s.truth == "real"]
            strays = sum(s.stray_alarms for s in own) / max(sum(s.series_years for s in own), 1)
            lines.append(
                f"| {CONTENDERS[name][0]} | {volume:g} | {max(Counter(s.case for s in own).values())}"
                f" | {_f1([s for s in own if s.case.isdigit()])} ({_f1(own)}) | {_share([s.right for s in own])}"
                f" | {_share([s.called_recording for s in real])} | {strays:.4f} |"
            )
    return "\n".join(lines)


def _f1(scores: Sequence[Score]) -> str:
    """F1 of recording against the rest. Unsure is no recording; where it is a right answer too, it is left out."""
    counted = [s for s in scores if not (s.right and s.answer == "unsure" and s.truth == "recording")]
    hits = sum(s.truth == "recording" and s.answer == "recording" for s in counted)
    wrong = sum((s.truth == "recording") != (s.answer == "recording") for s in counted)
    return f"{2 * hits / (2 * hits + wrong):.3f}" if hits else "0"


def _cases_table(scores: Sequence[Score]) -> str:
    lines = [
        "| case | what happens | volume | class right | answers | month error | months to alarm: median (95 %)"
        " | treatment right |",
        "|---|---|--:|--:|---|--:|--:|--:|",
    ]
    for number in dict.fromkeys(s.case for s in scores):
        name = make_case(number, 0).name
        for volume in sorted({s.volume for s in scores if s.case == number}):
            own = [s for s in scores if s.case == number and s.volume == volume]
            answers = ", ".join(
                f"{kind} {_share([s.answer == kind for s in own])}"
                for kind in ("recording", "unsure", "data_fault", "real")
                if any(s.answer == kind for s in own)
            )
            errors = [s.month_error for s in own if s.month_error is not None]
            error = f"{statistics.mean(errors):.2f}" if errors else "-"
            treated = [s.treatment_right for s in own if s.treatment_right is not None]
            lines.append(
                f"| {number} | {name} | {volume:g} | {_share([s.right for s in own])} | {answers} | {error}"
                f" | {_delay(own)} | {_share(treated) if treated else '-'} |"
            )
    return "\n".join(lines)


def _delay(scores: Sequence[Score]) -> str:
    if scores[0].truth == "real":
        return "-"
    delays = sorted(s.months_to_alarm if s.months_to_alarm is not None else 99 for s in scores)
    shown = [delays[int(q * (len(delays) - 1))] for q in (0.5, 0.95)]
    texts = ["never" if delay == 99 else f"{delay}" for delay in shown]
    return f"{texts[0]} ({texts[1]})"


def _share(values: Sequence[bool]) -> str:
    if not values:
        return "-"
    share = sum(values) / len(values)
    return f"{share * 100:.1f} %" if 0 < share < 1 else f"{share * 100:.0f} %"


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Recording changes told from real ones, beside other tests.")
    parser.add_argument("--seeds", type=int, nargs=2, default=(1000, 1199), metavar=("FIRST", "LAST"),
                        help="seeds to score (default 1000 1199; 0 to 99 are for tuning)")  # fmt: skip
    parser.add_argument("--cases", nargs="+", choices=list(MAKERS), default=list(MAKERS), metavar="CASE")
    parser.add_argument("--volumes", nargs="+", type=float, default=list(VOLUMES), metavar="TIMES")
    parser.add_argument("--only", nargs="+", choices=list(CONTENDERS), default=list(CONTENDERS), metavar="NAME")
    parser.add_argument("--tables-of", nargs="+", type=Path, default=[], metavar="FILE",
                        help="score nothing; print the tables of scores that --json wrote")  # fmt: skip
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every score there")
    options = parser.parse_args(arguments)
    if options.seeds[0] > options.seeds[1]:
        parser.error("the first seed comes before the last")
    return options


if __name__ == "__main__":
    sys.exit(main())
