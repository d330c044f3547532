"""Findings with one cause are one change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from saferkc.recording.findings import RANK, Change, Finding

# the most specific signal speaks for a change
_SPECIFIC = ("completeness", "vintages", "code_list", "known_day", "sibling_share", "flags", "peers", "sister", "level")
_WIDE = frozenset({"system", "geography"})


def _number(month: date) -> int:
    return month.year * 12 + month.month


def _specificity(finding: Finding) -> int:
    return min((_SPECIFIC.index(signal) for signal in finding.signals if signal in _SPECIFIC), default=len(_SPECIFIC))


def one_cause(findings: Sequence[Finding]) -> list[Change]:
    """Group findings of one feed into changes, the earliest first.

    A fault of the data silences all else that its months seem to show. Real changes stay apart from changes of
    recording, except where the scope of the whole was changed: there its level says nothing.
    """
    left = sorted(_not_silenced(findings), key=lambda f: (RANK[f.kind], _specificity(f), -f.confidence, f.month))
    groups: list[list[Finding]] = []
    for finding in left:
        group = next((g for g in groups if _belongs(finding, g[0])), None)
        if group is None:
            groups.append([finding])
        elif finding.kind != "real" or group[0].kind == "real":
            group.append(finding)
    changes = [Change((_surer(group), *group[1:])) for group in groups]
    return sorted(changes, key=lambda change: change.lead.month)


def _not_silenced(findings: Sequence[Finding]) -> list[Finding]:
    faults = [f for f in findings if f.kind == "data_fault" and f.series == "all"]

    def in_fault(finding: Finding) -> bool:
        return any(
            finding is not fault
            and _number(fault.earliest) <= _number(finding.month) <= _number(fault.latest) + 1
            and set(finding.areas) & set(fault.areas)
            and "code_list" not in finding.signals
            and "vintages" not in finding.signals
            for fault in faults
        )

    return [finding for finding in findings if finding in faults or not in_fault(finding)]


def _belongs(finding: Finding, lead: Finding) -> bool:
    near = _number(lead.earliest) - 1 <= _number(finding.month) <= _number(lead.latest) + 1
    if not near or "vintages" in (*lead.signals, *finding.signals):
        return near and lead.signals == finding.signals
    if "code_list" in lead.signals and {finding.series, finding.whole} & set(lead.classes):
        # a class, or all of a category, that came or went steps because of it
        return True
    if lead.kind == "data_fault" or finding.kind == "data_fault":
        return lead.kind == finding.kind and lead.series == finding.series
    if finding.kind == "real" and lead.kind != "real":
        # what is real is swallowed only by a change of the whole's own scope
        return lead.bridged_parent is None and finding.whole == lead.whole
    if {lead.nature, finding.nature} <= _WIDE:
        return True
    return finding.whole == lead.whole and bool(set(finding.areas) & set(lead.areas))


def _surer(group: Sequence[Finding]) -> Finding:
    """The lead, with what the others add: a move behind a new name makes it a split, two signals make it surer."""
    lead = group[0]
    agreeing = [finding for finding in group[1:] if finding.kind == lead.kind]
    doubt = 1 - lead.confidence
    for finding in agreeing:
        doubt *= 1 - finding.confidence / 2
    move = next((finding for finding in agreeing if "sibling_share" in finding.signals), None)
    if lead.nature == "rename" and move is not None:
        lead = replace(lead, nature="split", effect=move.effect)
    entry = lead.register_id or next((finding.register_id for finding in agreeing if finding.register_id), None)
    return replace(lead, confidence=round(min(0.99, 1 - doubt), 2), register_id=entry)
