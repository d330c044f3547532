"""Faults within a delimited text: each takes the bytes and returns them spoilt, and which lines it spoilt.

Lines are numbered from 1, the heading line. Files of the simulation quote only what holds a comma or a quotation
mark, and end their lines with LF; no value holds a line end.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

Spoilt = tuple[bytes, list[int]]
_FORMULAS = ('=HYPERLINK("http://example.invalid","open")', "+1+1", "-2+3", "@SUM(1+1)")


def _rows(content: bytes) -> tuple[list[list[str]], str]:
    text = content.decode()
    delimiter = "|" if text.split("\n", 1)[0].count("|") > 3 else ","
    return list(csv.reader(io.StringIO(text), delimiter=delimiter)), delimiter


def _bytes(rows: list[list[str]], delimiter: str) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return buffer.getvalue().encode()


def _each(content: bytes, heading: str, every: int, value: Callable[[int, str], str], offset: int = 0) -> Spoilt:
    """Change every so-manieth row's cell of a column; a file with fewer rows has its first row changed."""
    rows, delimiter = _rows(content)
    place = rows[0].index(heading)
    lines = [number for number in range(1, len(rows)) if number % every == (1 + offset) % every]
    lines = lines or ([1] if len(rows) > 1 else [])
    for count, number in enumerate(lines):
        rows[number][place] = value(count, rows[number][place])
    return _bytes(rows, delimiter), [number + 1 for number in lines]


def cut_off(content: bytes) -> Spoilt:
    """The first half, ending in the middle of a line."""
    half = max(1, len(content) // 2)
    cut = content[:half] if content[half - 1 : half] != b"\n" else content[: half - 2]
    return cut, []


def new_column(content: bytes) -> Spoilt:
    """A column more, at the end."""
    rows, delimiter = _rows(content)
    rows = [[*row, "Beat Code" if number == 0 else "B7"] for number, row in enumerate(rows)]
    return _bytes(rows, delimiter), []


def missing_column(content: bytes) -> Spoilt:
    """Without the column Offence Code."""
    rows, delimiter = _rows(content)
    place = rows[0].index("Offence Code")
    return _bytes([row[:place] + row[place + 1 :] for row in rows], delimiter), []


def renamed_column(content: bytes) -> Spoilt:
    """Offence Code under another heading."""
    rows, delimiter = _rows(content)
    rows[0][rows[0].index("Offence Code")] = "Off Code"
    return _bytes(rows, delimiter), []


def reordered(content: bytes) -> Spoilt:
    """The columns from last to first."""
    rows, delimiter = _rows(content)
    return _bytes([row[::-1] for row in rows], delimiter), []


def new_code(content: bytes) -> Spoilt:
    """A type of anti-social behaviour that never was, in every fifth row."""
    return _each(content, "ASB Type", 5, lambda _, __: "Electric scooter nuisance")


def with_bom(content: bytes) -> Spoilt:
    """A byte order mark in front."""
    return b"\xef\xbb\xbf" + content, []


def in_cp1252(content: bytes) -> Spoilt:
    """The text in cp1252, with an accent at least in the first row."""
    rows, delimiter = _rows(content)
    if len(rows) > 1:
        place = rows[0].index("Victim Surname")
        rows[1][place] = rows[1][place].strip() + "é"
    return _bytes(rows, delimiter).decode().encode("cp1252", errors="replace"), []


def in_utf16(content: bytes) -> Spoilt:
    """The text in UTF-16 with its mark."""
    return content.decode().encode("utf-16"), []


def mixed_line_ends(content: bytes) -> Spoilt:
    """CR LF after every second line."""
    lines = content.split(b"\n")[:-1]
    return b"".join(line + (b"\r\n" if number % 2 else b"\n") for number, line in enumerate(lines)), []


def open_quote(content: bytes) -> Spoilt:
    """A quotation mark before the street of every tenth row, and none after it."""
    rows, _ = _rows(content)
    lines = content.decode().split("\n")
    place = rows[0].index("Street")
    spoilt = []
    for number in range(1, len(rows), 10):
        street = rows[number][place]
        lines[number] = lines[number].replace(f",{street},", f',"{street},', 1)
        spoilt.append(number + 1)
    return "\n".join(lines).encode(), spoilt


def delimiter_in_text(content: bytes) -> Spoilt:
    """The delimiter within the name of every tenth estate, unquoted."""
    rows, delimiter = _rows(content)
    lines = content.decode().split("\n")
    place = rows[0].index("ESTATE")
    spoilt = []
    for number in range(1, len(rows), 10):
        estate = rows[number][place]
        lines[number] = lines[number].replace(
            f"{delimiter}{estate}{delimiter}", f"{delimiter}{estate[:4]}{delimiter}{estate[4:]}{delimiter}", 1
        )
        spoilt.append(number + 1)
    return "\n".join(lines).encode(), spoilt


def text_in_numbers(content: bytes) -> Spoilt:
    """A word for the age in every hundredth row."""
    return _each(content, "Age", 100, lambda _, __: "about forty")


def impossible_dates(content: bytes) -> Spoilt:
    """31 February as day of recording in every hundredth row."""
    return _each(content, "Recorded Date", 100, lambda _, day: f"31/02/{day[-4:]}")


def odd_ages(content: bytes) -> Spoilt:
    """Age 250 in every fiftieth row, and 0 in others; the lines are those of 250."""
    content, _ = _each(content, "Age", 50, lambda _, __: "0", offset=1)
    return _each(content, "Age", 50, lambda _, __: "250")


def formulas(content: bytes) -> Spoilt:
    """What a spreadsheet would run, as the street of every tenth row."""
    return _each(content, "Street", 10, lambda count, _: _FORMULAS[count % len(_FORMULAS)])


def clocks(content: bytes) -> Spoilt:
    """The hour that the clock showed twice (October 2016), and the one that it left out (March 2017)."""
    content, back = _each(content, "Reported Date Time", 10, lambda _, __: "30/10/2016 01:30")
    content, forward = _each(content, "Reported Date Time", 10, lambda _, __: "26/03/2017 01:30", offset=5)
    return content, sorted({*back, *forward})


def page_twice(content: bytes) -> Spoilt:
    """The first third of the lines once more, as when a page is given twice."""
    lines = content.splitlines(keepends=True)
    page = lines[: max(1, len(lines) // 3)]
    return b"".join([*lines[: len(page)], *page, *lines[len(page) :]]), []
