"""The detector: everything that the signals say about one feed, as changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from saferkc.recording.codes import CodeEvent, code_events, joined
from saferkc.recording.faults import Fault
from saferkc.recording.findings import Change, Finding
from saferkc.recording.grouping import one_cause
from saferkc.recording.judging.codes import judge_codes
from saferkc.recording.judging.faults import judge_faults, judge_vintages, real_faults
from saferkc.recording.judging.known import KnownChange
from saferkc.recording.judging.levels import judge_levels, judge_ramps, judge_rates
from saferkc.recording.judging.shares import judge_shares
from saferkc.recording.levels import find_upheavals
from saferkc.recording.rates import find_rate_steps
from saferkc.recording.series import Feed, Panel
from saferkc.recording.steps import LEAST_BEFORE, filled


def examine(feed: Feed, register: Sequence[KnownChange] = (), *, since: int = LEAST_BEFORE) -> list[Change]:
    """Find the changes of ``feed`` in its months from number ``since`` on, the earliest first.

    A night needs the last year and a half only (``since`` = number of months - 18): older months are judged as they
    were. Series of fewer than 12 months say nothing yet, except by their codes. Nothing is read or written.
    """
    faults = real_faults(feed, since)
    panels = [_without(panel, faults) for panel in feed.panels]
    events = {panel.parent: code_events(panel) for panel in panels}
    whole = [_filled(joined(panel, events[panel.parent])) for panel in panels]
    rate_steps = find_rate_steps(feed.rates, since)
    upheavals = find_upheavals(np.stack([panel.total.sum(axis=0) for panel in whole]), since)
    findings: list[Finding] = [*judge_faults(feed, faults), *judge_vintages(feed)]
    for panel, ready in zip(panels, whole, strict=True):
        recent = [event for event in events[panel.parent] if event.place >= since]
        findings += judge_codes(feed, panel, ready, recent, register)
        findings += judge_shares(feed, ready, recent, register, upheavals, since)
    findings += judge_levels(feed, whole, register, rate_steps, upheavals, since)
    findings += judge_ramps(feed, whole)
    findings += judge_rates(feed, rate_steps)
    return one_cause(_without_fresh_classes(findings, events, feed), _wholes(feed))


def _without(panel: Panel, faults: Sequence[Fault]) -> Panel:
    """The panel with months that are at fault taken out."""
    if not faults:
        return panel
    counts = panel.counts.copy()
    base = None if panel.base is None else panel.base.copy()
    for fault in faults:
        counts[list(fault.rows), :, fault.first : fault.last + 1] = np.nan
        if base is not None:
            base[list(fault.rows), fault.first : fault.last + 1] = np.nan
    return replace(panel, counts=counts, base=base)


def _filled(panel: Panel) -> Panel:
    base = None if panel.base is None else filled(panel.base[:, None, :])[:, 0]
    return replace(panel, counts=filled(panel.counts), base=base)


def _without_fresh_classes(
    findings: Sequence[Finding], events: dict[str, list[CodeEvent]], feed: Feed
) -> list[Finding]:
    """Leave out level steps of a class that was born or died in that month: the code list has said it better."""
    fresh = {
        (name, abs_month)
        for panel in feed.panels
        for event in events[panel.parent]
        for name in (*event.born, *event.died)
        for abs_month in panel.months[max(0, event.place - 1) : event.place + 2]
    }
    return [
        finding
        for finding in findings
        if "code_list" in finding.signals or finding.kind == "real" or (finding.series, finding.month) not in fresh
    ]


def _wholes(feed: Feed) -> dict[str, str]:
    return {child: panel.parent for panel in feed.panels for child in panel.children}
