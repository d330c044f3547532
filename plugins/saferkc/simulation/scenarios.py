"""Faults that a simulated delivery can carry, each in the street file of the last month asked for.

They are what publishers really do wrong, so that one can see what the warehouse makes of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import cycle

from saferkc.simulation.police import STREET_HEADINGS

_BAD_VALUES = (("Month", b"2016-13"), ("Latitude", b"91.500000"), ("LSOA code", b"E0X"))
_KEPT_OF_INCOMPLETE = 0.55

Lines = list[bytes]


def _cut_short(content: bytes) -> bytes:
    """The first half, ending in the middle of a line."""
    half = len(content) // 2
    return content[:half] if content[half - 1 : half] != b"\n" else content[: half - 1]


def _without_column(content: bytes) -> bytes:
    place = STREET_HEADINGS.index("LSOA code")
    return _by_line(content, lambda _, cells: [*cells[:place], *cells[place + 1 :]])


def _with_new_column(content: bytes) -> bytes:
    return _by_line(content, lambda number, cells: [*cells, b"Crime subtype" if number == 0 else b"Not stated"])


def _with_new_code(content: bytes) -> bytes:
    place = STREET_HEADINGS.index("Crime type")

    def change(number: int, cells: Lines) -> Lines:
        if number % 50 == 1:
            cells[place] = b"Electric scooter offences"
        return cells

    return _by_line(content, change)


def _with_bad_rows(content: bytes) -> bytes:
    faults = cycle(_BAD_VALUES)

    def change(number: int, cells: Lines) -> Lines:
        if number and number % 100 == 0:
            heading, value = next(faults)
            cells[STREET_HEADINGS.index(heading)] = value
        return cells

    return _by_line(content, change)


def _in_wrong_encoding(content: bytes) -> bytes:
    return content.replace(b"Road", "Roäd".encode("cp1252"))


def _incomplete(content: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    return b"".join(lines[:1] + [line for n, line in enumerate(lines[1:]) if n % 20 < 20 * _KEPT_OF_INCOMPLETE])


def restated(content: bytes) -> bytes:
    """A month as it is published again later: some outcomes have moved on, and one record in 200 has gone."""
    place = STREET_HEADINGS.index("Last outcome category")

    def change(number: int, cells: Lines) -> Lines:
        if number and number % 40 == 0 and cells[place]:
            cells[place] = b"Awaiting court outcome"
        return cells

    lines = _by_line(content, change).splitlines(keepends=True)
    return b"".join(line for number, line in enumerate(lines) if number == 0 or number % 200)


def _by_line(content: bytes, change: Callable[[int, Lines], Lines]) -> bytes:
    """Change each line's cells; street files quote nothing. Line 0 is the heading."""
    lines = content.decode().split("\n")
    cells = ([cell.encode() for cell in line.split(",")] for line in lines[:-1])
    return b"".join(b",".join(change(number, row)) + b"\n" for number, row in enumerate(cells))


RESTATED_MONTH = "restated_month"
WRONG_LABEL = "wrong_label"

_CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "truncated_file": _cut_short,
    "missing_column": _without_column,
    "new_column": _with_new_column,
    "new_code": _with_new_code,
    "bad_rows": _with_bad_rows,
    "wrong_encoding": _in_wrong_encoding,
    "incomplete_month": _incomplete,
}

SCENARIOS: dict[str, str] = {
    "truncated_file": "the street file of the last month breaks off in the middle of a line",
    WRONG_LABEL: "the street file called by the last month holds the month before",
    "missing_column": "the street file of the last month lacks its LSOA codes",
    "new_column": "the street file of the last month has a column more",
    "new_code": "the street file of the last month has a type of crime that never was",
    "bad_rows": "one row in a hundred of the last month's street file breaks a rule",
    "wrong_encoding": "the street file of the last month is not in UTF-8",
    "incomplete_month": "the street file of the last month holds 55 per cent of its rows",
    RESTATED_MONTH: "the last archive also brings an earlier month again, changed",
}


def check(scenarios: Sequence[str]) -> None:
    """Raise ``ValueError`` where a scenario is not known, naming those that are."""
    unknown = [name for name in scenarios if name not in SCENARIOS]
    if unknown:
        raise ValueError(f"unknown scenario {', '.join(unknown)}; known are {', '.join(sorted(SCENARIOS))}")


def spoil(content: bytes, scenarios: Sequence[str]) -> bytes:
    """Put the scenarios' faults into the bytes of a street file, in the order given."""
    for name in scenarios:
        if name in _CHANGES:
            content = _CHANGES[name](content)
    return content
