"""Findings from steps and ramps in levels, with what stands beside them."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import replace

import numpy as np

from saferkc.recording.findings import Effect, Finding, Kind, Nature, Treatment
from saferkc.recording.judging.known import KnownChange, is_expected, known_change
from saferkc.recording.judging.shares import PEERS, SHARP_MONTHS
from saferkc.recording.levels import STEP_T, Beside, LevelStep, agree, beside, find_ramp, find_steps
from saferkc.recording.rates import RateStep
from saferkc.recording.series import Feed, Panel
from saferkc.recording.words import counted, listed, month_in_words, percent, share_of, where, why_then

# before so many months a step may as well be one bad month, or a Carnival
_LASTS = 3
# a class carries a step of the whole where so much of it is its own
_CARRIES, _CARRIED_T = 0.6, 3.0
# a rate steps with a flag where it does so within a month
_RATE_MONTHS = 1
# so much of a whole never goes away in all areas at once by itself
_CEASES = -0.85


def judge_levels(
    feed: Feed,
    panels: Sequence[Panel],
    register: Sequence[KnownChange],
    rate_steps: Sequence[RateStep],
    upheavals: Container[int],
    since: int,
) -> Iterator[Finding]:
    """Yield what steps of wholes, of their classes and of flags mean. ``panels`` are joined and without NaN.

    In months of ``upheavals`` most wholes step at once.
    """
    for panel in panels:
        if len(panel.areas) >= PEERS:
            yield from _of_all_areas(feed, panel, upheavals, register, rate_steps, since)
        for step in find_steps(panel.total[:, None, :], since):
            if len(panel.areas) < PEERS or not agree(panel.total, step.place, step.size):
                yield _of_one_area(feed, panel, step, register)


def _of_all_areas(
    feed: Feed,
    panel: Panel,
    upheavals: Container[int],
    register: Sequence[KnownChange],
    rate_steps: Sequence[RateStep],
    since: int,
) -> Iterator[Finding]:
    together = np.concatenate([panel.counts.sum(axis=0), panel.total.sum(axis=0, keepdims=True)])[None]
    # a whole may step less clearly than the class that carries it
    found = find_steps(together, since, t=_CARRIED_T)
    whole = len(panel.children)
    for step in found:
        if abs(step.t) < STEP_T and not (step.series == whole and _carriers(panel, step, found)):
            continue
        by_area = panel.total if step.series == whole else panel.counts[:, step.series]
        if not agree(by_area, step.place, step.size):
            continue
        if panel.dimension == "flag":
            if step.series != whole:
                yield from _of_flag(feed, panel, step, found, rate_steps, register)
        elif step.series == whole:
            yield _of_whole(feed, panel, step, found, upheavals, register)


def _of_whole(
    feed: Feed,
    panel: Panel,
    step: LevelStep,
    found: Sequence[LevelStep],
    upheavals: Container[int],
    register: Sequence[KnownChange],
) -> Finding:
    place = _expected_place(feed, panel, step, register)
    month = panel.months[place]
    sister_name, sister = _sister(feed, panel, step)
    everything_moves = step.place in upheavals
    entry = known_change(register, panel, month)
    # a day says something about a step and nothing about what goes on for half a year
    is_sharp = step.latest - step.earliest <= SHARP_MONTHS
    expected = is_sharp and is_expected(feed, register, panel, month)
    carriers = _carriers(panel, step, found)
    series = panel.children[carriers[0].series] if carriers else panel.parent
    kind: Kind = "real"
    confidence = 0.7
    lasts = step.after >= _LASTS
    # records that both feeds are made from move with the rule that they are recorded by
    if sister is not None and sister.moves and sister_name not in feed.same_records:
        confidence = 0.9
    elif sister is not None and sister.level:
        # the other feed sees the same thing and stays where it was
        kind, confidence = ("recording", 0.9 if expected else 0.85) if lasts else ("unsure", 0.5)
    elif everything_moves:
        confidence = 0.85
    elif step.ratio <= _CEASES:
        # no crime ceases everywhere within a month
        kind, confidence = "recording", 0.85
    elif entry and entry.to is None and lasts:
        kind, confidence = "recording", 0.9
    elif entry or expected:
        # a register's range of years explains a part of any rise in it, and no rise in whole;
        # peers and a date are not enough: a real change of all London would look the same
        kind, confidence = "unsure", 0.5
    evidence = [
        f"{_rose(panel.parent, step)} from {month_in_words(month)} in nearly all areas at once"
        + (f", nearly all of it in {listed([series])}." if series != panel.parent else "."),
        *_of_sister(sister_name, sister),
        *why_then(feed, month),
    ]
    if everything_moves:
        evidence.append("Most other kinds of offence moved in the same month: that is not a rule about one of them.")
    if entry:
        evidence.append(f"The register has it: {entry.name}.")
    nature: Nature | None = entry.nature if entry else "scope" if step.ratio <= _CEASES else "counting_rule"
    treatment: Treatment | None = "note" if kind == "unsure" else None
    if kind == "recording":
        treatment = entry.treatment if entry and entry.treatment != "note" else "break"
    signals = ("peers", *(("sister",) if sister else ()), *(("known_day",) if expected else ()))
    step = replace(step, place=place)
    return _finding(feed, panel, step, series, panel.areas, kind, None if kind == "real" else nature, confidence,
                    treatment, evidence, signals, entry)  # fmt: skip


def _carriers(panel: Panel, step: LevelStep, found: Sequence[LevelStep]) -> list[LevelStep]:
    """Clear steps of classes that make up most of a step of their whole."""
    return [
        other
        for other in found
        if other.series < len(panel.children)
        and abs(other.place - step.place) <= 1
        and other.size * np.sign(step.size) >= _CARRIES * abs(step.size)
        and abs(other.t) >= STEP_T
    ]


def _expected_place(feed: Feed, panel: Panel, step: LevelStep, register: Sequence[KnownChange]) -> int:
    """Where the month is not sure and a change was to be expected in one of those that it may be: that one."""
    places = range(step.earliest, step.latest + 1)
    expected = [place for place in places if is_expected(feed, register, panel, panel.months[place])]
    if step.latest - step.earliest > SHARP_MONTHS:
        return step.place
    return expected[0] if len(expected) == 1 else step.place


def _rose(series: str, step: LevelStep) -> str:
    verb = "rose" if step.size > 0 else "fell"
    return f"{series} {verb} by {counted(step.size)} a month ({share_of(step.size, step.size / step.ratio)})"


def _of_flag(
    feed: Feed,
    panel: Panel,
    step: LevelStep,
    found: Sequence[LevelStep],
    rate_steps: Sequence[RateStep],
    register: Sequence[KnownChange],
) -> Iterator[Finding]:
    month = panel.months[step.place]
    whole = beside(panel.total.sum(axis=0), step.place, step.ratio)
    if whole is not None and whole.moves:
        return
    entry = known_change(register, panel, month, panel.children[step.series])
    if entry is not None and entry.to is not None:
        entry = None  # what comes by and by over years is no reason for a step
    captured = [rate for rate in rate_steps if abs(rate.place - step.place) <= _RATE_MONTHS]
    near = {other.series for other in found if abs(other.place - step.place) <= 1 and abs(other.t) >= STEP_T}
    flags = sorted(name for series, name in enumerate(panel.children) if series in near)
    a_go_live = feed.is_usual(month) and month.month != 4
    # flags that hold one another step together in truth as well: several are no reason, only more of one
    reasons = [bool(captured), a_go_live, entry is not None]
    if not any(reasons):
        return
    is_sure = sum(reasons) > 1 or len(flags) > 1 or step.after >= _LASTS
    kind: Kind = "recording" if is_sure else "unsure"
    evidence = [
        f"{_rose(panel.children[step.series], step)} from {month_in_words(month)} in nearly all areas at once, while "
        f"{panel.parent} stayed level: how it is flagged {'has' if is_sure else 'may have'} changed, not the crime.",
        *([f"{listed(flags)} stepped in the same month."] if len(flags) > 1 else []),
        *(f"In the same month the share of {rate.rate.name} went from {percent(rate.before)} to {percent(rate.after)}."
          for rate in captured),
        *why_then(feed, month),
    ]  # fmt: skip
    if entry:
        evidence.append(f"The register has it: {entry.name}.")
    agreeing = sum(reasons) + (len(flags) > 1) + (step.after >= _LASTS)
    yield _finding(
        feed, panel, step, panel.children[step.series], panel.areas, kind, "system", min(0.95, 0.5 + 0.15 * agreeing),
        "break" if kind == "recording" else "note", evidence,
        ("peers", "flags", *(("capture",) if captured else ())), entry,
    )  # fmt: skip


def _of_one_area(feed: Feed, panel: Panel, step: LevelStep, register: Sequence[KnownChange]) -> Finding:
    month = panel.months[step.place]
    area = (panel.areas[step.row],)
    sister_name, sister = _sister(feed, panel, step)
    has_peers = len(panel.areas) >= PEERS
    # an entry of the register holds everywhere: what peers do not show is not it
    entry = None if has_peers else known_change(register, panel, month)
    kind: Kind = "real"
    confidence = 0.75
    if not has_peers and step.ratio <= _CEASES:
        # no crime ceases within a month
        kind, confidence = "recording", 0.85 if entry else 0.75
    elif entry and entry.to is None and step.after >= _LASTS:
        kind, confidence = "recording", 0.8
    elif entry or (sister is not None and sister.level and step.after >= _LASTS):
        kind, confidence = "unsure", 0.5
    evidence = [
        f"{_rose(panel.parent, step)} from {month_in_words(month)} {where(feed, area)}.",
        *_of_sister(sister_name, sister),
    ]
    if has_peers:
        evidence.append("The other areas do not show it: that is what a real local change looks like.")
    if entry:
        evidence.append(f"The register has it: {entry.name}.")
    nature: Nature | None = entry.nature if entry else "scope" if kind == "recording" else "practice"
    treatment: Treatment | None = "note" if kind == "unsure" else None
    if kind == "recording":
        treatment = entry.treatment if entry and entry.treatment != "note" else "break"
    signals = ("level", *(("sister",) if sister else ()), *(("known_day",) if entry else ()))
    return _finding(feed, panel, step, panel.parent, area, kind, None if kind == "real" else nature, confidence,
                    treatment, evidence, signals, entry)  # fmt: skip


def _sister(feed: Feed, panel: Panel, step: LevelStep) -> tuple[str, Beside | None]:
    name, counts = feed.sisters.get(panel.parent, ("", None))
    if counts is None:
        return "", None
    one_area = len(panel.areas) < PEERS or not agree(panel.total, step.place, step.size)
    return name, beside(counts[step.row] if one_area else counts.sum(axis=0), step.place, step.ratio)


def _of_sister(name: str, sister: Beside | None) -> list[str]:
    if sister is None:
        return []
    if sister.moves:
        return [f"{name}, which sees the same thing, moved as well."]
    return [f"{name}, which sees the same thing, stayed level."] if sister.level else []


def _finding(
    feed: Feed, panel: Panel, step: LevelStep, series: str, areas: tuple[str, ...], kind: Kind, nature: Nature | None,
    confidence: float, treatment: Treatment | None, evidence: Sequence[str], signals: tuple[str, ...],
    entry: KnownChange | None,
) -> Finding:  # fmt: skip
    return Finding(
        kind=kind, nature=nature, feed=feed.name, series=series, whole=panel.parent, bridged_parent=None, areas=areas,
        month=panel.months[step.place], earliest=panel.months[step.earliest], latest=panel.months[step.latest],
        confidence=round(confidence, 2), treatment=treatment, evidence=tuple(evidence), signals=signals,
        effect=Effect(
            step.size, step.size - 1.96 * step.standard_error, step.size + 1.96 * step.standard_error,
            "offences a month",
        ),
        classes=(series,), register_id=entry.register_id if entry else None,
    )  # fmt: skip


def judge_ramps(feed: Feed, panels: Sequence[Panel]) -> Iterator[Finding]:
    """Yield ramps against a feed that sees the same thing: counting that changes by and by."""
    for panel in panels:
        name, sister = feed.sisters.get(panel.parent, ("", None))
        if sister is None:
            continue
        # from where the other feed has all its months
        known = int(np.flatnonzero(np.isnan(sister).any(axis=0)).max(initial=-1)) + 1
        ramp = find_ramp(panel.total.sum(axis=0)[known:], sister.sum(axis=0)[known:])
        if ramp is None:
            continue
        first, last = panel.months[known + ramp.first], panel.months[known + ramp.last]
        has_peers = len(panel.areas) >= PEERS
        yield Finding(
            kind="recording" if has_peers else "unsure", nature="practice", feed=feed.name, series=panel.parent,
            whole=panel.parent, bridged_parent=None, areas=panel.areas, month=first, earliest=first, latest=last,
            confidence=0.8 if has_peers else 0.5, treatment="note",
            evidence=(
                f"{panel.parent} {'rose' if ramp.ratio > 0 else 'fell'} by {percent(ramp.ratio)} within two years "
                f"against {name}, month by month since about {month_in_words(first)}: it is counted more and more "
                "completely, or less and less. There is no one date.",
            ),
            signals=("sister", *(("peers",) if has_peers else ())),
            effect=Effect(ramp.ratio, ramp.low, ramp.high, "of the level two years before"), classes=(panel.parent,),
        )  # fmt: skip


def judge_rates(feed: Feed, rate_steps: Sequence[RateStep]) -> Iterator[Finding]:
    """Yield steps in how records are captured that no series has answered to: a question, not yet an answer."""
    for step in rate_steps:
        month = feed.months[step.place]
        yield Finding(
            kind="unsure", nature=step.rate.nature, feed=feed.name, series=step.rate.name, whole=step.rate.name,
            bridged_parent=None,
            areas=feed.panels[0].areas, month=month, earliest=month, latest=month, confidence=0.6, treatment="note",
            evidence=(
                f"The share of {step.rate.name} went from {percent(step.before)} to {percent(step.after)} in "
                f"{month_in_words(month)}: records are captured in another way.",
            ),
            signals=("capture",),
            effect=Effect(step.after - step.before, step.after - step.before, step.after - step.before, "share"),
        )  # fmt: skip
