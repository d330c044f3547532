"""JSON records: one object a line, read as a stream; or one document with a list of records, read whole."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import IO, Any

import polars as pl

from saferkc.contracts import Contract
from saferkc.loading import reader
from saferkc.loading.faults import QuarantinedRow, Refused
from saferkc.loading.layout import Field, Layout, fields_of
from saferkc.loading.reader import UNKEEPABLE, UNREADABLE, Batch

_FIRST_BYTES = 4 << 10
_LONGEST_LINE = 1 << 20
_LARGEST_JSON = 64 << 20
_MOST_NEW_PATHS = 1_000
_NO_OBJECT = ("json", "it is no whole JSON object")


class _Records:
    """The contract's fields in JSON records: their values, which were never met, and what is new."""

    def __init__(self, contract: Contract) -> None:
        self._fields = fields_of(contract)
        self._steps = [_steps(one.path or "") for one in self._fields]
        self._unmet = {place for place, one in enumerate(self._fields) if not one.optional}
        known = {one.path or "" for one in self._fields} | set(contract.delivery.ignored_headings)
        # an object in which known values stand is known, also where it is empty
        self._known = known | {path.rsplit(".", cut)[0] for path in known for cut in range(1, path.count(".") + 1)}
        self._known_by_pattern = [
            (path.rpartition(".")[0], last) for path in known if isinstance(last := _steps(path)[-1], re.Pattern)
        ]
        self._new: dict[str, None] = {}
        self.layout = Layout("", [], {}, {}, [])

    @property
    def missing(self) -> list[Field]:
        """Fields that no record met so far has had."""
        return [self._fields[place] for place in sorted(self._unmet)]

    def read(self, records: Sequence[tuple[int, Any]], broken: list[QuarantinedRow]) -> Batch:
        """Return numbered records as a frame of text; those that can't be kept join the ``broken``."""
        numbers: list[int] = []
        columns: list[list[str | None]] = [[] for _ in self._fields]
        for number, record in records:
            self._note_new(record)
            values = [_follow(record, steps) for steps in self._steps]
            if self._unmet:
                self._unmet -= {place for place in self._unmet if values[place] is not _ABSENT}
            texts = [_as_text(value) for value in values]
            if any(text and UNKEEPABLE.search(text) for text in texts):
                broken.append(QuarantinedRow(number, None, *UNREADABLE))
                continue
            numbers.append(number)
            for column, text in zip(columns, texts, strict=True):
                column.append(text)
        names = [one.name for one in self._fields]
        data: dict[str, Any] = {"line_number": numbers} | dict(zip(names, columns, strict=True))
        schema: dict[str, Any] = {"line_number": pl.Int64} | dict.fromkeys(names, pl.String)
        return Batch(pl.DataFrame(data, schema=schema), sorted(broken, key=lambda row: row.line_number))

    def _note_new(self, record: Any) -> None:
        for path in _paths(record):
            if path and not self._is_known(path) and path not in self._new and len(self._new) < _MOST_NEW_PATHS:
                self._new[path] = None
                self.layout.new_headings.append(path)

    def _is_known(self, path: str) -> bool:
        if path in self._known:
            return True
        above, _, last = path.rpartition(".")
        return any(above == place and pattern.search(last) for place, pattern in self._known_by_pattern)


class JsonReader:
    """A JSON document with a list of records, read whole: an answer of an interface is small."""

    def __init__(self, contract: Contract, stream: IO[bytes]) -> None:
        """Read the records; raises ``Refused`` where they are none or not those of the contract."""
        records = _json_records(stream, contract.delivery.records_path)
        read = _Records(contract)
        self._batch = read.read(list(enumerate(records, 1)), [])
        if records and read.missing:
            raise Refused(f"its records lack {_names(read.missing)}")
        self.layout = read.layout

    def __iter__(self) -> Iterator[Batch]:
        """Yield all records as one batch."""
        yield self._batch


class JsonLinesReader:
    """One JSON object a line, read block by block; a line that is none falls out and takes no other with it."""

    def __init__(self, contract: Contract, stream: IO[bytes]) -> None:
        """Read nothing yet but whether there is anything; raises ``Refused`` where the document is empty."""
        self._ends_with_newline = contract.delivery.ends_with_newline
        self._stream = stream
        self._records = _Records(contract)
        self.layout = self._records.layout
        self._rest = stream.read(_FIRST_BYTES)
        if not self._rest:
            raise Refused("it is empty")
        if self._rest.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise Refused("it is written in UTF-16; utf-8 was agreed")
        self._rest = self._rest.removeprefix(b"\xef\xbb\xbf")

    def __iter__(self) -> Iterator[Batch]:
        """Yield the records of each block; raises ``Refused`` for what is not readable as a whole."""
        first, whole = 1, 0
        for block in self._blocks():
            lines = block.split(b"\n")
            records: list[tuple[int, Any]] = []
            broken: list[QuarantinedRow] = []
            for number, line in enumerate(lines, first):
                if not line.strip():
                    continue
                try:
                    record = json.loads(line.decode(), parse_constant=_no_constant)
                except UnicodeDecodeError:
                    broken.append(QuarantinedRow(number, None, "encoding", "it is not written in UTF-8"))
                    continue
                except (ValueError, RecursionError):
                    record = None
                if isinstance(record, dict):
                    records.append((number, record))
                else:
                    broken.append(QuarantinedRow(number, None, *_NO_OBJECT))
            first += len(lines)
            whole += len(records)
            yield self._records.read(records, broken)
        if whole and self._records.missing:
            raise Refused(f"its records lack {_names(self._records.missing)}")

    def _blocks(self) -> Iterator[bytes]:
        """Yield blocks of whole lines, without the end of the last one."""
        rest, more = self._rest, b""
        self._rest = b""
        while True:
            end = rest.rfind(b"\n")
            if end >= 0:
                yield rest[:end]
                rest = rest[end + 1 :]
            elif len(rest) > reader.BLOCK_BYTES + _LONGEST_LINE:
                raise Refused("one of its lines does not end: it is not one JSON object a line")
            more = self._stream.read(reader.BLOCK_BYTES)
            if not more:
                break
            rest += more
        if rest:
            if self._ends_with_newline:
                raise Refused("its last line has no end: cut short")
            yield rest


def _no_constant(name: str) -> None:
    """Refuse NaN and Infinity, which Python reads and JSON does not know."""
    raise ValueError(name)


def _json_records(stream: IO[bytes], records_path: str | None) -> list[Any]:
    content = stream.read(_LARGEST_JSON + 1)
    if len(content) > _LARGEST_JSON:
        raise Refused(f"it is larger than {_LARGEST_JSON >> 20} MB, too large for one answer of an interface")
    try:
        records = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise Refused("it is not written in UTF-8") from error
    except json.JSONDecodeError as error:
        # not chained: the error would carry the whole document along
        raise Refused(f"it is no whole JSON (line {error.lineno}): cut short or damaged") from None
    except (ValueError, RecursionError):
        raise Refused("it is no list of records: its objects are nested too deeply, or a number is too long") from None
    for step in records_path.split(".") if records_path else []:
        records = records.get(step) if isinstance(records, dict) else None
    if not isinstance(records, list):
        raise Refused("it holds no list of records" + (f" at {records_path}" if records_path else ""))
    return records


def _names(missing: Sequence[Field]) -> str:
    return ", ".join(one.column.name if one.part is None else one.path or "" for one in missing)


def _paths(record: Any, above: str = "") -> Iterator[str]:
    """The dotted paths of all values in a record."""
    if not isinstance(record, dict):
        yield above.removesuffix(".")
        return
    for key, value in record.items():
        if isinstance(value, dict):
            yield from _paths(value, f"{above}{key}.")
        else:
            yield above + key


_ABSENT = object()


def _steps(path: str) -> list[str | re.Pattern[str]]:
    """The steps of a dotted path; one in slashes is a regular expression of what it may be called."""
    return [
        re.compile(step[1:-1]) if len(step) > 2 and step.startswith("/") and step.endswith("/") else step
        for step in path.split(".")
    ]


def _follow(record: Any, steps: Sequence[str | re.Pattern[str]]) -> Any:
    place = record
    for step in steps:
        if place is None:
            return None
        if not isinstance(place, dict):
            return _ABSENT
        name = step if isinstance(step, str) else next((key for key in place if step.search(key)), None)
        if name is None or name not in place:
            return _ABSENT
        place = place[name]
    return place


def _as_text(value: Any) -> str | None:
    if value is None or value is _ABSENT:
        return None
    return value if isinstance(value, str) else json.dumps(value)
