"""Canaries: unmistakable identities planted in deliveries, and a search of everything for any trace of them."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import Any

import openpyxl
import psycopg
from psycopg import sql
from saferkc.contracts import Contract
from saferkc.contracts.model import Column

DAY = datetime(2017, 4, 3, 14, 30)
Row = dict[str, str]
_EMPTY = re.compile(rb"\0{64,}")  # most of a database's files


@dataclass(frozen=True)
class Canary:
    """Somebody who does not exist. ``tag`` (a word) and ``number`` (three digits) tell one canary from another."""

    tag: str
    number: int

    @property
    def forename(self) -> str:
        return f"Zyxqua{self.tag}"

    @property
    def surname(self) -> str:
        return f"Quorvath{self.tag}"

    @property
    def parts(self) -> dict[str, str]:
        """What of the canary goes into a token, by kind of part, and into texts of the fault kinds."""
        return {
            "name": f"{self.forename} {self.surname}",
            "date": f"1911-07-{self.number % 18 + 10}",
            "phone": f"07700 900{self.number}",
            "postcode": "W10 9ZZ",
            "address": f"{self.number} Vexmoor{self.tag} Quadrant, London W10 9ZZ",
            "uprn": f"2179998{self.number}",
            "text": f"HREF{self.tag}{self.number}",
        }

    @property
    def needles(self) -> list[bytes]:
        """Texts of which none may be found anywhere, in small letters; hashes without a key among them."""
        stems = [self.forename, self.surname, f"Vexmoor{self.tag}", f"HREF{self.tag}"]
        numbers = [f"7700900{self.number}", f"07700 900{self.number}", f"7700 900{self.number}", self.parts["uprn"]]
        day = datetime.fromisoformat(self.parts["date"])
        days = [f"{day:%Y-%m-%d}", f"{day:%d/%m/%Y}", f"{day:%Y%m%d}"]
        whole = f"{self.forename}{self.surname}".lower()
        identities = [whole, f"+447700900{self.number}", self.parts["uprn"], f"name={whole}\x1fdate={days[0]}"]
        hashes = [
            digest(identity.encode()).hexdigest()[:20]
            for identity in [*identities, *stems, *(stem.lower() for stem in stems)]
            for digest in (hashlib.md5, hashlib.sha1, hashlib.sha256)
        ]
        return [text.lower().encode() for text in [*stems, *numbers, *days, *hashes]]


# --- planting ---------------------------------------------------------------------------------------------


def plausible(column: Column, number: int) -> str:
    """A value that keeps the column's rules; ``number`` makes keys different."""
    codes = [rule.valid_values for rule in column.quality if rule.metric == "invalidValues"]
    if codes and codes[0]:
        return codes[0][0]
    if column.physical_type in ("date", "timestamptz"):
        return DAY.astimezone().strftime(column.options.format or "%Y-%m-%d")
    if column.physical_type in ("integer", "bigint", "double precision"):
        low, high = column.options.minimum, column.options.maximum
        wanted = number if column.primary_key else 30
        return str(int(max(low or 0, min(wanted, high if high is not None else wanted))))
    if column.physical_type == "boolean":
        return "Yes"
    return text_like(column.options.pattern, number) if column.options.pattern else "Golborne"


def text_like(pattern: str, number: int) -> str:
    """The plainest text that a pattern lets through; its digits spell ``number``, so that two numbers differ."""
    digits = iter(f"{number:07}"[::-1] * 9)

    def plain(tokens: Iterable[Any]) -> str:
        return "".join(one(*token) for token in tokens)

    def one(operation: Any, value: Any) -> str:
        if operation in (_constants.MAX_REPEAT, _constants.MIN_REPEAT):
            low, _, what = value
            return "".join(plain(what) for _ in range(low))
        if operation in (_constants.SUBPATTERN, _constants.BRANCH):
            return plain(value[3] if operation == _constants.SUBPATTERN else value[1][0])
        if operation == _constants.IN:
            kind, first = value[0]
            return next(digits) if kind == _constants.CATEGORY else chr(first[0] if isinstance(first, tuple) else first)
        return chr(value) if operation == _constants.LITERAL else ""

    return plain(_parser.parse(pattern))


def row_of(contract: Contract, canary: Canary, number: int) -> Row:
    """One good row about the canary, by heading or JSON path."""
    row: Row = {}
    for column in contract.columns:
        if column.token is None:
            if place := _place(column.origin.headings, column.origin.path):
                row[place] = plausible(column, number)
            continue
        names = [part for part in column.token.parts if part.kind == "name"]
        for part in column.token.parts:
            value = canary.parts[part.kind]
            if part.kind == "name" and len(names) > 1:
                value = canary.forename if part is names[0] else canary.surname
            if place := _place(part.headings, part.path):
                row[place] = value
    return row


def _place(headings: list[str] | None, path: str | None) -> str | None:
    return headings[0] if headings else path


def file_name(contract: Contract, day: int) -> str:
    """The name of the delivery of so many days after ``DAY`` (months, where the feed is monthly)."""
    example = contract.delivery.examples[0]
    when = DAY + timedelta(days=day)
    for found, fmt in ((r"\d{8}", "%Y%m%d"), (r"\d{4}-\d{2}-\d{2}", "%Y-%m-%d"), (r"\d{4}-\d{2}", "%Y-%m")):
        if re.search(found, example):
            if fmt == "%Y-%m":
                when = datetime(2018 + day // 12, 1 + day % 12, 1)
            return "simulated_" + re.sub(found, when.strftime(fmt), example)
    raise AssertionError(f"{contract.feed}: no day in {example}")


def written(contract: Contract, rows: list[Row], *, headings: bool = True, before: str = "") -> bytes:
    """The rows as the feed's agency writes them."""
    delivery = contract.delivery
    if delivery.format == "json_lines":
        return b"".join(json.dumps(_nested(row)).encode() + b"\n" for row in rows)
    if delivery.format == "workbook":
        book = openpyxl.Workbook()
        sheet = book.active
        assert sheet is not None
        sheet.title = text_like(delivery.workbook.sheet, 0) if delivery.workbook and delivery.workbook.sheet else "1"
        for line in [[before]] if before else []:
            sheet.append(line)
        for line in (
            [list(rows[0]), *(list(row.values()) for row in rows)] if headings else [list(row.values()) for row in rows]
        ):
            sheet.append(line)
        content = io.BytesIO()
        book.save(content)
        return content.getvalue()
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delivery.delimiters[0], lineterminator="\n")
    if headings:
        writer.writerow(rows[0])
    writer.writerows(row.values() for row in rows)
    return text.getvalue().encode()


def _nested(row: Row) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for path, value in row.items():
        *above, last = path.split(".")
        place = record
        for step in above:
            place = place.setdefault(step, {})
        place[last] = value
    return record


# --- searching --------------------------------------------------------------------------------------------


def traces(needles: Iterable[bytes], places: Iterable[tuple[str, bytes]]) -> list[str]:
    """Where any of the needles stands, as "place: needle"; archives and UTF-16 are looked into."""
    wanted = list(needles)
    found = []
    for place, content in places:
        for name, plain in _unpacked(place, content):
            low = _EMPTY.sub(b"\0\0", plain).lower()
            found += [f"{name}: {needle.decode()}" for needle in wanted if needle in low]
            if b"\0" in low:
                narrow = low.replace(b"\0", b"")
                found += [f"{name} (UTF-16): {needle.decode()}" for needle in wanted if needle in narrow]
    return sorted(set(found))


def _unpacked(place: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    yield place, content
    try:
        if content.startswith(b"\x1f\x8b"):
            yield from _unpacked(f"{place}!", gzip.decompress(content))
        elif content.startswith(b"PK\x03\x04"):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                for member in archive.namelist():
                    yield from _unpacked(f"{place}!{member}", archive.read(member))
    except (OSError, EOFError, zipfile.BadZipFile, RuntimeError):
        return  # spoilt on purpose, and searched as it is


def files_in(folder: Path, but: Callable[[Path], bool] = lambda _: False) -> Iterator[tuple[str, bytes]]:
    """Names and contents of all files in a folder; a name is searched like a content."""
    for path in sorted(folder.rglob("*")):
        yield f"name {path}", str(path.relative_to(folder)).encode()
        if path.is_file() and not path.is_symlink() and not but(path):
            yield str(path), path.read_bytes()


def rows_in(url: str) -> Iterator[tuple[str, bytes]]:
    """Every row of every table, view and statistic of a database as text, the system's own included."""
    with psycopg.connect(url, autocommit=True) as connection:
        tables = connection.execute(
            """
            select schemaname, tablename from pg_tables where schemaname <> 'information_schema'
            union all select schemaname, viewname from pg_views where viewname in ('pg_stats', 'pg_stat_activity')
            union all select schemaname, matviewname from pg_matviews
            """
        ).fetchall()
        for schema, table in tables:
            statement = sql.SQL("copy (select t::text from {} as t) to stdout").format(sql.Identifier(schema, table))
            with connection.cursor().copy(statement) as rows:
                yield f"{schema}.{table}", b"".join(bytes(block) for block in rows)
