"""Reading a document as a stream of frames of text, in bounded memory whatever the document's size.

A frame holds the contract's columns as text, unparsed, and ``line_number``. Whole blocks of plain lines are
parsed at once; only lines with quotes, or of a wrong length, are looked at one by one.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO, Any

import numpy as np
import polars as pl

from saferkc.contracts import Contract
from saferkc.contracts.model import Column
from saferkc.contracts.registry import read_label
from saferkc.loading.faults import QuarantinedRow, Refused

BLOCK_BYTES = 2 << 20
_FIRST_BYTES = 4 << 10
_LONGEST_LINE = 1 << 20
_LARGEST_JSON = 64 << 20
# between the values of a row on their way into the database: a character that texts do not hold
SEPARATOR = "\x1f"
_UNKEEPABLE = re.compile("[\0\ud800-\udfff]")
_UNREADABLE = ("unreadable", "it holds a character that can't be kept, such as NUL")
_MISQUOTED = ("quotes", "its quotes or line ends are not as agreed, or a field is too long")


@dataclass
class Batch:
    """Lines of one block: ``frame`` with ``line_number`` and the contract's columns as text; and what fell out.

    ``frame`` may hold more records than lines, where a wide file gives one a cell. ``is_bare``: no value holds a
    character that has a meaning of its own in COPY (see ``columns.escaped``), so none has to be looked for.
    """

    frame: pl.DataFrame
    broken: list[QuarantinedRow] = field(default_factory=list)
    is_bare: bool = False


@dataclass
class Layout:
    """What a document's heading line says: where each column stands, the labels in it, what is new."""

    delimiter: str
    headings: list[str]
    positions: dict[str, int]
    label: dict[str, str]
    new_headings: list[str]
    period_positions: dict[int, str] = field(default_factory=dict)


class JsonReader:
    """A JSON array of records, read whole: an answer of an interface is small."""

    def __init__(self, contract: Contract, stream: IO[bytes]) -> None:
        """Read the records; raises ``Refused`` where they are none or not those of the contract."""
        self._columns = [column for column in contract.columns if column.origin.path]
        self._records = _json_records(stream)
        missing = [
            column.name
            for column in self._columns
            if not column.origin.optional and not any(_follow(r, column) is not _ABSENT for r in self._records)
        ]
        if self._records and missing:
            raise Refused(f"its records lack {', '.join(missing)}")
        known = {column.origin.path or "" for column in self._columns} | set(contract.delivery.ignored_headings)
        # an object in which known values stand is known, also where it is empty
        known |= {path.rsplit(".", cut)[0] for path in known for cut in range(1, path.count(".") + 1)}
        found = {path: None for record in self._records for path in _paths(record)}
        self.layout = Layout("", [], {}, {}, [path for path in found if path and path not in known])

    def __iter__(self) -> Iterator[Batch]:
        """Yield all records as one batch."""
        rows = [(n, [_as_text(_follow(record, c)) for c in self._columns]) for n, record in enumerate(self._records, 1)]
        broken = [QuarantinedRow(number, None, *_UNREADABLE) for number, row in rows if not _is_text(row)]
        rows = [(number, row) for number, row in rows if _is_text(row)]
        frame = pl.DataFrame(
            {"line_number": [number for number, _ in rows]}
            | {c.name: [row[place] for _, row in rows] for place, c in enumerate(self._columns)},
            schema={"line_number": pl.Int64} | {c.name: pl.String for c in self._columns},
        )
        yield Batch(frame, broken)


def _json_records(stream: IO[bytes]) -> list[Any]:
    content = stream.read(_LARGEST_JSON + 1)
    if len(content) > _LARGEST_JSON:
        raise Refused(f"it is larger than {_LARGEST_JSON >> 20} MB, too large for one answer of an interface")
    try:
        records = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise Refused("it is not written in UTF-8") from error
    except json.JSONDecodeError as error:
        raise Refused(f"it is no whole JSON (line {error.lineno}): cut short or damaged") from error
    except RecursionError:
        raise Refused("it is no list of records: its objects are nested too deeply") from None
    if not isinstance(records, list):
        raise Refused("it holds no list of records")
    return records


def _paths(record: Any, above: str = "") -> Iterator[str]:
    """The dotted paths of all values in a record."""
    if not isinstance(record, dict):
        yield above.removesuffix(".")
        return
    for key, value in record.items():
        yield from _paths(value, f"{above}{key}.")


_ABSENT = object()


def _follow(record: Any, column: Column) -> Any:
    place = record
    for step in (column.origin.path or "").split("."):
        if place is None:
            return None
        if not isinstance(place, dict) or step not in place:
            return _ABSENT
        place = place[step]
    return place


def _is_text(values: Sequence[str | None]) -> bool:
    """Whether a database can keep the values: no NUL, no half of a character."""
    return not any(value and _UNKEEPABLE.search(value) for value in values)


def _as_text(value: Any) -> str | None:
    if value is None or value is _ABSENT:
        return None
    return value if isinstance(value, str) else json.dumps(value)


class DelimitedReader:
    """A delimited text, long or wide, read block by block."""

    def __init__(self, contract: Contract, stream: IO[bytes]) -> None:
        """Read the heading line; raises ``Refused`` where it does not fit the contract."""
        self._contract = contract
        self._stream = stream
        self._encoding = contract.delivery.encodings[0]
        self._rest = self._first_block()
        if not self._rest.strip():
            raise Refused("it is empty")
        self._strip_mark()
        end = self._rest.find(b"\n")
        if end < 0:
            raise Refused("it has no whole heading line: cut short, or not a text")
        heading, self._rest = self._rest[: end + 1], self._rest[end + 1 :]
        self._line = 2
        self.layout = _layout(contract, self._as_utf8(heading).decode().strip("\r\n"))

    def __iter__(self) -> Iterator[Batch]:
        """Yield the lines after the heading; raises ``Refused`` for what is not readable as a whole."""
        for block in self._blocks():
            yield self._parse(self._as_utf8(block))

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
        for mark, name in ((b"\xff\xfe", "UTF-16"), (b"\xfe\xff", "UTF-16")):
            if self._rest.startswith(mark):
                raise Refused(f"it is written in {name}; {self._encoding} was agreed")
        self._rest = self._rest.removeprefix(b"\xef\xbb\xbf")

    def _as_utf8(self, block: bytes) -> bytes:
        """Check that the block is written as agreed and return it in UTF-8."""
        if block.isascii():
            return block
        agreed = self._contract.delivery.encodings
        for encoding in agreed[agreed.index(self._encoding) :]:
            try:
                text = block.decode(encoding)
            except UnicodeDecodeError:
                continue
            self._encoding = encoding
            return block if encoding == "utf-8" else text.encode()
        raise Refused(f"it is not written in {' or '.join(agreed)}, from line {self._line} at the latest")

    def _blocks(self) -> Iterator[bytes]:
        """Yield blocks of whole lines; a quoted field never ends in the middle of one."""
        rest, self._rest = self._rest, b""
        # a line of a wide file becomes many records
        block_bytes = max(1, BLOCK_BYTES // (len(self.layout.period_positions) or 1))
        while more := self._stream.read(block_bytes):
            rest += more
            end = _whole_lines(rest)
            if end:
                block, rest = rest[:end], rest[end:]
                yield block
            elif len(rest) > block_bytes + _LONGEST_LINE:
                raise Refused(f"line {self._line} does not end: a quote is not closed, or it is not a text")
        if rest:
            if rest.count(b'"') % 2:
                raise Refused("it ends inside a quoted field: cut short")
            if self._contract.delivery.ends_with_newline and not rest.endswith(b"\n"):
                raise Refused("its last line has no end: cut short")
            yield rest

    def _parse(self, text: bytes) -> Batch:
        """Parse whole lines: at once where they hold no quote, one by one where they do or where one is broken."""
        if b"\r" in text:
            text = text.replace(b"\r\n", b"\n")
        if not text.endswith(b"\n"):
            text += b"\n"
        first, count = self._line, _count(text, b"\n")
        self._line += count
        numbers = range(first, first + count)
        quoted: list[int] = []
        if b'"' in text:
            lines = text.split(b"\n")
            quoted = [place for place, line in enumerate(lines) if b'"' in line]
            if all(lines[place].count(b'"') % 2 == 0 for place in quoted):
                apart = b"".join(lines[place] + b"\n" for place in quoted)
                held = set(quoted)
                others = b"\n".join(line for place, line in enumerate(lines) if place not in held)
                plain = self._parse_plain(others, [n for i, n in enumerate(numbers) if i not in held])
                if plain is not None:
                    batch = self._parse_line_by_line(apart, [numbers[place] for place in quoted])
                    return self._finish(Batch(pl.concat([plain, batch.frame]).sort("line_number"), batch.broken))
            return self._finish(self._parse_line_by_line(text, numbers))
        frame = self._parse_plain(text, numbers)
        if frame is None:
            return self._finish(self._parse_line_by_line(text, numbers))
        return self._finish(Batch(frame, is_bare=b"\\" not in text and SEPARATOR.encode() not in text))

    def _finish(self, batch: Batch) -> Batch:
        if self.layout.period_positions:
            batch.frame = self._melt(batch.frame)
        return batch

    def _parse_plain(self, text: bytes, numbers: Sequence[int]) -> pl.DataFrame | None:
        """Parse lines without quotes at once; None where one is not as long as the heading, or is odd.

        The delimiters add up and the parser refuses a line that is too long, so none can be too short.
        """
        delimiters = len(numbers) * (len(self.layout.headings) - 1)
        if b"\0" in text or b"\r" in text or _count(text, self.layout.delimiter.encode()) != delimiters:
            return None
        layout = self.layout
        try:
            frame = pl.read_csv(
                text,
                has_header=False,
                separator=layout.delimiter,
                quote_char=None,
                infer_schema=False,
                schema={f"c{i}": pl.String for i in range(len(layout.headings))},
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


def _fault(fields: list[str] | None, width: int) -> tuple[str, str] | None:
    """Rule and reason where a record can't be read, else None."""
    if fields is None:
        return _MISQUOTED
    if len(fields) != width:
        return "column_count", f"it has {len(fields)} fields where the heading has {width}"
    if any("\0" in value for value in fields):
        return _UNREADABLE
    return None


def _count(text: bytes, character: bytes) -> int:
    """How often a character occurs; where it is frequent, several times faster than ``bytes.count``."""
    return int(np.count_nonzero(np.frombuffer(text, dtype=np.uint8) == character[0]))


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


def _fold(heading: str) -> str:
    return re.sub(r"[\s_]+", " ", heading).strip().casefold()


def _layout(contract: Contract, line: str) -> Layout:
    delivery = contract.delivery
    delimiter = max(delivery.delimiters, key=line.count)
    headings = next(csv.reader([line], delimiter=delimiter))
    positions: dict[str, int] = {}
    label: dict[str, str] = {}
    for column in contract.columns:
        for accepted in column.origin.headings or []:
            place = _find(accepted, headings, label)
            if place is not None:
                positions[column.name] = place
                break
    missing = [
        column.name
        for column in contract.columns
        if column.origin.headings and not column.origin.optional and column.name not in positions
    ]
    if missing:
        expected = "; ".join(" or ".join(contract.column(name).origin.headings or []) for name in missing)
        raise Refused(f"it lacks the column {expected}")
    periods: dict[int, str] = {}
    if delivery.wide:
        periods = {
            place: heading.strip()
            for place, heading in enumerate(headings)
            if re.fullmatch(delivery.wide.period_heading, heading.strip())
        }
        if not periods:
            raise Refused("it has no column for a month")
        if len(set(periods.values())) != len(periods):
            raise Refused("the same month stands over two of its columns")
    known = {*positions.values(), *periods}
    for ignored in delivery.ignored_headings:
        known |= {i for i, heading in enumerate(headings) if _is(ignored, heading)}
    new = [heading for i, heading in enumerate(headings) if i not in known and heading.strip()]
    return Layout(delimiter, headings, positions, label, new, periods)


def _is(accepted: str, heading: str) -> re.Match[str] | bool | None:
    """Whether a heading is the accepted one; an accepted one in slashes is a regular expression."""
    if accepted.startswith("/") and accepted.endswith("/"):
        return re.fullmatch(accepted[1:-1], heading.strip(), re.IGNORECASE)
    return _fold(accepted) == _fold(heading)


def _find(accepted: str, headings: list[str], label: dict[str, str]) -> int | None:
    for place, heading in enumerate(headings):
        found = _is(accepted, heading)
        if isinstance(found, re.Match):
            label.update(read_label(found))
        if found:
            return place
    return None
