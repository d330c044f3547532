"""Reading a document as a stream of frames of text, in bounded memory whatever the document's size.

A frame holds the contract's columns as text, unparsed, and ``line_number``; the parts of a token, which stand for
it until it is made, are called ``@<column>.<n>`` (``Column.part_names``). Whole blocks of lines are parsed at once;
only lines with quotes in odd places, or of a wrong length, are looked at one by one.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO, Any, cast

import numpy as np
import polars as pl

from saferkc.contracts import Contract
from saferkc.loading.faults import QuarantinedRow, Refused
from saferkc.loading.layout import Layout, layout_of

BLOCK_BYTES = 3 << 20
_FIRST_BYTES = 4 << 10
_LONGEST_LINE = 1 << 20
# parts the values of a row on their way into the database; a text that holds it, as few do, has it escaped
SEPARATOR = "\x1f"
UNKEEPABLE = re.compile("[\0\ud800-\udfff]")
UNREADABLE = ("unreadable", "it holds a character that can't be kept, such as NUL")
_MISQUOTED = ("quotes", "its quotes or line ends are not as agreed, or a field is too long")
_QUOTE, _LINE_END = b'"\n'


@dataclass
class Batch:
    """Lines of one block: ``frame`` with ``line_number`` and the contract's columns as text; and what fell out.

    ``frame`` may hold more records than lines, where a wide file gives one a cell. ``is_bare``: no value holds a
    character that has a meaning of its own in COPY (see ``columns.escaped``), so none has to be looked for.
    """

    frame: pl.DataFrame
    broken: list[QuarantinedRow] = field(default_factory=list)
    is_bare: bool = False


class DelimitedReader:
    """A delimited text, long or wide, read block by block."""

    def __init__(self, contract: Contract, stream: IO[bytes]) -> None:
        """Read the heading line; raises ``Refused`` where it does not fit the contract."""
        self._contract = contract
        self._stream = stream
        self._encodings = [name for name in contract.delivery.encodings if name != "utf-16"]
        self._rest = self._first_block()
        if not self._rest.strip():
            raise Refused("it is empty")
        self._strip_mark()
        end = self._rest.find(b"\n")
        if end < 0:
            raise Refused("it has no whole heading line: cut short, or not a text")
        heading, self._rest = self._rest[: end + 1], self._rest[end + 1 :]
        self._line = 2
        self.layout = self._read_heading(self._as_utf8(heading).decode().strip("\r\n"))

    def __iter__(self) -> Iterator[Batch]:
        """Yield the lines after the heading; raises ``Refused`` for what is not readable as a whole."""
        for block in self._blocks():
            yield self._parse(self._as_utf8(block))

    def _read_heading(self, line: str) -> Layout:
        delimiter = max(self._contract.delivery.delimiters, key=line.count)
        headings = next(csv.reader([line], delimiter=delimiter), [])
        return layout_of(self._contract, headings, delimiter)

    def _first_block(self) -> bytes:
        """The beginning of the document, with the whole heading line in it where there is one."""
        block = b""
        while b"\n" not in block and len(block) <= _LONGEST_LINE:
            more = self._stream.read(min(BLOCK_BYTES, _FIRST_BYTES))
            if not more:
                break
            block += more
        return block

    def _strip_mark(self) -> None:
        """Take off a mark of the encoding; UTF-16 is read where the contract lists it and a mark says so."""
        agreed = self._contract.delivery.encodings
        for mark, codec in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
            if self._rest.startswith(mark):
                if "utf-16" not in agreed:
                    raise Refused(f"it is written in UTF-16; {' or '.join(agreed)} was agreed")
                self._stream = cast(IO[bytes], _InUtf8(self._rest.removeprefix(mark), self._stream, codec))
                self._encodings = ["utf-8"]
                self._rest = self._first_block()
                return
        if any(set(self._rest[start:_FIRST_BYTES:2]) == {0} for start in (0, 1)):
            raise Refused(f"it seems to be written in UTF-16, without the mark; {' or '.join(agreed)} was agreed")
        self._rest = self._rest.removeprefix(codecs.BOM_UTF8)

    def _as_utf8(self, block: bytes) -> bytes:
        """Check that the block is written as agreed and return it in UTF-8.

        Where several encodings were agreed each line is read in the first that fits: files are put together from
        pieces of several systems. UTF-16 is told by its mark alone, at the beginning.
        """
        if block.isascii():
            return block
        try:
            block.decode()
            if "utf-8" in self._encodings:
                return block
        except UnicodeDecodeError:
            pass
        lines = block.split(b"\n") if len(self._encodings) > 1 else [block]
        return b"\n".join(map(self._line_as_utf8, lines))

    def _line_as_utf8(self, line: bytes) -> bytes:
        for encoding in self._encodings:
            try:
                return line.decode(encoding).encode()
            except UnicodeDecodeError:
                continue
        agreed = " or ".join(self._contract.delivery.encodings)
        raise Refused(f"it is not written in {agreed}, from line {self._line} at the latest")

    def _blocks(self) -> Iterator[bytes]:
        """Yield blocks of whole lines; a quoted field never ends in the middle of one."""
        rest, self._rest = self._rest, b""
        # a line of a wide file becomes many records
        block_bytes = max(1, BLOCK_BYTES // (len(self.layout.period_positions) or 1))
        while more := self._stream.read(block_bytes):
            rest += more
            end = _whole_lines(rest) or self._end_of_odd_line(rest, block_bytes)
            if end:
                block, rest = rest[:end], rest[end:]
                yield block
        if rest:
            if rest.count(b'"') % 2 and self._ends_in_a_field(rest):
                raise Refused("it ends inside a quoted field: cut short")
            if self._contract.delivery.ends_with_newline and not rest.endswith(b"\n"):
                raise Refused("its last line has no end: cut short")
            yield rest

    def _end_of_odd_line(self, rest: bytes, block_bytes: int) -> int:
        """Where the first line ends, if its odd quote opens no field that ends on a later line; else 0.

        Such a quote is a mark of its own (as in 5"), or one that is never closed: the line is then broken, and
        the lines after it are not.
        """
        end = rest.find(b"\n") + 1
        is_too_long = len(rest) > block_bytes + _LONGEST_LINE
        if is_too_long and not end:
            raise Refused(f"line {self._line} does not end: it is not a text")
        return end if is_too_long or (end and None not in self._fields(rest[:end])) else 0

    def _ends_in_a_field(self, lines: bytes) -> bool:
        """Whether lines of which one opens a quote too many end in a field that is not closed, or in a part of it.

        Where whole records follow that line, or it is as long as the heading, it is the line that is wrong and not
        the end.
        """
        counts, width = self._fields(lines), len(self.layout.headings)
        if None not in counts or counts[-1] == width:
            return False
        last = lines.rstrip(b"\r\n").rpartition(b"\n")[2]
        return counts[-1] is not None or last.count(self.layout.delimiter.encode()) != width - 1

    def _fields(self, lines: bytes) -> list[int | None]:
        """How many fields each record has; None where it is wrongly quoted."""
        text = self._as_utf8(lines)
        text = text.replace(b"\r\n", b"\n") + (b"" if text.endswith(b"\n") else b"\n")
        records = _records(text, self.layout.delimiter, range(text.count(b"\n")))
        return [None if fields is None else len(fields) for _, fields in records]

    def _parse(self, text: bytes) -> Batch:
        """Parse whole lines: at once where quotes stand around whole fields, else line by line."""
        if b"\r" in text:
            text = text.replace(b"\r\n", b"\n")
        if not text.endswith(b"\n"):
            text += b"\n"
        first, count = self._line, _count(text, b"\n")
        self._line += count
        numbers = range(first, first + count)
        odd = _odd_lines(text, self.layout.delimiter)
        batch = None
        if odd:
            batch = self._parse_with_odd(text.split(b"\n"), numbers, odd)
        elif odd is not None:
            frame = self._parse_at_once(text, numbers)
            is_bare = b"\\" not in text and SEPARATOR.encode() not in text
            batch = None if frame is None else Batch(frame, is_bare=is_bare)
        return self._finish(batch or self._parse_line_by_line(text, numbers))

    def _parse_with_odd(self, lines: list[bytes], numbers: Sequence[int], odd: Sequence[int]) -> Batch | None:
        """Parse odd lines one by one and the others at once; None where an odd one may go on in the next line."""
        apart = b"".join(lines[place] + b"\n" for place in odd)
        batch = self._parse_line_by_line(apart, [numbers[place] for place in odd])
        met = {*batch.frame["line_number"], *(row.line_number for row in batch.broken)}
        if len(met) < len(odd) or any(row.rule == _MISQUOTED[0] for row in batch.broken):
            return None
        held = set(odd)
        others = b"\n".join(line for place, line in enumerate(lines) if place not in held)
        frame = self._parse_at_once(others, [number for place, number in enumerate(numbers) if place not in held])
        if frame is None:
            return None
        return Batch(pl.concat([frame, batch.frame]).sort("line_number"), batch.broken)

    def _finish(self, batch: Batch) -> Batch:
        if self.layout.period_positions:
            batch.frame = self._melt(batch.frame)
        return batch

    def _parse_at_once(self, text: bytes, numbers: Sequence[int]) -> pl.DataFrame | None:
        """Parse lines in which every quote is of a quoted field; None where one is not as long as the heading, or odd.

        The delimiters add up and the parser refuses a line that is too long, so none can be too short.
        """
        width, delimiter = len(self.layout.headings), self.layout.delimiter.encode()
        if b"\0" in text or b"\r" in text or _count_outside_quotes(text, delimiter) != len(numbers) * (width - 1):
            return None
        layout = self.layout
        try:
            frame = pl.read_csv(
                text,
                has_header=False,
                separator=layout.delimiter,
                quote_char='"' if b'"' in text else None,
                infer_schema=False,
                schema={f"c{i}": pl.String for i in range(width)},
                truncate_ragged_lines=False,
            )
        except pl.exceptions.PolarsError:
            return None
        if frame.height != len(numbers):
            return None
        return frame.select(
            pl.Series("line_number", numbers, dtype=pl.Int64),
            *(pl.col(f"c{place}").alias(name) for name, place in layout.positions.items()),
            *(pl.col(f"c{place}").alias(f"@{period}") for place, period in layout.period_positions.items()),
        )

    def _parse_line_by_line(self, text: bytes, line_numbers: Sequence[int]) -> Batch:
        layout = self.layout
        names = list(layout.positions) + [f"@{p}" for p in layout.period_positions.values()]
        places = list(layout.positions.values()) + list(layout.period_positions)
        numbers: list[int] = []
        columns: list[list[str]] = [[] for _ in names]
        broken: list[QuarantinedRow] = []
        for number, fields in _records(text, layout.delimiter, line_numbers):
            fault = _fault(fields, len(layout.headings))
            if fields is None or fault:
                for period in layout.period_positions.values() or [None]:
                    broken.append(QuarantinedRow(number, period, *(fault or _MISQUOTED)))
                continue
            numbers.append(number)
            for column, place in zip(columns, places, strict=True):
                column.append(fields[place])
        data: dict[str, Any] = {"line_number": numbers} | dict(zip(names, columns, strict=True))
        schema: dict[str, Any] = {"line_number": pl.Int64} | dict.fromkeys(names, pl.String)
        return Batch(pl.DataFrame(data, schema=schema), broken)

    def _melt(self, frame: pl.DataFrame) -> pl.DataFrame:
        """One record a cell: the period columns become rows."""
        cells = [f"@{period}" for period in self.layout.period_positions.values()]
        period = next(c.name for c in self._contract.columns if c.origin.cell == "period")
        value = next(c.name for c in self._contract.columns if c.origin.cell == "value")
        kept = [name for name in frame.columns if name not in cells]
        return frame.unpivot(on=cells, index=kept, variable_name=period, value_name=value).with_columns(
            pl.col(period).str.slice(1)
        )


class _InUtf8:
    """A stream of UTF-16, given as UTF-8."""

    def __init__(self, beginning: bytes, stream: IO[bytes], codec: str) -> None:
        self._pending = beginning
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(codec)()

    def read(self, size: int) -> bytes:
        """Return at least a byte where there is one; raises ``Refused`` where it is no UTF-16."""
        while True:
            more, self._pending = self._pending or self._stream.read(size), b""
            try:
                text = self._decoder.decode(more, final=not more)
                if text or not more:
                    return text.encode()
            except UnicodeError:
                raise Refused("it is not written in the UTF-16 that its mark says, or is cut short") from None


def _fault(fields: list[str] | None, width: int) -> tuple[str, str] | None:
    """Rule and reason where a record can't be read, else None."""
    if fields is None:
        return _MISQUOTED
    if len(fields) != width:
        return "column_count", f"it has {len(fields)} fields where the heading has {width}"
    if any("\0" in value for value in fields):
        return UNREADABLE
    return None


def _count(text: bytes, character: bytes) -> int:
    """How often a character occurs; where it is frequent, several times faster than ``bytes.count``."""
    return int(np.count_nonzero(np.frombuffer(text, dtype=np.uint8) == character[0]))


def _count_outside_quotes(text: bytes, character: bytes) -> int:
    """How often a character occurs outside of quoted fields, in lines that each close what they open."""
    if b'"' not in text:
        return _count(text, character)
    bytes_ = np.frombuffer(text, dtype=np.uint8)
    # counting may run over: only whether the count is odd matters
    is_inside = np.cumsum(bytes_ == _QUOTE, dtype=np.uint8) & 1
    return int(np.count_nonzero((bytes_ == character[0]) & (is_inside == 0)))


def _odd_lines(text: bytes, delimiter: str) -> list[int] | None:
    """Lines, counted from 0, with a quote that is not of a wholly quoted field, such as 5" or "a" b, or a huge one.

    None where a line opens a quote that it does not close: a field may then go on in the next line.
    """
    if b'"' not in text:
        return []
    bytes_ = np.frombuffer(text, dtype=np.uint8)
    quotes = np.flatnonzero(bytes_ == _QUOTE)
    line_of = np.searchsorted(np.flatnonzero(bytes_ == _LINE_END), quotes)
    if (np.bincount(line_of) % 2).any():
        return None
    opening, closing = quotes[::2], quotes[1::2]
    edges = [_LINE_END, ord(delimiter)]
    # a quote inside a field is doubled: there the field seems to end, and the next one to begin at once
    doubled = opening[1:] == closing[:-1] + 1
    begins = np.isin(bytes_[opening - 1], edges)  # before the first byte stands the last one, a line end
    begins[1:] |= doubled
    ends = np.isin(bytes_[closing + 1], edges)
    ends[:-1] |= doubled
    ends &= closing - opening <= csv.field_size_limit()
    odd: list[int] = np.unique(line_of[::2][~(begins & ends)]).tolist()
    return odd


def _whole_lines(text: bytes) -> int:
    """Where the last line ends that is not inside a quoted field; 0 where there is none."""
    end = text.rfind(b"\n") + 1
    if b'"' not in text:
        return end
    is_open = text.count(b'"', 0, end) % 2
    while end and is_open:
        start = text.rfind(b"\n", 0, end - 1) + 1
        is_open ^= text.count(b'"', start, end) % 2
        end = start
    return end


def _records(text: bytes, delimiter: str, line_numbers: Sequence[int]) -> Iterator[tuple[int, list[str] | None]]:
    """Yield number of the first line and fields of each record; no fields where a line is wrongly quoted.

    Reading goes on with the line after it, so that an open quote takes no other record with it.
    """
    lines = text.decode().split("\n")[:-1]
    place = 0
    while place < len(lines):
        # only "\n" ends a line: the csv module would also end one at other characters
        reader = csv.reader((lines[i] + "\n" for i in range(place, len(lines))), delimiter=delimiter, strict=True)
        start = place
        try:
            for fields in reader:
                if fields:
                    yield line_numbers[start], fields
                start = place + reader.line_num
            return
        except csv.Error:
            yield line_numbers[start], None
            place = start + 1
