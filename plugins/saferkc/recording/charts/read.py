"""Reads a series of a published mart with what is known of its counting: register, notes, and changes found."""

from __future__ import annotations

import csv
import difflib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Literal

import yaml
from psycopg import sql

from saferkc.recording.charts.catalogue import Series
from saferkc.recording.charts.model import ChartedSeries, Mark, MarkKind, Point
from saferkc.recording.ledger import list_changes
from saferkc.recording.read import SERIES_OF_MAJOR
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
# how the caveat says that a month is not whole, or not final: comparability says break where it is that as well
_UNFINISHED = "The month is not over"
_STILL_CHANGES = ("The newest whole month", "The newest month published")
_NATURES = {
    "rename": "new names of classes", "split": "records moved between classes", "merge": "classes put together",
    "scope": "more or less is counted", "counting_rule": "a new rule of counting", "geography": "other boundaries",
    "system": "a new recording system", "practice": "another practice of recording", "coverage": "other coverage",
    "revision": "earlier months restated",
}  # fmt: skip
# whether a class is its series as a whole, or a part of it, to which another treatment may apply
_Role = Literal["parent", "children"]
_Row = Mapping[str, Any]


class UnknownAreaError(Exception):
    """The mart has no such area; the message names those that are meant, perhaps."""


def home_borough(settings: Settings) -> str:
    """The code of the borough that the warehouse serves, as the dbt project says."""
    project = yaml.safe_load((settings.dbt_project_dir / "dbt_project.yml").read_text(encoding="utf-8"))
    return str(project["vars"]["home_borough_code"])


def read_series(
    connection: Connection,
    settings: Settings,
    series: Series,
    *,
    area: str | None = None,
    since: date | None = None,
    until: date | None = None,
) -> ChartedSeries:
    """Read a series of one area, named by code or name (default: the home borough), months ``since`` to ``until``.

    Raises ``UnknownAreaError``.
    """
    home = home_borough(settings)
    code = _area(connection, series, area or home, home)
    rows = _rows(connection, series, code, since, until)
    # ten days drawn as a month would look like a fall
    unfinished = next((row["month"] for row in rows if _UNFINISHED in (row["caveat"] or "")), None)
    rows = [row for row in rows if unfinished is None or row["month"] < unfinished]
    points = tuple(_point(row, series) for row in rows)
    register = read_register(settings.dbt_project_dir / "seeds")
    regimes = _regimes(connection, rows)
    borough = rows[-1]["borough_code"] if rows else None
    marks = [*_rules(regimes, points, rows, register)]
    name = regimes[0]["series"] if regimes else None
    if name is not None:
        marks += _notes(settings, register, name, series.class_name, borough)
        marks += _entries(register, name, _role(regimes, rows))
        marks = list(_with_findings(marks, connection, name, borough, points))
    return ChartedSeries(
        title=series.title,
        area=_area_in_words(rows[-1]) if rows else code,
        measure=series.mart.measure.replace("_", " "),
        points=points,
        marks=tuple(mark for _, mark in marks),
        is_simulated=any(row["is_simulated"] for row in rows),
        source=series.mart.name,
        build_id=max((row["build_id"] for row in rows), default=None),
        caveat=(rows[-1]["caveat"] or "") if rows else "",
        unfinished=unfinished,
    )


# a mark with the register's name of the change, by which a change found in the figures is known to be the same
_Marked = tuple[str, Mark]


def _area(connection: Connection, series: Series, asked: str, home: str) -> str:
    """The code of an area that is asked for by code or name."""
    table = sql.Identifier(series.mart.schema, series.mart.table)
    areas = connection.execute(
        sql.SQL("select distinct geography_code, geography_name, borough_code from {}").format(table)
    ).fetchall()
    wanted = asked.strip().lower()
    found = sorted({(code, borough) for code, name, borough in areas if wanted in (code.lower(), name.lower())})
    if len(found) > 1:
        # wards of several boroughs have one name
        found = [(code, borough) for code, borough in found if borough == home] or found
    if len(found) == 1:
        return str(found[0][0])
    if found:
        raise UnknownAreaError(f"several areas are called {asked}: {', '.join(code for code, _ in found)}")
    names = {name.lower(): name for _, name, _ in areas}
    near = [names[name] for name in difflib.get_close_matches(wanted, names, n=3, cutoff=0.5)]
    meant = f"; did you mean {' or '.join(near)}?" if near else ""
    raise UnknownAreaError(f"{series.mart.name} has no area {asked}{meant}")


def _area_in_words(row: _Row) -> str:
    return f"{row['geography_name']} ward" if row["geography_type"] == "ward" else str(row["geography_name"])


def _rows(
    connection: Connection, series: Series, code: str, since: date | None, until: date | None
) -> list[dict[str, Any]]:
    mart = series.mart
    bounds = (f"{mart.measure}_comparable_low", f"{mart.measure}_comparable_high")
    taken = [
        "month", "geography_type", "geography_name", "borough_code", "regime_key", "comparability", "caveat",
        "is_simulated", "build_id", f"{mart.measure}_as_recorded", f"{mart.measure}_comparable",
        *(name for name in bounds if name in mart.columns),
    ]  # fmt: skip
    query = sql.SQL(
        "select {} from {} where geography_code = %(code)s and {} = %(class)s"
        " and month between coalesce(%(since)s, month) and coalesce(%(until)s, month) order by month"
    ).format(
        sql.SQL(", ").join(map(sql.Identifier, taken)),
        sql.Identifier(mart.schema, mart.table),
        sql.Identifier(mart.class_column),
    )
    wanted = {"code": code, "class": series.class_name, "since": since, "until": until}
    return fetch_all(connection, query.as_string(connection), wanted)


def _point(row: _Row, series: Series) -> Point:
    measure = series.mart.measure
    as_recorded, comparable, low, high = (
        None if (value := row.get(f"{measure}{kind}")) is None else float(value)
        for kind in ("_as_recorded", "_comparable", "_comparable_low", "_comparable_high")
    )
    is_open = any(words in (row["caveat"] or "") for words in _STILL_CHANGES)
    return Point(row["month"], as_recorded, comparable, low, high, "provisional" if is_open else row["comparability"])


def _regimes(connection: Connection, rows: Sequence[_Row]) -> list[dict[str, Any]]:
    """The rules of the series that the newest month belongs to, in order."""
    if not rows:
        return []
    query = "select series from core.dim_recording_regime where regime_key = %s"
    named = connection.execute(query.encode(), [rows[-1]["regime_key"]]).fetchone()
    return fetch_all(connection, _REGIMES, [named[0]]) if named else []


def _role(regimes: Sequence[_Row], rows: Sequence[_Row]) -> _Role:
    """Whether the rows are the series as a whole or a class of it: by whose caveats they carry."""
    said = {
        role: sum(
            1
            for regime in regimes
            for row in rows
            if regime["caveat_parent"] != regime["caveat_children"] and (regime[f"caveat_{role}"] or "\0") in
            (row["caveat"] or "")
        )
        for role in ("parent", "children")
    }  # fmt: skip
    return "children" if said["children"] > said["parent"] else "parent"


def _rules(
    regimes: Sequence[_Row], points: Sequence[Point], rows: Sequence[_Row], register: Register
) -> Iterator[_Marked]:
    """The changes of rule of the series: a gap, or a line where the series may be compared all the same."""
    role = _role(regimes, rows)
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


def _notes(
    settings: Settings, register: Register, name: str, class_name: str, borough: str | None
) -> Iterator[_Marked]:
    """What analysts noted of the series, of all its classes or of this one, here or everywhere."""
    changes = {row["note_code"]: row["change_code"] for row in register.series if row["series"] == name}
    with (settings.dbt_project_dir / "seeds" / "recording_notes.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            if (
                row["series"] == name
                and row["class_name"] in ("", class_name)
                and row["borough_code"] in ("", borough or "")
            ):
                start, end = date.fromisoformat(row["from_month"]), date.fromisoformat(row["to_month"])
                title, _, words = row["note"].partition(": ")
                yield changes.get(row["note_code"], ""), Mark("note", start, title, words[:1].upper() + words[1:], end)


def _entries(register: Register, name: str, role: _Role) -> Iterator[_Marked]:
    """Entries of the register for the series that begin no rule of counting and are not in its notes."""
    for row in register.series:
        change = register.change(row["change_code"])
        if row["series"] != name or row["regime_code"] or row["note_code"] or change is None:
            continue
        if change["status"] != "active":
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


def _with_findings(
    marks: Sequence[_Marked],
    connection: Connection,
    name: str,
    borough: str | None,
    points: Sequence[Point],
) -> Iterator[_Marked]:
    """The marks, and the changes of the ledger: one that is known already is said of the known one."""
    known = dict(marks)
    left = []
    for change in list_changes(connection, include_all=True):
        if change["kind"] == "real" or change["state"] not in _STATES or not _concerns(change, name, borough):
            continue
        if change["register_id"] and change["register_id"] in known:
            code = str(change["register_id"])
            mark = known[code]
            said = f"{mark.words} The figures show it too (change {change['change_id']}, {change['state']}).".lstrip()
            known[code] = Mark(mark.kind, mark.start, mark.title, said, mark.end, mark.is_gap)
        else:
            left.append(change)
    yield from ((code, known[code] if code else mark) for code, mark in marks)
    for change in left:
        yield "", _finding(change, points)


def _concerns(change: _Row, name: str, borough: str | None) -> bool:
    areas = change["evidence"].get("areas", ())
    is_here = change["geography"] == "all" or borough is None or borough in areas
    return is_here and SERIES_OF_MAJOR.get(change["parent_series"], change["parent_series"]) == name


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
