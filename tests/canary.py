"""Canaries: unmistakable identities planted in deliveries, and a search of everything for any trace of them."""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psycopg
from psycopg import sql

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
