"""Findings from the code list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from saferkc.recording.codes import CodeEvent
from saferkc.recording.findings import Finding, Nature, Treatment
from saferkc.recording.judging.known import KnownChange, known_change
from saferkc.recording.series import Feed, Panel
from saferkc.recording.steps import restlessness, step_at
from saferkc.recording.words import counted, listed, month_in_words, why_then

# a sibling that loses so much of what a new code holds gave it away
_GIVEN_AWAY, _GIVEN_AWAY_T = 0.5, 2.0


def judge_codes(
    feed: Feed, panel: Panel, ready: Panel, events: Sequence[CodeEvent], register: Sequence[KnownChange]
) -> Iterator[Finding]:
    """Say what each event of the code list means.

    ``panel`` is as delivered, with old and new codes apart; ``ready`` is joined over renames and without NaN.
    """
    for event in events:
        entry = known_change(register, panel, panel.months[event.place])
        known = entry.register_id if entry else None
        if event.renames:
            yield replace(_rename(feed, panel, event), register_id=known)
        if event.born or event.died:
            yield replace(_other(feed, panel, ready, event), register_id=known)
        for wrong, meant in event.mistyped:
            yield Finding(
                kind="data_fault", nature="coverage", feed=feed.name, series=wrong, whole=panel.parent,
                bridged_parent=panel.parent,
                areas=_areas_with(panel, (wrong,), event.place), month=panel.months[event.place],
                earliest=panel.months[event.place], latest=panel.months[event.place], confidence=0.85,
                treatment="hold",
                evidence=(
                    f"A few records came under “{wrong}”, which was never used before and is written almost like "
                    f"“{meant}”: probably a slip of typing.",
                ),
                signals=("code_list",), classes=(wrong, meant),
            )  # fmt: skip


def _rename(feed: Feed, panel: Panel, event: CodeEvent) -> Finding:
    month = panel.months[event.place]
    old, new = ([pair[n] for pair in event.renames] for n in (0, 1))
    return Finding(
        kind="recording", nature="rename", feed=feed.name, series=new[0], whole=panel.parent,
        bridged_parent=panel.parent,
        areas=_areas_with(panel, new, event.place), month=month, earliest=month, latest=month, confidence=0.95,
        treatment="bridge",
        evidence=(
            f"From {month_in_words(month)} {listed(new)} came in the place of {listed(old)}, at about the same level.",
            *why_then(feed, month),
        ),
        signals=("code_list",), classes=(*new, *old),
    )  # fmt: skip


def _other(feed: Feed, panel: Panel, ready: Panel, event: CodeEvent) -> Finding:
    month = panel.months[event.place]
    nature, partner = _nature(ready, event)
    treatment: Treatment = "bridge" if nature in ("split", "merge") else "break"
    evidence = []
    if event.born:
        count = sum(_count(panel, name, event.place) for name in event.born)
        verb = "was" if len(event.born) == 1 else "were"
        evidence.append(
            f"{listed(event.born)} {verb} never used before {month_in_words(month)} ({counted(count)} a month since)."
        )
    if event.died:
        evidence.append(
            f"Nothing, or hardly anything, is counted under {listed(event.died)} from {month_in_words(month)}."
        )
    if partner:
        evidence.append(
            f"“{partner}” changed the other way in the same month: {panel.parent} as a whole may be compared."
        )
    elif nature != "scope" and not (event.born and event.died):
        evidence.append(
            f"That is too little to tell which class it {'came from' if event.born else 'went to'}, and too little to "
            f"matter for {panel.parent} as a whole."
        )
    elif nature == "scope":
        evidence.append(f"No other class of {panel.parent} changed the other way: do not compare the whole across it.")
    return Finding(
        kind="recording", nature=nature, feed=feed.name, series=(*event.born, *event.died)[0],
        whole=panel.parent,
        bridged_parent=panel.parent if treatment == "bridge" else None,
        areas=_areas_with(panel, event.born, event.place) if event.born else panel.areas, month=month,
        earliest=panel.months[event.faded if event.faded is not None else event.place], latest=month,
        confidence=0.9, treatment=treatment, evidence=(*evidence, *why_then(feed, month)),
        signals=("code_list",), classes=(*event.born, *event.died, *((partner,) if partner else ())),
    )  # fmt: skip


def _nature(panel: Panel, event: CodeEvent) -> tuple[Nature, str | None]:
    """Split or merge where a class that stays moves the other way by as much; else the scope has changed."""
    if event.born and event.died:
        return ("split" if len(event.born) >= len(event.died) else "merge"), None
    counts = panel.counts.sum(axis=0, keepdims=True)
    steps = step_at(counts, event.place, restlessness(counts))
    if steps is None:
        return "scope", None
    own = [panel.children.index(name) for name in (*event.born, *event.died)]
    moved = float(steps.size[0, own].sum())
    level_error = float(np.sqrt(max(steps.covariance[0].sum(), 0.0)))
    best: tuple[float, str | None] = (0.0, None)
    for child, name in enumerate(panel.children):
        against = -float(steps.size[0, child]) * float(np.sign(moved))
        if (
            child not in own
            and against > max(best[0], _GIVEN_AWAY * abs(moved))
            and abs(steps.t[0, child]) >= _GIVEN_AWAY_T
        ):
            best = against, name
    # what is lost in the noise of the whole makes no scope: it is taken for a part of what was there
    if best[1] is None and abs(moved) >= _GIVEN_AWAY_T * level_error:
        return "scope", None
    return ("split" if event.born else "merge"), best[1]


def _count(panel: Panel, name: str, place: int) -> float:
    return float(np.nansum(panel.counts[:, panel.children.index(name), place : place + 3], axis=0).mean())


def _areas_with(panel: Panel, names: Sequence[str], place: int) -> tuple[str, ...]:
    children = [panel.children.index(name) for name in names]
    used = np.nansum(panel.counts[:, children, place:], axis=(1, 2)) > 0
    return tuple(area for area, is_used in zip(panel.areas, used, strict=True) if is_used)
