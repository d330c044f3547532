"""Deliveries about canaries: every feed in its own format, good and with every fault, made from the contracts.

The faults are those thought of here, and every scenario that the simulator has for the feed.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import Any

import openpyxl
from canary import Canary
from saferkc.contracts import Contract
from saferkc.contracts.model import Column
from saferkc.simulation.partner_faults import FAULTS, spoil

DAY = datetime(2017, 4, 3, 14, 30)
Row = dict[str, str]
Delivered = tuple[str, str, bytes]  # source, file name, content
GOOD_ROWS = 250
# days after DAY of the simulator's scenarios, and between them: one of them dates a file a month back
SCENARIOS_FROM, SCENARIOS_APART = 400, 40
FEW = 12  # rows that may be faulty among so many good ones without the delivery being refused


def people(contracts: Mapping[str, Contract]) -> dict[str, Contract]:
    """The feeds that send identities."""
    return {feed: c for feed, c in contracts.items() if any(column.token for column in c.columns)}


# --- rows and documents ---------------------------------------------------------------------------------------------


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
        sheet.title = contract.feed.rsplit("_", 1)[-1].capitalize()
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


# --- what is delivered ------------------------------------------------------------------------------------


def good_rows(contract: Contract, canary: Canary) -> list[Row]:
    """Rows that keep the contract, with the identity written in several ways."""
    ways: list[Callable[[str], str]] = [str, str.upper, str.lower, lambda text: f"  {text} "]
    parts = {place for column in contract.columns if column.token for part in column.token.parts
             for place in [*(part.headings or []), part.path] if place}  # fmt: skip
    rows = [row_of(contract, canary, number) for number in range(1, GOOD_ROWS + 1)]
    return [
        {place: ways[n % 4](value) if place in parts else value for place, value in row.items()}
        for n, row in enumerate(rows)
    ]


def cells_with_an_identity(contract: Contract, canary: Canary) -> Iterator[Row]:
    """For every column that is kept, rows with an identity in it.

    A name is planted where the row knows it: whose name stands in a street's column can't be told otherwise.
    """
    knows_names = any(part.kind == "name" for column in contract.columns if column.token for part in column.token.parts)
    numbers = count(GOOD_ROWS + 1)
    for column in contract.columns:
        place = column.origin.path or (column.origin.headings or [None])[0]
        if place is not None:
            for what in ("phone", "address", *(["name"] if knows_names else [])):
                yield row_of(contract, canary, next(numbers)) | {place: canary.parts[what]}


def faulty_rows(contract: Contract, canary: Canary) -> Iterator[tuple[str, list[Row]]]:
    """Faults in the rows, each added to good ones."""
    row = row_of(contract, canary, 999)
    first, *_, last = row
    strays = list(cells_with_an_identity(contract, canary))
    for few in range(0, len(strays), FEW):
        yield "identities in the wrong cells", strays[few : few + FEW]
    yield "too many identities in the wrong cells", [*strays, *strays, *strays]
    yield "a new column that is called like somebody", [row | {canary.parts["name"]: canary.parts["address"]}]
    yield "a key twice with two identities", [row, {k: v.replace("Zyx", "Zzyx") for k, v in row.items()}]
    yield "no key", [row | {first: ""}]
    yield "a formula", [{k: f'=HYPERLINK("http://x/{v}","{v}")' for k, v in row.items()}]
    yield "markup", [{k: f"<script>{v}</script>" for k, v in row.items()}]
    yield "accents and another alphabet", [{k: v.replace("Zyxqua", "Żyxqúaя") for k, v in row.items()}]
    yield "a character that can't be kept", [{k: f"{v}\ufffe" for k, v in row.items()}]
    yield "very long", [{k: v * 400 for k, v in row.items()}]
    yield "impossible days", [{k: v.replace("/04/", "/14/").replace("-04-", "-14-") for k, v in row.items()}]
    shifted = dict(zip(row, [*list(row.values())[1:], row[first]], strict=True))
    yield "cells one to the left", [shifted]
    yield "cells one to the right", [dict(zip(row, [row[last], *list(row.values())[:-1]], strict=True))]


def faulty_bytes(contract: Contract, canary: Canary) -> Iterator[tuple[str, bytes]]:
    """Faults of a whole document."""
    rows = good_rows(contract, canary)
    content = written(contract, rows)
    yield "cut in the middle", content[: len(content) * 2 // 3]
    yield "an empty file", b""
    yield "somebody's name and nothing else", canary.parts["name"].encode()
    yield "a NUL", content.replace(b"yxqua", b"yx\0qua")
    if contract.delivery.format == "workbook":
        yield "no headings", written(contract, rows, headings=False)
        yield "a title with a name", written(contract, rows, before=f"Referrals of {canary.parts['name']}")
        return
    if contract.delivery.format == "delimited":
        lines = content.splitlines(keepends=True)
        yield "no headings", b"".join(lines[1:])
        yield "headings in the middle", b"".join([*lines[1:5], lines[0], *lines[5:]])
        yield "a missing column", b"".join(line.split(contract.delivery.delimiters[0].encode(), 1)[1] for line in lines)
        yield (
            "a delimiter inside a name",
            content.replace(b"Quorvath", contract.delivery.delimiters[0].encode() + b"Quorvath"),
        )
        yield "a stray quote", content.replace(b"Quorvath", b'"Quorvath', 3)
        yield "an open quote", content + b'"' + canary.parts["name"].encode()
        yield "a line more", content + canary.parts["name"].encode() + b"\n"
    yield "a byte order mark", b"\xef\xbb\xbf" + content
    yield "cp1252", content.replace(b"Zyxqua", "Zyxquaé".encode("cp1252"))
    yield "UTF-16", content.decode().encode("utf-16")
    yield "mixed line ends", content.replace(b"\n", b"\r\n", 9)
    if contract.delivery.is_json:
        yield "a name as a key", content.replace(b'"status"', json.dumps(canary.parts["name"]).encode())
        yield "an identity that is an object", content.replace(b'"subject": {', b'"subject": [{').replace(b"}}", b"}]}")
        yield "no JSON", content.replace(b"{", b"", 2)


def scenarios_of(contract: Contract, canary: Canary) -> Iterator[Delivered]:
    """What the simulator makes of the feed's file by each of its scenarios, where that file is about the canary."""
    source, content = contract.delivery.source, written(contract, good_rows(contract, canary))
    scenarios = [name for name, fault in FAULTS.items() if fault.feed == contract.feed]
    for name, day in zip(scenarios, count(SCENARIOS_FROM, SCENARIOS_APART), strict=False):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "inbox" / source / file_name(contract, day)
            path.parent.mkdir(parents=True)
            path.write_bytes(content)
            night = (DAY + timedelta(days=day)).date()
            spoil([path], {contract.feed: path.name}, [name], night, Path(folder) / "truth")
            assert (Path(folder) / "truth" / "simulated_faults.json").exists(), name
            # what was held back comes late
            for made in sorted(Path(folder).rglob(f"{source}/*")):
                yield source, made.name, made.read_bytes()


def deliveries_of(contract: Contract, canary: Canary) -> Iterator[Delivered]:
    """All deliveries of a feed: good ones, each fault, and files that are not what they seem."""
    source = contract.delivery.source
    good = good_rows(contract, canary)
    days = count(1)
    yield source, file_name(contract, next(days)), written(contract, good)
    for _, rows in faulty_rows(contract, canary):
        headings = dict.fromkeys(heading for row in rows for heading in row)
        whole = [{heading: row.get(heading, "") for heading in headings} for row in [*good, *rows]]
        yield source, file_name(contract, next(days)), written(contract, whole)
    for _, content in faulty_bytes(contract, canary):
        yield source, file_name(contract, next(days)), content
    yield from scenarios_of(contract, canary)
    content = written(contract, good)
    yield source, f"simulated_{canary.parts['name']}.csv", content
    yield source, f"simulated {canary.surname} referral.docx", content
    yield source, f"simulated_{canary.surname}_{file_name(contract, next(days)).removeprefix('simulated_')}", content
    yield source, file_name(contract, next(days)) + ".pgp", content
    yield "police_open", file_name(contract, next(days)), content
    yield "reference", "simulated_somebody.zip", zipped({"imd2019.csv": content})
    if contract.delivery.archives:
        name = f"simulated_police_{next(days):08}.zip"
        yield source, name, zipped({f"{canary.parts['name']}.csv": content, "offences_20170403.csv": content})
        folder, own = canary.parts["name"], file_name(contract, next(days))
        other = f"simulated_{canary.surname}_{file_name(contract, next(days)).removeprefix('simulated_')}"
        name = f"simulated_police_{DAY + timedelta(days=next(days)):%Y%m%d}.zip"
        yield source, name, zipped({f"{folder}/{own}": content, other: content})
        yield source, f"simulated_police_2017080{next(days) % 9 + 1}.zip", zipped({"../offences_20170403.csv": content})
        yield source, "simulated_police_20170901.zip", zipped({"victims_20170901.csv": content})[:-30]
    if ".gz" in contract.delivery.patterns[0]:
        yield source, file_name(contract, next(days)) + ".gz", gzip.compress(content)
        yield source, file_name(contract, next(days)) + ".gz", gzip.compress(content)[:-9]


def zipped(members: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return content.getvalue()
