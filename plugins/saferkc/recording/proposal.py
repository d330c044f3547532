"""Confirmed changes as rows for the register, so that a decision can become an entry by a change of the seeds."""

from __future__ import annotations

import calendar
import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any

from saferkc.recording.labels import Counted
from saferkc.recording.reading.trees import series_of
from saferkc.recording.register import Register, breaches
from saferkc.recording.words import listed, month_in_words

_CHANGES, _SERIES, _MAPS = "recording_changes", "recording_change_series", "recording_code_maps"
_Rows = list[dict[str, str]]


@dataclass(frozen=True)
class Proposal:
    """Rows to be added to the seeds, by seed, and what the register's rules kept out, by number of the change."""

    rows: Mapping[str, Sequence[Mapping[str, str]]]
    left_out: Mapping[int, Sequence[str]]


def propose(
    register: Register,
    changes: Sequence[Mapping[str, Any]],
    published: frozenset[str],
    boroughs: Mapping[str, str],
    counted: Mapping[int, Counted] = MappingProxyType({}),
) -> Proposal:
    """Make rows of confirmed changes that the register lacks, each only where the register keeps its rules with it.

    ``changes`` are rows of the ledger, ``published`` the feeds whose figures are published by month, ``boroughs``
    names by code. ``counted`` says by number of the change what counts by its labels: of labels that it lacks the
    classes are left empty, for people to say. A fault of the data is nothing for the register.
    """
    rows: dict[str, _Rows] = {_CHANGES: [], _SERIES: [], _MAPS: []}
    left_out: dict[int, Sequence[str]] = {}
    for change in changes:
        if change["state"] != "confirmed" or change["register_id"] or change["kind"] == "data_fault":
            continue
        known = counted.get(change["change_id"], Counted())
        own = _rows_of(change, register, published, boroughs, known)
        longer = replace(
            register,
            changes=[*register.changes, *own[_CHANGES]],
            series=[*register.series, *own[_SERIES]],
            code_maps=[*register.code_maps, *own[_MAPS]],
        )
        broken = [sentence for sentence in breaches(longer) if sentence not in breaches(register)]
        if broken:
            left_out[change["change_id"]] = broken
            continue
        register = longer
        for name, added in own.items():
            rows[name] += added
    return Proposal(rows, left_out)


def write_proposal(proposal: Proposal, seeds: Path, out: Path) -> list[Path]:
    """Write the seeds with the proposal's rows at their end into folder ``out``; returns the files that differ."""
    written = []
    for name, rows in proposal.rows.items():
        if not rows:
            continue
        kept = (seeds / f"{name}.csv").read_text(encoding="utf-8")
        added = io.StringIO(newline="")
        writer = csv.DictWriter(added, list(csv.DictReader(io.StringIO(kept)).fieldnames or ()), lineterminator="\n")
        writer.writerows(rows)
        out.mkdir(parents=True, exist_ok=True)
        path = out / f"{name}.csv"
        path.write_text(kept.rstrip("\n") + "\n" + added.getvalue(), encoding="utf-8", newline="")
        written.append(path)
    return written


def _rows_of(
    change: Mapping[str, Any],
    register: Register,
    published: frozenset[str],
    boroughs: Mapping[str, str],
    counted: Counted,
) -> dict[str, _Rows]:
    evidence = change["evidence"]
    whole, month = change["parent_series"] or change["series"], change["effective_month"]
    series = _series(change, whole, register, counted)
    code = _code(f"{series}_{month:%Y_%m}", register)
    bridged = bool(evidence.get("bridged_parent")) or change["treatment"] == "bridge"
    treatment = change["treatment"] or "note"
    by_and_by = change["nature"] == "practice" and (evidence.get("latest_month") or "") > month.isoformat()
    when, names = month_in_words(month), evidence.get("classes") or [change["series"]]
    safe = f"{whole} may be compared among the months before {when}, and among those from {when} on."
    unsafe = f"Do not compare {whole} before {when} with {when} or later."
    if bridged:
        safe = f"{whole} as a whole may be compared across {when}."
        unsafe = f"Do not compare {listed(names)} before {when} with {when} or later."
    if change["nature"] == "rename":
        safe = f"{whole} and its classes may be compared across {when}, old names with those that came in their place."
        unsafe = f"Do not take the new names of {when} for another way of counting."
    note = f": {change['decision_note']}" if change["decision_note"] else ""
    feed = change["feed"].split(" ")[0]
    return {
        _CHANGES: [
            {
                "change_code": code,
                "change_name": f"{whole}: counted otherwise from {when}",
                "effective_from": month.isoformat(),
                "effective_to": _last_of(evidence["latest_month"]) if by_and_by else "",
                "date_precision": "range" if by_and_by else "month",
                "date_basis": "published" if feed in published else "recorded",
                "geography": _where(change, boroughs),
                "nature": change["nature"] or "practice",
                "authority": f"Confirmed by the community safety team, {change['decided_at']:%-d %B %Y}{note}",
                "authority_grade": "C",
                "what_changed": " ".join(evidence.get("sentences") or [f"{whole} is counted otherwise."]),
                "safe_to_say": safe,
                "unsafe_to_say": unsafe,
                "status": "active",
            }
        ],
        _SERIES: [
            {
                "change_code": code,
                "series": series,
                "parent_series": series if bridged else "",
                "treatment_of_parent": "bridge" if bridged else treatment,
                # under new names classes go on; else it is the classes that can't be compared
                "treatment_of_children": ("bridge" if change["nature"] == "rename" else "break")
                if bridged and treatment != "note"
                else treatment,
                "regime_code": "",
                "note_code": "",
                # names are those of a file, rules are those of everybody
                "feed": feed if change["nature"] == "rename" else "",
            }
        ],
        _MAPS: [
            {
                "change_code": code,
                "from_code": weight["from_class"],
                "to_code": weight["to_class"],
                **{column: str(weight[column]) for column in ("weight", "weight_low", "weight_high")},
                "weight_basis": weight.get("weight_basis", "estimated"),
                **_classes(weight, counted),
            }
            for weight in _of_all_areas(evidence.get("code_map") or ())
        ],
    }


def _of_all_areas(code_map: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The weights of all areas together, which the register holds; those of the one area where there is only one."""
    areas = {weight["area"] for weight in code_map}
    wanted = None if None in areas or len(areas) > 1 else next(iter(areas), None)
    return [weight for weight in code_map if weight["area"] == wanted]


def _series(change: Mapping[str, Any], whole: str, register: Register, counted: Counted) -> str:
    """The series of the register, or else the one of the marts that counts by the labels."""
    series = series_of(change["feed"], whole, change["series"])
    named = {row["series"] for row in (*register.series, *register.regimes)}
    return series if series in named or not counted.series else counted.series[0]


def _classes(weight: Mapping[str, Any], counted: Counted) -> dict[str, str]:
    """Which classes of the marts the codes are counted in; nothing where no mart is known to count them."""
    pair = counted.pair(weight["from_class"], weight["to_class"])
    return dict(zip(("series", "from_class", "to_class"), pair, strict=True)) if pair else {}


def _code(wanted: str, register: Register) -> str:
    """A code that no entry of the register has."""
    taken = {row["change_code"] for row in register.changes}
    return next(code for code in (wanted, *(f"{wanted}_{n}" for n in range(2, 1000))) if code not in taken)


def _last_of(month: str) -> str:
    day = date.fromisoformat(month)
    return day.replace(day=calendar.monthrange(day.year, day.month)[1]).isoformat()


def _where(change: Mapping[str, Any], boroughs: Mapping[str, str]) -> str:
    areas = change["evidence"].get("areas") or []
    if change["geography"] == "all" and len(areas) > 1:
        return "London"
    return ", ".join(boroughs.get(area, area) for area in areas) or str(change["geography"])
