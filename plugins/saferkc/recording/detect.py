"""The detector: everything that the signals say about one feed, as changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

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
from saferkc.recording.steps import BEFORE, LEAST_BEFORE, filled
from saferkc.recording.wholes import came_or_went, joined_wholes, panel_of_wholes, whole_events

# a night looks at these; what is older was judged by the nights before
MONTHS_OF_A_NIGHT = 18
# two steps of one series so near to each other are one
_ECHO_MONTHS = 9
# and reads these: what it looks at, what may echo in it, and what came before that
MONTHS_TO_READ = MONTHS_OF_A_NIGHT + _ECHO_MONTHS + BEFORE


def examine(feed: Feed, register: Sequence[KnownChange] = (), *, since: int = LEAST_BEFORE) -> list[Change]:
    """Find the changes of ``feed`` in its months from number ``since`` on, the earliest first.

    A night needs the last ``MONTHS_OF_A_NIGHT`` only (``since`` = number of months less those): older months are judged
    as they were. Series of fewer than 12 months say nothing yet, except by their codes. Nothing is read or written.
    """
    if not feed.panels:
        return []
    # what happened just before is looked at again, so that its echo isn't taken for something new
    first = max(LEAST_BEFORE, since - _ECHO_MONTHS)
    faults = real_faults(_under_newest_names(feed), first)
    delivered = tuple(_without(panel, faults) for panel in feed.panels)
    of_wholes = whole_events(delivered)
    panels = joined_wholes(delivered, of_wholes)
    events = {panel.parent: _own_events(panel, of_wholes) for panel in panels}
    ready = [_filled(joined(panel, events[panel.parent])) for panel in panels]
    rate_steps = find_rate_steps(feed.rates, first)
    upheavals = find_upheavals(np.stack([panel.total.sum(axis=0) for panel in ready]), first)
    findings: list[Finding] = [*judge_faults(feed, faults), *judge_vintages(feed)]
    wholes = panel_of_wholes(delivered, feed.everything)
    if wholes is not None:
        together = _filled(joined(wholes, of_wholes))
        findings += judge_codes(feed, wholes, together, _since(of_wholes, first), register)
    for panel, whole in zip(panels, ready, strict=True):
        recent = _since(events[panel.parent], first)
        findings += judge_codes(feed, panel, whole, recent, register)
        findings += judge_shares(feed, whole, recent, register, upheavals, first)
    findings += judge_levels(feed, ready, register, rate_steps, upheavals, first)
    findings += judge_ramps(feed, ready)
    findings += judge_rates(feed, rate_steps)
    changes = one_cause(_without_fresh_classes(findings, events, panels))
    return [change for change in changes if _is_recent(change.lead, feed.months[since:])]


def _is_recent(lead: Finding, months: Sequence[date]) -> bool:
    """Tell whether a change is of these months: by its first one, a ramp by its last, a vintage by being there."""
    return "vintages" in lead.signals or lead.month in months or (lead.nature == "practice" and lead.latest in months)


def _under_newest_names(feed: Feed) -> Feed:
    """The feed with renamed codes joined: a month that is short is short under a new name as well."""
    panels = joined_wholes(feed.panels, whole_events(feed.panels))
    return replace(feed, panels=tuple(joined(panel, code_events(panel)) for panel in panels))


def _own_events(panel: Panel, of_wholes: Sequence[CodeEvent]) -> list[CodeEvent]:
    """Events of a panel's classes, without those of the whole: classes of what begins or ends do so with it."""
    with_whole = came_or_went(of_wholes, panel.parent)
    return [event for event in code_events(panel) if not any(abs(event.place - place) <= 1 for place in with_whole)]


def _since(events: Sequence[CodeEvent], since: int) -> list[CodeEvent]:
    return [event for event in events if event.place >= since]


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
    findings: Sequence[Finding], events: dict[str, list[CodeEvent]], panels: Sequence[Panel]
) -> list[Finding]:
    """Leave out level steps of a class that was born or died in that month: the code list has said it better."""
    fresh = {
        (name, abs_month)
        for panel in panels
        for event in events[panel.parent]
        for name in (*event.born, *event.died)
        for abs_month in panel.months[max(0, event.place - 1) : event.place + 2]
    }
    return [
        finding
        for finding in findings
        if "code_list" in finding.signals or finding.kind == "real" or (finding.series, finding.month) not in fresh
    ]
