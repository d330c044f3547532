"""The register of recording changes: read from its seeds, and held to its rules.

What a change does to a series stands once: with the regime that it begins (``recording_regimes``), or with the change
itself where it begins none.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import get_args

from saferkc.recording.findings import Nature, Treatment
from saferkc.recording.judging.known import KnownChange

_TOLERANCE = 1e-9
_GRADES, _PRECISIONS, _BASES = {"A", "B", "C"}, {"day", "month", "range"}, {"offence", "recorded", "published"}
_WEIGHT_BASES = {"dual_coded", "authority", "estimated"}
_Row = Mapping[str, str]


@dataclass(frozen=True)
class Register:
    """The register's rows, as their seeds hold them."""

    changes: Sequence[_Row]
    series: Sequence[_Row]
    code_maps: Sequence[_Row]
    regimes: Sequence[_Row]

    def treatments(self, row: _Row) -> tuple[str, str]:
        """What a change does to a series as a whole and to its classes."""
        if row["regime_code"]:
            regime = next((r for r in self.regimes if r["regime_code"] == row["regime_code"]), None)
            return (regime["treatment_of_parent"], regime["treatment_of_children"]) if regime else ("", "")
        return row["treatment_of_parent"], row["treatment_of_children"]

    def change(self, code: str) -> _Row | None:
        """The change of a code, if there is one."""
        return next((row for row in self.changes if row["change_code"] == code), None)


def read_register(seeds: Path) -> Register:
    """Read the register from the folder of the seeds."""
    names = ("recording_changes", "recording_change_series", "recording_code_maps", "recording_regimes")
    return Register(*(_rows(seeds / f"{name}.csv") for name in names))


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def known_changes(register: Register) -> list[KnownChange]:
    """The active entries as the detector takes them, one for each series."""
    found = []
    for row in register.series:
        change = register.change(row["change_code"])
        if change is None or change["status"] != "active":
            continue
        treatments: tuple[Treatment, ...] = get_args(Treatment)
        natures: tuple[Nature, ...] = get_args(Nature)
        # the first in the order of the type: a whole that is bridged is bridged, though its classes break
        treatment: Treatment = next((t for t in treatments if t in register.treatments(row)), "note")
        nature = next(n for n in natures if n == change["nature"])
        end = date.fromisoformat(change["effective_to"]) if change["effective_to"] else None
        start = date.fromisoformat(change["effective_from"])
        found.append(
            KnownChange(change["change_code"], row["series"], start, end, nature, treatment, change["change_name"])
        )
    return found


def breaches(register: Register) -> list[str]:
    """Say which of the register's rules are broken, each in a sentence; an empty list where none is."""
    return [
        *_unknown_values(register),
        *_unknown_codes(register),
        *_bridges_without_parent(register),
        *_overlaps(register),
        *_weights(register),
        *_regimes(register),
    ]


def _unknown_values(register: Register) -> Iterator[str]:
    allowed = {
        "nature": set(get_args(Nature)), "authority_grade": _GRADES, "date_precision": _PRECISIONS,
        "date_basis": _BASES, "status": {"active", "withdrawn"},
    }  # fmt: skip
    for row in register.changes:
        for column, values in allowed.items():
            if row[column] not in values:
                yield f"{row['change_code']}: {column} is {row[column]!r}, expected one of {sorted(values)}"
        for column in ("what_changed", "safe_to_say", "unsafe_to_say", "authority"):
            if not row[column]:
                yield f"{row['change_code']}: {column} is empty"
        if (row["date_precision"] == "range") != bool(row["effective_to"]):
            yield f"{row['change_code']}: a range, and only a range, has an end"
        if row["effective_to"] and row["effective_to"] < row["effective_from"]:
            yield f"{row['change_code']}: it ends before it begins"
    for row in register.code_maps:
        if row["weight_basis"] not in _WEIGHT_BASES:
            yield f"{row['change_code']}, {row['from_code']}: weight_basis is {row['weight_basis']!r}"


def _unknown_codes(register: Register) -> Iterator[str]:
    codes = [row["change_code"] for row in register.changes]
    for code in {code for code in codes if codes.count(code) > 1}:
        yield f"{code}: stands twice in recording_changes"
    for name, rows in (("recording_change_series", register.series), ("recording_code_maps", register.code_maps)):
        for code in sorted({row["change_code"] for row in rows} - set(codes)):
            yield f"{code}: stands in {name} and not in recording_changes"
    for code in sorted(set(codes) - {row["change_code"] for row in register.series}):
        yield f"{code}: concerns no series"


def _bridges_without_parent(register: Register) -> Iterator[str]:
    for row in register.series:
        treatments = register.treatments(row)
        if not any(treatments):
            yield f"{row['change_code']}, {row['series']}: no treatment is given"
        if "bridge" in treatments and not row["parent_series"]:
            yield f"{row['change_code']}, {row['series']}: bridged, but over which parent is not said"
        for treatment in treatments:
            if treatment and treatment not in get_args(Treatment):
                yield f"{row['change_code']}, {row['series']}: treatment {treatment!r} is unknown"


def _overlaps(register: Register) -> Iterator[str]:
    """Two active changes that bridge or break one series at once; a note may lie over others."""
    spans: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for row in register.series:
        change = register.change(row["change_code"])
        if change is None or change["status"] != "active" or not {"bridge", "break"} & set(register.treatments(row)):
            continue
        end = change["effective_to"] or change["effective_from"]
        spans[row["series"]].append((change["effective_from"], end, change["change_code"]))
    for series, entries in spans.items():
        for (_, end, code), (start, _, other) in zip(sorted(entries), sorted(entries)[1:], strict=False):
            if start <= end:
                yield f"{series}: {code} and {other} overlap"


def _weights(register: Register) -> Iterator[str]:
    sums: dict[tuple[str, str], float] = defaultdict(float)
    for row in register.code_maps:
        weight, low, high = (float(row[column]) for column in ("weight", "weight_low", "weight_high"))
        if not 0 <= low <= weight <= high <= 1:
            yield f"{row['change_code']}, {row['from_code']} to {row['to_code']}: {low} <= {weight} <= {high} is not so"
        sums[row["change_code"], row["from_code"]] += weight
    for (code, from_code), total in sums.items():
        if abs(total - 1) > _TOLERANCE:
            yield f"{code}: the weights of {from_code} add up to {total:g}"


def _regimes(register: Register) -> Iterator[str]:
    """A change and the regime that it begins must say the same, and every regime must have its change."""
    regimes = {row["regime_code"]: row for row in register.regimes}
    for row in register.series:
        if not row["regime_code"]:
            continue
        regime, change = regimes.get(row["regime_code"]), register.change(row["change_code"])
        if regime is None:
            yield f"{row['change_code']}: there is no regime {row['regime_code']}"
        elif change is not None:
            last = change["effective_to"] or change["effective_from"]
            # a change that came by and by begins its regime on the day after
            begins = change["effective_from"] <= regime["valid_from"] and (
                regime["valid_from"] == last or bool(change["effective_to"])
            )
            if regime["series"] != row["series"] or not begins:
                yield f"{row['change_code']}: regime {row['regime_code']} is of another series or day"
            if regime["authority_grade"] != change["authority_grade"]:
                yield f"{row['change_code']}: regime {row['regime_code']} has another grade"
        if row["treatment_of_parent"] or row["treatment_of_children"]:
            yield f"{row['change_code']}, {row['series']}: the treatment stands in the regime as well"
    named = {row["regime_code"] for row in register.series}
    for code, regime in regimes.items():
        if regime["treatment_of_parent"] and code not in named:
            yield f"regime {code} begins without a change in the register"
