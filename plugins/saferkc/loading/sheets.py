"""The rows of a workbook's sheets (XLSX), as a stream and in bounded memory, however the file was made.

Workbooks are opened with openpyxl, which knows sheets, shared texts and which styles are dates. Their rows are
read here with expat and not with openpyxl, which hides what we must see (a formula whose result was never saved,
hidden rows, merged cells) and would keep a million rows of empty elements in memory.
"""

from __future__ import annotations

import lzma
import math
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import Enum
from typing import IO, Any
from xml.parsers import expat

from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.stylesheet import apply_stylesheet
from openpyxl.utils import column_index_from_string
from openpyxl.utils.datetime import from_excel, from_ISO8601

from saferkc.landing.archives import BROKEN_ARCHIVE
from saferkc.loading.faults import Refused

# limits of a sheet that Excel itself has
_MOST_ROWS, _MOST_COLUMNS, _LONGEST_TEXT = 1 << 20, 1 << 14, 1 << 16
# bytes that parts of a workbook may unpack to: a sheet is read as a stream, all else is held in memory
_LARGEST_SHEET, _LARGEST_TEXTS, _LARGEST_PART = 2 << 30, 64 << 20, 16 << 20
_MOST_PARTS, _MOST_MERGED, _MOST_NAMES = 2_000, 100_000, 1_000
_HIGHEST_RATIO, _SMALL_PART = 200, 1 << 20
_CHUNK = 1 << 18
# whole numbers beyond it are no longer exact in a spreadsheet
_LARGEST_EXACT = 1 << 53
_DAMAGED = "it can't be opened as a workbook (XLSX): it is damaged, cut short or of another kind"
# what parts of a damaged archive give, whichever way they were packed; RuntimeError: one that is locked
_BROKEN = (
    expat.ExpatError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, KeyError, NotImplementedError, OSError,
    RuntimeError, ValueError,
)  # fmt: skip
_CELL = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]{1,3})([0-9]{1,7}):([A-Z]{1,3})([0-9]{1,7})"')


class CellFault(Enum):
    """Why a cell has no value that could be taken."""

    ERROR = ("cell_error", "its cell holds an error of the spreadsheet, such as #N/A")
    UNSAVED = ("formula", "its cell holds a formula without a result: it was not saved by a spreadsheet program")


Value = str | int | float | bool | datetime | date | time | timedelta | CellFault


@dataclass
class Row:
    """A row of a sheet: its number from 1, and its cells that are not empty, by column from 0."""

    number: int
    is_hidden: bool = False
    cells: dict[int, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class Sheet:
    """A sheet of a workbook; ``place`` counts from 1. Its title may be a person's name: show the place instead."""

    place: int
    title: str
    is_hidden: bool
    part: str


class Book:
    """An open workbook."""

    def __init__(self, content: IO[bytes]) -> None:
        """Open a plain XLSX that can be jumped about in; raises ``Refused`` where it is none, or a zip bomb."""
        try:
            self._archive = zipfile.ZipFile(content)
        except BROKEN_ARCHIVE:
            raise Refused(_DAMAGED) from None
        _check_parts(self._archive)
        self._merges: dict[Sheet, dict[int, list[tuple[int, int]]]] = {}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # they may name a sheet, and so a person
                book = ExcelReader(content, read_only=True, data_only=True, keep_links=False)
                book.read_manifest()
                book.read_strings()
                book.read_workbook()
                apply_stylesheet(book.archive, book.wb)
                # without openpyxl's own sheets: it would read each through to see how large it is
                tables = [
                    (sheet, relation.target)
                    for sheet, relation in book.parser.find_sheets()
                    if relation.target in book.valid_files and "chartsheet" not in relation.Type
                ]
            self.epoch: datetime = book.wb.epoch
            self._texts: list[str] = book.shared_strings
            self._dates, self._durations = set(book.wb._date_formats), set(book.wb._timedelta_formats)
            self.sheets = [
                Sheet(place, sheet.name, sheet.state != "visible", part)
                for place, (sheet, part) in enumerate(tables, 1)
            ]
            if not self.sheets:
                raise Refused(_DAMAGED)
        except Exception:  # whatever a damaged file makes of the library; its words may hold values
            raise Refused(_DAMAGED) from None

    def rows(self, sheet: Sheet) -> Iterator[Row]:
        """Yield the rows of a sheet that hold anything, a merged cell's value in each of its rows.

        Raises ``Refused`` where the sheet is damaged.
        """
        if sheet not in self._merges:
            self._merges[sheet] = self._vertical_merges(sheet)
        merged = _Merged(self._merges[sheet])
        cells = _Cells(self._texts, self._dates, self._durations, self.epoch)
        try:
            with self._archive.open(sheet.part) as stream:
                while chunk := stream.read(_CHUNK):
                    for row in cells.feed(chunk):
                        merged.fill(row)
                        if row.cells:
                            yield row
                cells.feed(b"", last=True)
        except _BROKEN:
            raise Refused(_DAMAGED) from None

    def _vertical_merges(self, sheet: Sheet) -> dict[int, list[tuple[int, int]]]:
        """First and last rows of the merged cells of more than one row, by the column of their value.

        A file names them after its rows, so that it is read through once for them alone.
        """
        found: dict[int, list[tuple[int, int]]] = {}
        count, rest = 0, b""
        try:
            with self._archive.open(sheet.part) as stream:
                while chunk := stream.read(_CHUNK):
                    rest += chunk
                    done = 0
                    for match in _MERGED.finditer(rest):
                        done = match.end()
                        first, last = int(match[2]), int(match[4])
                        if last > first:
                            count += 1
                            found.setdefault(column_index_from_string(match[1].decode()) - 1, []).append((first, last))
                    if count > _MOST_MERGED:
                        raise Refused(f"more than {_MOST_MERGED:,} of its cells are merged")
                    rest = rest[max(done, len(rest) - 200) :]
        except _BROKEN:
            raise Refused(_DAMAGED) from None
        return found


class _Merged:
    """Gives every row of a vertically merged cell the value that only its first row has in the file."""

    def __init__(self, ranges: dict[int, list[tuple[int, int]]]) -> None:
        self._ahead = {column: sorted(spans, reverse=True) for column, spans in ranges.items()}
        self._open: dict[int, tuple[int, Value | None]] = {}

    def fill(self, row: Row) -> None:
        for column, spans in self._ahead.items():
            while spans and spans[-1][0] <= row.number:
                first, last = spans.pop()
                self._open[column] = (last, row.cells.get(column) if first == row.number else None)
        for column, (last, value) in list(self._open.items()):
            if row.number > last:
                del self._open[column]
            elif value is not None:
                row.cells.setdefault(column, value)


class _Names(dict[str, str]):
    """Names of elements without their namespace, each worked out once."""

    def __missing__(self, tag: str) -> str:
        name = tag.rpartition("}")[2]
        if len(self) < _MOST_NAMES:
            self[tag] = name
        return name


class _Cells:
    """Turns a sheet's XML, fed in chunks, into rows."""

    def __init__(self, texts: list[str], dates: set[int], durations: set[int], epoch: datetime) -> None:
        self._texts, self._dates, self._durations, self._epoch = texts, dates, durations, epoch
        self._names = _Names()
        self._done: list[Row] = []
        self._row: Row | None = None
        self._number, self._column, self._count = 0, -1, 0
        self._kind, self._style, self._is_formula = "n", 0, False
        self._text: list[str] = []
        self._length, self._is_value, self._is_phonetic = 0, False, False
        self._parser = expat.ParserCreate(namespace_separator="}")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._parser.StartDoctypeDeclHandler = self._doctype

    def feed(self, chunk: bytes, *, last: bool = False) -> list[Row]:
        """Return the rows that are whole with this chunk."""
        self._parser.Parse(chunk, last)
        done, self._done = self._done, []
        return done

    def _doctype(self, *_: Any) -> None:
        raise ValueError("a workbook has no document type")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = self._names[tag]
        if name == "c" and self._row is not None:
            self._begin_cell(attributes)
        elif name in ("v", "t"):
            self._is_value = not self._is_phonetic
        elif name == "rPh":
            self._is_phonetic = True
        elif name == "f":
            self._is_formula = True
        elif name == "row":
            number = int(float(attributes["r"])) if "r" in attributes else self._number + 1
            if not self._number < number <= _MOST_ROWS:
                raise ValueError("rows out of order")
            self._number, self._column, self._count = number, -1, 0
            self._row = Row(number, attributes.get("hidden") in ("1", "true"))

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        place = _CELL.fullmatch(attributes["r"]) if "r" in attributes else None
        self._column = column_index_from_string(place[1]) - 1 if place else self._column + 1
        self._count += 1
        if self._column >= _MOST_COLUMNS or self._count > _MOST_COLUMNS:
            raise ValueError("too many cells")
        self._kind, self._style = attributes.get("t", "n"), int(attributes.get("s", "0") or 0)
        self._is_formula, self._text, self._length = False, [], 0

    def _characters(self, text: str) -> None:
        if self._is_value:
            self._length += len(text)
            if self._length > _LONGEST_TEXT:
                raise ValueError("a text too long")
            self._text.append(text)

    def _end(self, tag: str) -> None:
        name = self._names[tag]
        if name in ("v", "t"):
            self._is_value = False
        elif name == "rPh":
            self._is_phonetic = False
        elif name == "c" and self._row is not None:
            value = self._value("".join(self._text))
            if value is not None and value != "":
                self._row.cells[self._column] = value
        elif name == "row" and self._row is not None:
            self._done.append(self._row)
            self._row = None

    def _value(self, text: str) -> Value | None:
        if self._kind in ("str", "inlineStr"):
            return _unescaped(text)
        if not text:
            return CellFault.UNSAVED if self._is_formula else None
        try:
            return self._of_kind(text)
        except (ValueError, IndexError, OverflowError):
            return CellFault.ERROR

    def _of_kind(self, text: str) -> Value:
        value: Value | None
        if self._kind == "s":
            value = _unescaped(self._texts[int(text)])
        elif self._kind == "b":
            value = bool(int(text))
        elif self._kind == "d":
            value = from_ISO8601(text)
        elif self._kind == "e":
            value = None
        else:
            value = float(text)
            if self._style in self._dates:
                value = from_excel(value, self._epoch, timedelta=self._style in self._durations)
            elif value.is_integer() and abs(value) < _LARGEST_EXACT:
                value = int(value)
            elif not math.isfinite(value):
                value = None
        return CellFault.ERROR if value is None else value


def _unescaped(text: str) -> str:
    """Line ends as "\\n" alone: a spreadsheet program writes a carriage return as ``_x000D_``."""
    return text.replace("_x000D_", "\r").replace("\r\n", "\n").replace("\r", "\n")


def _check_parts(archive: zipfile.ZipFile) -> None:
    """Refuse a workbook that unpacks to more than any spreadsheet program writes: a zip bomb."""
    parts = archive.infolist()
    if len(parts) > _MOST_PARTS:
        raise Refused(f"it has more than {_MOST_PARTS:,} parts, which no workbook has")
    for part in parts:
        name = part.filename.lower()
        limit = _LARGEST_PART
        if "/worksheets/" in name:
            limit = _LARGEST_SHEET
        elif "sharedstrings" in name:
            limit = _LARGEST_TEXTS
        elif not name.endswith((".xml", ".rels")):
            continue  # pictures and the like are never unpacked
        is_packed_too_well = part.file_size > _SMALL_PART and part.file_size > _HIGHEST_RATIO * part.compress_size
        if part.file_size > limit or is_packed_too_well:
            times = part.file_size // max(1, part.compress_size)
            raise Refused(
                f"one of its parts unpacks to {part.file_size >> 20:,} MB, {times:,} times its size: it is taken for a"
                " zip bomb. Ask the agency for the table alone, as a new workbook"
            )
        if part.flag_bits & 1:
            raise Refused("one of its parts is locked, in a way that no spreadsheet program has")
