"""What was taken from an agency, so that nothing is fetched twice and a fetch that broke off goes on.

One SQLite file a source beside the home's inbox: what it says and the files that it speaks of stand or fall
together, and it is written in transactions, so a crash leaves it right. An agency may call a file after a client, so
names are remembered by a keyed fingerprint, and in clear nowhere but in the inbox.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import hmac
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from cryptography.fernet import Fernet

from saferkc.contracts import load_contracts
from saferkc.privacy.showing import file_name
from saferkc.settings import Settings

_SECRET = "fetching"  # noqa: S105  (what it is called)
_TABLES = """
drop table if exists taken; -- which held names in clear
create table if not exists fetched (
    place text not null, name_mark text not null, bytes integer not null, modified_at real not null,
    sha256 text not null, taken_at text not null, draft text, locked_name blob,
    primary key (place, name_mark)
) without rowid;
create table if not exists attempt (
    feed text primary key, began_at text not null, fault text, is_passing integer not null
) without rowid;
create table if not exists page (
    feed text not null, number integer not null, url text not null, digest text not null, announced text not null,
    records integer not null, content blob not null, primary key (feed, number)
);
create table if not exists seen (
    feed text not null, record blob not null, page integer not null, primary key (feed, record)
) without rowid;
create table if not exists walk (
    feed text primary key, began_at text not null, address text not null, following text
) without rowid;
create table if not exists extract (
    feed text primary key, began_at text not null, sha256 text not null
) without rowid;
"""


@dataclass(frozen=True)
class Offered:
    """A file as the agency offers it. ``modified_at`` in seconds, Unix, by the agency's clock."""

    name: str
    size: int
    modified_at: float


@dataclass(frozen=True)
class Attempt:
    """How the last finished fetch ended; ``fault`` is None where it went well."""

    began_at: datetime
    fault: str | None
    is_passing: bool


class Memory:
    """What is known of a source, while ``remembering`` holds it for one fetch at a time."""

    def __init__(
        self, folder: Path, inbox: Path, database: sqlite3.Connection, secret: bytes, shown: Callable[[str, str], str]
    ) -> None:
        self.folder = folder
        self.database = database
        self._inbox = inbox
        self._secret = secret
        self._shown = shown

    @property
    def cipher(self) -> Fernet:
        """What encrypts that which is kept of a fetch until it has ended."""
        return Fernet(base64.urlsafe_b64encode(self._secret))

    def shown(self, name: str) -> str:
        """Return what a file of the agency's is called in logs and messages."""
        return self._shown(name, self._mark(name)[:12])

    def _mark(self, name: str) -> str:
        return hmac.digest(self._secret, name.encode(), "sha256").hex()[:32]

    def knows(self, place: str, offered: Offered) -> bool:
        """Whether this very file, by name, size and time, was taken from there before."""
        row = self.database.execute(
            "select bytes, modified_at from fetched where place = ? and name_mark = ?",
            [place, self._mark(offered.name)],
        ).fetchone()
        return row is not None and tuple(row) == (offered.size, offered.modified_at)

    def may_place(self, name: str) -> bool:
        """Whether the inbox has room for a file of that name, so that none is written over before it is landed."""
        return not (self._inbox / name).exists()

    def is_inbox(self, folder: Path) -> bool:
        """Whether a folder is the inbox itself, from which nothing need be brought."""
        return folder.resolve() == self._inbox.resolve()

    def draft(self, name: str) -> Path:
        """Return where a file is written until it is whole; nothing else looks there."""
        return self.folder / f"{self._mark(name)}.part"

    def place(
        self, place: str, offered: Offered, draft: Path, sha256: str, also: Callable[[], None] = lambda: None
    ) -> None:
        """Move a whole draft into the inbox and remember it, so that a crash at any point does both or neither.

        ``also`` writes, in the same transaction, what else is true from then on.
        """
        with self.database:
            also()
            self.note(place, offered, draft, sha256)
        self._settle()

    def note(self, place: str, offered: Offered, draft: Path, sha256: str) -> None:
        """Remember, in the caller's transaction, a whole draft that is still to be moved into the inbox."""
        self.database.execute(
            "insert or replace into fetched values (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                place,
                self._mark(offered.name),
                offered.size,
                offered.modified_at,
                sha256,
                now().isoformat(),
                draft.name,
                self.cipher.encrypt(offered.name.encode()),
            ],
        )

    def recover(self) -> None:
        """Finish what a crash cut off, and clear away what it left half done."""
        self._settle()
        for path in self.folder.glob("*.part"):
            path.unlink()

    def _settle(self) -> None:
        waiting = self.database.execute("select draft, locked_name from fetched where draft is not null").fetchall()
        for draft, locked_name in waiting:
            path = self.folder / draft
            if path.exists():  # else it was moved already
                self._inbox.mkdir(parents=True, exist_ok=True)
                path.replace(self._inbox / self.cipher.decrypt(locked_name).decode())
                _sync_folder(self._inbox)
            with self.database:
                self.database.execute("update fetched set draft = null, locked_name = null where draft = ?", [draft])

    def last_attempt(self, feed: str) -> Attempt | None:
        """Return how the last finished fetch of a feed (or of a whole source) ended."""
        row = self.database.execute("select began_at, fault, is_passing from attempt where feed = ?", [feed]).fetchone()
        return None if row is None else Attempt(datetime.fromisoformat(row[0]), row[1], bool(row[2]))

    def note_attempt(self, feed: str, attempt: Attempt) -> None:
        """Remember how a fetch ended."""
        with self.database:
            self.database.execute(
                "insert or replace into attempt values (?, ?, ?, ?)",
                [feed, attempt.began_at.isoformat(), attempt.fault, attempt.is_passing],
            )


@contextmanager
def remembering(settings: Settings, source: str) -> Iterator[Memory]:
    """Open what is known of a source, for one fetch at a time: a second one waits for the end of the first."""
    own = [c for c in load_contracts(settings.contracts_dir).values() if c.delivery.source == source]
    folder = settings.home / "fetching" / source
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    with (folder / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        database = sqlite3.connect(folder / "memory.sqlite")
        try:
            (folder / "memory.sqlite").chmod(0o600)
            # a page that was done with must not be readable in the file's free space
            database.execute("pragma secure_delete = on")
            database.executescript(_TABLES)
            yield Memory(
                folder,
                settings.inbox / source,
                database,
                settings.secret(_SECRET),
                lambda name, otherwise: file_name(own, name, otherwise),
            )
        finally:
            database.close()


def now() -> datetime:
    """Return the present moment, in UTC."""
    return datetime.now(UTC)


class Draft:
    """A file that is being written, with its SHA-256 and size so far."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._digest = hashlib.sha256()
        self.size = 0

    def write(self, block: bytes) -> None:
        """Write one block."""
        self._stream.write(block)
        self._digest.update(block)
        self.size += len(block)

    @property
    def sha256(self) -> str:
        """SHA-256 of what was written, in hexadecimal."""
        return self._digest.hexdigest()


@contextmanager
def writing(path: Path) -> Iterator[Draft]:
    """Write a file that only its owner may read; when the block has ended it is whole on the disk.

    Where the block fails nothing is left of it.
    """
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            yield Draft(stream)
            stream.flush()
            os.fsync(stream.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
