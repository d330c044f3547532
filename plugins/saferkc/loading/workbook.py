"""Reading a workbook (XLSX) as people really send it: which sheet, where the table begins and ends, what a cell says.

What is a record: every row below the headings that has a value under one of them, hidden rows too (a filter that
was left on hides rows and deletes none). No record: totals, and notes under the table. What is left out is counted
in ``layout.notes``; what might be a record and can't be read goes to quarantine, with its row number and, as far
as it can be read, its key (``columns.FAULT``).
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import IO, Any

import polars as pl
from openpyxl.utils.datetime import from_excel

from saferkc.contracts import Contract
from saferkc.landing.errors import UnlockError
from saferkc.landing.unlock import Secrets, connection_secret, open_workbook
from saferkc.loading.columns import FAULT, fault_in
from saferkc.loading.faults import QuarantinedRow, Refused
from saferkc.loading.layout import Field, Layout, fields_of, find_fields, layout_of
from saferkc.loading.reader import UNKEEPABLE, UNREADABLE, Batch
from saferkc.loading.sheets import Book, CellFault, Row, Sheet, Value

BATCH_ROWS = 5_000
_LARGEST_FILE = 128 << 20
# where the heading row is looked for; and how many short rows may stand at the end as notes
_TITLE_ROWS, _MOST_NOTES = 200, 200
# a number in a column of dates is one that lost its format, if it is a day from 1910 to 2100: a smaller one is
# more likely a year or an age
_FIRST_SERIAL_DAY, _LAST_SERIAL_DAY = date(1910, 1, 1), date(2100, 1, 1)
_BELOW = ("below_the_table", "it stands below the table's totals")


class WorkbookReader:
    """The one table of a workbook that the contract is about."""

    def __init__(self, contract: Contract, stream: IO[bytes], secrets: Secrets = connection_secret) -> None:
        """Open the workbook and find its headings; raises ``Refused`` where it is not as agreed."""
        self._contract = contract
        try:
            self._book = Book(open_workbook(_seekable(stream), contract.delivery.source, secrets))
        except UnlockError as error:
            raise Refused(str(error)) from None
        self._sheet, self._heading_row, self.layout = self._find_table()
        self._cells = [
            _Reading(one, self.layout.positions[one.name], _as_text_of(one, self._book.epoch))
            for one in fields_of(contract)
            if one.name in self.layout.positions
        ]
        self._must_have = {one.place for one in self._cells if one.field.column.required and one.field.part is None}
        self._left_out = self._hidden = 0

    def __iter__(self) -> Iterator[Batch]:
        """Yield the rows below the headings; raises ``Refused`` for what is not readable as a whole."""
        batch = _Collected(self._cells)
        for row, fault in self._records():
            self._hidden += row.is_hidden
            batch.add(row, fault)
            if batch.count >= BATCH_ROWS:
                yield batch.give()
        if batch.count:
            yield batch.give()
        if self._left_out:
            rows = f"{self._left_out:,} rows" if self._left_out > 1 else "1 row"
            self._note("left_out", f"{rows} below the table left out as totals or notes", is_usual=True)
        if self._hidden:
            rows = f"{self._hidden:,} rows are" if self._hidden > 1 else "1 row is"
            self._note("hidden_rows", f"{rows} hidden in the sheet; read like the others", is_usual=True)

    def _records(self) -> Iterator[tuple[Row, str | None]]:
        """Yield rows that are records, each with its fault if it is one below the totals."""
        notes: list[Row] = []  # short rows, which are notes where no record follows them
        is_over = False
        for row in self._book.rows(self._sheet):
            if row.number <= self._heading_row:
                continue
            if not any(one.place in row.cells for one in self._cells):
                self._left_out += 1
                continue
            lacks = self._must_have - row.cells.keys()
            is_over = is_over or ((bool(lacks) or not self._must_have) and self._is_totals(row))
            if is_over:
                if self._must_have and not lacks:
                    yield row, fault_in(None, *_BELOW)
                else:
                    self._left_out += 1
            elif lacks and len(row.cells) == 1 and len(self._cells) > 1 and len(notes) < _MOST_NOTES:
                notes.append(row)
            else:
                yield from ((note, None) for note in notes)
                notes = []
                yield row, None
        self._left_out += len(notes)

    def _is_totals(self, row: Row) -> bool:
        pattern = self._contract.delivery.workbook and self._contract.delivery.workbook.totals
        first = row.cells[min(row.cells)]
        return bool(pattern and isinstance(first, str) and re.search(pattern, first.strip(), re.IGNORECASE))

    def _find_table(self) -> tuple[Sheet, int, Layout]:
        """The first visible sheet that has the headings, the row where they stand, and what they say."""
        pattern = self._contract.delivery.workbook and self._contract.delivery.workbook.sheet
        named = [s for s in self._book.sheets if not pattern or re.search(pattern, s.title, re.IGNORECASE)]
        if not named:
            raise Refused(f"none of its {len(self._book.sheets)} sheets is called as agreed ({pattern})")
        best: list[str] = []
        tables: list[tuple[Sheet, int, list[str]]] = []
        for sheet in named:
            number, headings, nearest = self._find_headings(sheet)
            if number:
                tables.append((sheet, number, headings))
            best = max(best, nearest, key=self._fit)
        seen = [table for table in tables if not table[0].is_hidden]
        if not seen:
            if tables:
                raise Refused("the only sheet that has the headings is hidden; ask the agency which one is meant")
            layout_of(self._contract, best)  # says what is missing
            raise Refused("no row of it holds the headings")
        sheet, number, headings = seen[0]
        layout = layout_of(self._contract, headings)
        others = ", ".join(str(other.place) for other, *_ in tables if other is not sheet)
        if others:
            meaning = f"sheet {others} has the headings too; only sheet {sheet.place} was read"
            layout.notes.append({"flag": "other_sheet", "name": "other_sheet", "meaning": meaning})
        return sheet, number, layout

    def _find_headings(self, sheet: Sheet) -> tuple[int, list[str], list[str]]:
        """Number and texts of the first row with all headings that must be there (0 for none), and the nearest."""
        nearest: list[str] = []
        for place, row in enumerate(self._book.rows(sheet)):
            if place == _TITLE_ROWS:
                break
            headings = [_plain(row.cells.get(column)) for column in range(max(row.cells) + 1)]
            if not find_fields(self._contract, headings)[2]:
                return row.number, headings, headings
            nearest = max(nearest, headings, key=self._fit)
        return 0, [], nearest

    def _fit(self, headings: Sequence[str]) -> int:
        return len(find_fields(self._contract, headings)[0])

    def _note(self, flag: str, meaning: str, *, is_usual: bool) -> None:
        self.layout.notes.append({"flag": flag, "name": flag, "meaning": meaning, "is_usual": is_usual})


@dataclass(frozen=True)
class _Reading:
    """A field, the column of the sheet in which it stands, and how its values become text."""

    field: Field
    place: int
    as_text: Callable[[Value], str]


class _Collected:
    """Rows on their way into a batch."""

    def __init__(self, cells: Sequence[_Reading]) -> None:
        self._cells = cells
        self._empty()

    @property
    def count(self) -> int:
        return len(self._numbers) + len(self._broken)

    def add(self, row: Row, fault: str | None) -> None:
        values: list[str | None] = []
        for one in self._cells:
            value = row.cells.get(one.place)
            if isinstance(value, CellFault):
                fault = fault or fault_in(one.field.column.name, *value.value)
                value = None
            text = None if value is None else one.as_text(value)
            if text and UNKEEPABLE.search(text):
                self._broken.append(QuarantinedRow(row.number, None, *UNREADABLE))
                return
            values.append(text)
        self._numbers.append(row.number)
        for column, text in zip(self._columns, [*values, fault], strict=True):
            column.append(text)

    def give(self) -> Batch:
        names = [*(one.field.name for one in self._cells), FAULT]
        data: dict[str, Any] = {"line_number": self._numbers} | dict(zip(names, self._columns, strict=True))
        schema: dict[str, Any] = {"line_number": pl.Int64} | dict.fromkeys(names, pl.String)
        batch = Batch(pl.DataFrame(data, schema=schema), self._broken)
        self._empty()
        return batch

    def _empty(self) -> None:
        self._numbers: list[int] = []
        self._columns: list[list[str | None]] = [[] for _ in [*self._cells, FAULT]]
        self._broken: list[QuarantinedRow] = []


def _seekable(stream: IO[bytes]) -> IO[bytes]:
    """The stream itself, or its content in memory where it can't be jumped about in."""
    if stream.seekable():
        return stream
    content = stream.read(_LARGEST_FILE + 1)
    if len(content) > _LARGEST_FILE:
        raise Refused(f"it is larger than {_LARGEST_FILE >> 20} MB, too large for a workbook; ask for plain text")
    return io.BytesIO(content)


def _as_text_of(one: Field, epoch: datetime) -> Callable[[Value], str]:
    """Return how a field's cell becomes the text that the contract expects of any document.

    A date that is one is written as the contract says that dates are written. A number where a date or time is
    expected is a date that has lost its format.
    """
    if one.part is not None:
        kind, written = ("date" if one.part.kind == "date" else "text"), None
    else:
        kind = one.column.physical_type
        written = one.column.options.format
    if kind not in ("date", "timestamptz"):
        return _plain
    default = "%Y-%m-%d" if kind == "date" else "%Y-%m-%dT%H:%M:%S"
    # a cell has no offset from Greenwich, whatever other documents write
    how = default if written is None or re.search(r"%[^a-zA-Z%]|%z|%Z", written) else written

    def as_text(value: Value) -> str:
        moment = _from_serial(value, epoch) if isinstance(value, int | float) and not isinstance(value, bool) else value
        if isinstance(moment, datetime):
            return moment.strftime(how)
        if isinstance(moment, date):
            return datetime(moment.year, moment.month, moment.day).strftime(how)
        return _plain(moment)

    return as_text


def _from_serial(value: int | float, epoch: datetime) -> Value:
    try:
        moment = from_excel(value, epoch)
    except (ValueError, OverflowError):
        return value
    is_day = isinstance(moment, datetime) and _FIRST_SERIAL_DAY <= moment.date() < _LAST_SERIAL_DAY
    return moment if is_day else value


def _plain(value: Value | None) -> str:
    """A cell's value as text, as the agency would type it into a plain file; "" for none."""
    if value is None or isinstance(value, CellFault):
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat() if value.time() != time() else value.date().isoformat()
    if isinstance(value, timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    return value.isoformat() if isinstance(value, date | time) else repr(value)
