"""Workbooks as people send them, made for one test each. Everything in them is made up."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msoffcrypto
import openpyxl
from msoffcrypto.format.ooxml import OOXMLFile


def workbook(
    sheets: Mapping[str, Iterable[Sequence[Any]]], change: Callable[[openpyxl.Workbook], None] | None = None
) -> bytes:
    """An XLSX with these sheets, rows from the first on; ``change`` does what a person does to it then."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(list(row))
    if change:
        change(book)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def rewritten(content: bytes, part: str, change: Callable[[bytes], bytes]) -> bytes:
    """A workbook with one of its parts changed, or made."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        parts = {name: old.read(name) for name in old.namelist()}
        for name, xml in (parts | {part: change(parts.get(part, b""))}).items():
            new.writestr(name, xml)
    return out.getvalue()


def with_shared_texts(content: bytes) -> bytes:
    """The workbook with its texts in a part of their own, once each, as spreadsheet programs write them."""
    texts: dict[bytes, int] = {}

    def shared(found: re.Match[bytes]) -> bytes:
        number = texts.setdefault(found[2], len(texts))
        return b'<c%s t="s"><v>%d</v></c>' % (found[1], number)

    cells = re.compile(rb'<c([^>]*?) t="inlineStr"><is>(.*?)</is></c>', re.DOTALL)
    content = rewritten(content, "xl/worksheets/sheet1.xml", lambda xml: cells.sub(shared, xml))
    table = b"".join(b"<si>%s</si>" % text for text in texts)
    head = b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    kind = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    entry = b'<Override PartName="/xl/sharedStrings.xml" ContentType="%s" /></Types>' % kind
    content = rewritten(content, "[Content_Types].xml", lambda xml: xml.replace(b"</Types>", entry))
    return rewritten(content, "xl/sharedStrings.xml", lambda _: head + table + b"</sst>")


def locked(content: bytes, password: str) -> bytes:
    """A workbook locked with a password, as a spreadsheet program locks it."""
    out = io.BytesIO()
    file = msoffcrypto.OfficeFile(io.BytesIO(content))
    assert isinstance(file, OOXMLFile)
    file.encrypt(password, out)
    return out.getvalue()
