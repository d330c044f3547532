"""What must be shown with a series: rules of counting and notes of the register, and changes found in the figures."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Literal

from saferkc.recording.charts.catalogue import Series
from saferkc.recording.charts.model import Mark, MarkKind, Point
from saferkc.recording.ledger import list_changes
from saferkc.recording.reading.trees import series_of
from saferkc.recording.register import Register, read_register
from saferkc.settings import Settings
from saferkc.warehouse.connection import Connection, fetch_all

_REGIMES = """
select regime_code, series, regime_name, valid_from, treatment_of_parent, treatment_of_children, definition,
    caveat_parent, caveat_children
from core.dim_recording_regime
where series = %s and valid_from is not null
order by valid_from
"""
_STATES: dict[str, MarkKind] = {
    "suspected": "suspected", "registered": "registered", "confirmed": "confirmed", "rejected": "rejected",
}  # fmt: skip
_NATURES = {
    "rename": "new names of classes", "split": "records moved between classes", "merge": "classes put together",
    "scope": "more or less is counted", "counting_rule": "a new rule of counting", "geography": "other boundaries",
    "system": "a new recording system", "practice": "another practice of recording", "coverage": "other coverage",
    "revision": "earlier months restated",
}  # fmt: skip
# findings of the newest build in which a class of a series is concerned, or the series as a whole, in one ward or any
_CONCERNED = """
select distinct change_id
from intermediate.int_recording__findings
where (
        (
            coalesce(series, %(series)s) = %(series)s and is_parent = %(is_whole)s and not is_level
            and coalesce(class_name, %(class)s) = %(class)s
        )
        or (ward_code is not null and ward_code = %(ward)s)
    )
    and (feed is null or starts_with(feed, %(publisher)s) = %(is_published)s)
"""
# how the register calls all series by ward, of records and as published
_BY_WARD = {False: "records_by_ward", True: "offences_by_ward"}
# feeds of what the Metropolitan Police publishes: another counting than of the records that agencies send
_PUBLISHED = "mps_"
# whether a class is its series as a whole, or a part of it, to which another treatment may apply
_Role = Literal["parent", "children"]
_Row = Mapping[str, Any]


# a mark with the register's name of the change, by which a change found in the figures is known to be the same
_Marked = tuple[str, Mark]


def read_marks(
    connection: Connection,
    settings: Settings,
    series: Series,
    rows: Sequence[_Row],
    points: Sequence[Point],
) -> tuple[Mark, ...]:
    """The marks of a series in one area; ``rows`` are those of the mart, with their regime."""
    regimes = _regimes(connection, rows)
    if not regimes:
        return ()
    name, borough = str(regimes[0]["series"]), rows[-1]["borough_code"]
    register = read_register(settings.dbt_project_dir / "seeds")
    role: _Role = "parent" if rows[-1]["is_whole_series"] else "children"
    marks = [
        *_rules(regimes, points, role, register),
        *_notes(settings, register, name, series, borough),
        *_entries(register, name, series, role),
    ]
    if rows[-1]["geography_type"] == "ward":
        # a ward is a class of the borough: what changes its boundaries concerns every series of it
        marks += _entries(register, _BY_WARD[series.mart.is_published], series, "children")
    changes = _changes(connection, series, name, role, rows[-1])
    return tuple(mark for _, mark in _with_findings(marks, changes, points))


def _regimes(connection: Connection, rows: Sequence[_Row]) -> list[dict[str, Any]]:
    """The rules of the series that the newest month belongs to, in order."""
    if not rows:
        return []
    query = "select series from core.dim_recording_regime where regime_key = %s"
    named = connection.execute(query.encode(), [rows[-1]["regime_key"]]).fetchone()
    return fetch_all(connection, _REGIMES, [named[0]]) if named else []


def _rules(regimes: Sequence[_Row], points: Sequence[Point], role: _Role, register: Register) -> Iterator[_Marked]:
    """The changes of rule of the series: a gap, or a line where the series may be compared all the same."""
    for regime in regimes:
        treatment = regime[f"treatment_of_{role}"]
        if not treatment:
            continue
        entry = next((row for row in register.series if row["regime_code"] == regime["regime_code"]), None)
        change = register.change(entry["change_code"]) if entry else None
        start = regime["valid_from"]
        is_gap = treatment == "break" or _is_restated_until(points, start)
        title = change["change_name"] if change else regime["regime_name"]
        words = _what_follows(change, is_gap=is_gap) if change else regime["definition"] or ""
        kind: MarkKind = "break" if is_gap else "bridge"
        yield change["change_code"] if change else "", Mark(kind, start, title, words, is_gap=is_gap)


def _is_restated_until(points: Sequence[Point], start: date) -> bool:
    """Whether the mart restates the last month before a change and not the first one after it: their levels differ."""
    before = [point for point in points if point.month < start and point.as_recorded is not None]
    after = [point for point in points if point.month >= start and point.as_recorded is not None]
    return bool(before and after) and before[-1].is_restated and not after[0].is_restated


def _notes(settings: Settings, register: Register, name: str, series: Series, borough: str | None) -> Iterator[_Marked]:
    """What analysts noted of the series, of all its classes or of this one, here or everywhere."""
    entries = {row["note_code"]: row for row in register.series if row["series"] == name}
    path = settings.dbt_project_dir / "seeds" / "recording_notes.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        notes = [row for row in csv.DictReader(stream) if row["series"] == name]
    for note in notes:
        entry = entries.get(note["note_code"])
        is_here = note["class_name"] in ("", series.class_name) and note["borough_code"] in ("", borough or "")
        if is_here and (entry is None or _is_of_mart(entry["feed"], series)):
            start, end = date.fromisoformat(note["from_month"]), date.fromisoformat(note["to_month"])
            title, _, words = note["note"].partition(": ")
            code = entry["change_code"] if entry else ""
            yield code, Mark("note", start, title, words[:1].upper() + words[1:], end)


def _is_of_mart(feed: str, series: Series) -> bool:
    """Whether what concerns a feed (empty: all of them) concerns a series made of published figures, or of records."""
    return not feed or feed.startswith(_PUBLISHED) == series.mart.is_published


def _entries(register: Register, name: str, series: Series, role: _Role) -> Iterator[_Marked]:
    """Entries of the register for the series that begin no rule of counting and are not in its notes."""
    for row in register.series:
        change = register.change(row["change_code"])
        if row["series"] != name or row["regime_code"] or row["note_code"] or change is None:
            continue
        if change["status"] != "active" or not _is_of_mart(row["feed"], series):
            continue
        treatment = register.treatments(row)[0 if role == "parent" else 1]
        start, end = date.fromisoformat(change["effective_from"]), change["effective_to"]
        last = date.fromisoformat(end) if end else None
        kind: MarkKind = "break" if treatment == "break" else "bridge" if treatment == "bridge" else "note"
        is_gap = treatment == "break"
        words = _what_follows(change, is_gap=is_gap)
        yield row["change_code"], Mark(kind, start, change["change_name"], words, last, is_gap=is_gap)


def _what_follows(change: _Row, *, is_gap: bool) -> str:
    """What changed, what not to say where figures may not be compared, and what is safe to say."""
    unsafe = [change["unsafe_to_say"]] if is_gap else []
    return " ".join([change["what_changed"], *unsafe, f"Safe to say: {change['safe_to_say']}"])


def _with_findings(marks: Sequence[_Marked], changes: Sequence[_Row], points: Sequence[Point]) -> Iterator[_Marked]:
    """The marks, and the changes of the ledger: one that is known already is said of the known one."""
    known = {code for code, _ in marks if code}
    said_of: dict[str, list[_Row]] = defaultdict(list)
    for change in changes:
        if change["register_id"] in known:
            said_of[change["register_id"]].append(change)
        else:
            yield "", _finding(change, points)
    for code, mark in marks:
        yield code, _with_said(mark, said_of[code]) if code in known else mark


def _with_said(mark: Mark, changes: Sequence[_Row]) -> Mark:
    """A mark of the register with what the figures show and the team has decided: a decision wins over the register."""
    if not changes:
        return mark
    numbers = ", ".join(str(change["change_id"]) for change in changes)
    if any(change["state"] == "rejected" for change in changes):
        said = f"The team has decided that it does not hold here (change {numbers})."
        return replace(mark, kind="rejected", words=said, is_gap=False)
    return replace(mark, words=f"{mark.words} The figures show it too (change {numbers}).".lstrip())


def _changes(connection: Connection, series: Series, name: str, role: _Role, row: _Row) -> list[dict[str, Any]]:
    """Changes of the ledger that concern a series of the register in an area, found in feeds that the mart is made of.

    Real changes are none in counting.
    """
    borough, counted = row["borough_code"], _concerned(connection, series, name, role, row["ward_code"])
    found = []
    for change in list_changes(connection, include_all=True):
        is_here = change["geography"] == "all" or borough in change["evidence"].get("areas", ())
        label, whole = change["series"], change["parent_series"] or ""
        concerned = {label, whole, series_of(change["feed"], whole, label)}
        is_concerned = name in concerned and _is_of_mart(change["feed"], series)
        if (
            change["kind"] != "real"
            and change["state"] in _STATES
            and is_here
            and (is_concerned or change["change_id"] in counted)
        ):
            found.append(change)
    return found


def _concerned(connection: Connection, series: Series, name: str, role: _Role, ward: str | None) -> frozenset[int]:
    """The findings whose labels the class counts, by what the newest build knows of labels."""
    is_built = connection.execute("select to_regclass('intermediate.int_recording__findings')").fetchone()
    if is_built is None or is_built[0] is None:
        return frozenset()
    wanted: dict[str, Any] = {"series": name, "class": series.class_name, "is_whole": role == "parent", "ward": ward}
    wanted |= {"publisher": _PUBLISHED, "is_published": series.mart.is_published}
    return frozenset(row[0] for row in connection.execute(_CONCERNED, wanted).fetchall())


def targets_of(connection: Connection, change_id: int) -> list[tuple[str | None, str | None]]:
    """The series and classes that a change of the ledger moves, by what the newest build knows of labels."""
    is_built = connection.execute("select to_regclass('intermediate.int_recording__findings')").fetchone()
    if is_built is None or is_built[0] is None:
        return []
    query = (
        "select distinct series, class_name from intermediate.int_recording__findings"
        " where change_id = %s and not is_level"
    )
    return connection.execute(query, [change_id]).fetchall()


def _finding(change: _Row, points: Sequence[Point]) -> Mark:
    """A change found in the figures; a confirmed one is a gap where the mart says that nothing goes across it."""
    month = change["effective_month"]
    sentences = change["evidence"].get("sentences", ())
    at = next((point for point in points if point.month >= month), None)
    is_gap = change["state"] == "confirmed" and (
        (at is not None and at.comparability == "break") or _is_restated_until(points, month)
    )
    what = "fault in a delivery" if change["kind"] == "data_fault" else _NATURES.get(change["nature"], "change")
    title = f"{what} in {change['parent_series'] or change['series']} (change {change['change_id']})"
    return Mark(_STATES[change["state"]], month, title, " ".join(sentences[:2]), is_gap=is_gap)
