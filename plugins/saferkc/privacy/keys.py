"""Keys: outside PostgreSQL, outside the repository, one ring for each purpose.

``tokens.json`` holds the keys of tokens: for each purpose the current one and those before it. ``landing.txt``
holds the identities that open landed originals, in the format of the ``age`` tool; the last one is current. Both
are readable by their owner only. A key is made when it is first needed and is **never** made anew where the home
remembers that there was one: a fresh key in place of a lost one would make everybody somebody else, unseen.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypedDict

from pyrage import x25519

from saferkc.settings import Settings

_SECRET = "AGE-SECRET-KEY-"  # noqa: S105  (how such a line begins)


class KeyRingError(Exception):
    """A key is missing, damaged or lies open; the message says which and what to do."""


class _Ring(TypedDict):
    current: str
    keys: dict[str, str]


class KeyRing:
    """The keys of tokens, by purpose; safe to use from several processes at once."""

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.keys
        self._known = _KnownKeys(settings)
        self.path = self._folder / "tokens.json"

    def current(self, purpose: str) -> tuple[str, bytes]:
        """Return id and key with which tokens of this purpose are made now; the first is made when asked for.

        Raises ``KeyRingError`` where a key that was in use is gone, or the file is readable by others.
        """
        ring = self._read().get(purpose)
        if ring is None:
            ring = self._add(purpose, only_first=True)
        self._known.check(purpose, ring["keys"], self.path)
        return ring["current"], self._bytes(purpose, ring, ring["current"])

    def key(self, purpose: str, key_id: str) -> bytes:
        """Return a key by its id, an old one included; raises ``KeyRingError`` where it is not there."""
        ring = self._read().get(purpose)
        if ring is None or key_id not in ring["keys"]:
            raise KeyRingError(_lost(f"key {key_id} of {purpose}", self.path))
        return self._bytes(purpose, ring, key_id)

    def rotate(self, purpose: str) -> str:
        """Make a new current key for a purpose, keep the old ones, and return the new one's id."""
        self.current(purpose)
        return self._add(purpose, only_first=False)["current"]

    def listed(self) -> dict[str, tuple[str, int]]:
        """Return for each purpose the id of its current key and how many keys it has; raises as ``current``."""
        rings = self._read()
        for purpose, ring in rings.items():
            self._known.check(purpose, ring["keys"], self.path)
        return {purpose: (ring["current"], len(ring["keys"])) for purpose, ring in sorted(rings.items())}

    def missing(self) -> list[str]:
        """Return the purposes whose keys this home has used and whose ring is gone."""
        return sorted(self._known.purposes() - self._read().keys() - {LandingKeys.PURPOSE})

    def _add(self, purpose: str, *, only_first: bool) -> _Ring:
        with _only_writer(self._folder):
            rings = self._read()
            ring = rings.get(purpose)
            if ring is not None and only_first:  # another process was first
                return ring
            keys = dict(ring["keys"]) if ring else {}
            self._known.check(purpose, keys, self.path)
            key_id = f"k{1 + max((int(known[1:]) for known in keys), default=0)}"
            keys[key_id] = secrets.token_hex(32)
            rings[purpose] = {"current": key_id, "keys": keys}
            _write(self.path, json.dumps(rings, indent=1))
            self._known.remember(purpose, keys)
            return rings[purpose]

    def _read(self) -> dict[str, _Ring]:
        if not self.path.exists():
            return {}
        _check_private(self.path)
        try:
            rings: dict[str, _Ring] = json.loads(self.path.read_text())
        except ValueError as error:
            raise KeyRingError(f"{self.path} is damaged: bring it back from its backup") from error
        return rings

    def _bytes(self, purpose: str, ring: _Ring, key_id: str) -> bytes:
        try:
            key = bytes.fromhex(ring["keys"][key_id])
        except (KeyError, ValueError):
            key = b""
        if len(key) < 32:
            raise KeyRingError(
                f"{self.path}: key {key_id} of {purpose} is damaged: bring the file back from its backup"
            )
        return key


class LandingKeys:
    """The identities that open landed originals; the last one of the file is what new originals are locked with."""

    PURPOSE = "landing"

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.keys
        self._known = _KnownKeys(settings)
        self.path = self._folder / "landing.txt"

    def recipient(self) -> x25519.Recipient:
        """Return what a new original is locked with; the first identity is made when asked for."""
        identities = self._read()
        if not identities:
            with _only_writer(self._folder):
                identities = self._read() or self._add([])
        self._known.check(self.PURPOSE, _by_recipient(identities), self.path)
        return identities[-1].to_public()

    def identities(self) -> list[x25519.Identity]:
        """Return all that may open an original; raises ``KeyRingError`` where there is none."""
        identities = self._read()
        if not identities:
            raise KeyRingError(_lost("the key of landed originals", self.path))
        return identities

    def public(self) -> list[str]:
        """Return the public halves, the current one last; empty where none was ever made. Raises ``KeyRingError``."""
        identities = self._read()
        self._known.check(self.PURPOSE, _by_recipient(identities), self.path)
        return [str(identity.to_public()) for identity in identities]

    def rotate(self) -> str:
        """Make a new identity, keep the old ones, and return the new one's public half."""
        self.recipient()
        with _only_writer(self._folder):
            return str(self._add(self._read())[-1].to_public())

    def _add(self, identities: list[x25519.Identity]) -> list[x25519.Identity]:
        self._known.check(self.PURPOSE, _by_recipient(identities), self.path)
        new = x25519.Identity.generate()
        now = datetime.now(UTC).isoformat(timespec="seconds")
        before = self.path.read_text().rstrip("\n") + "\n" if identities else ""
        _write(self.path, f"{before}# created: {now}\n# public key: {new.to_public()}\n{new}\n")
        identities = [*identities, new]
        self._known.remember(self.PURPOSE, _by_recipient(identities))
        return identities

    def _read(self) -> list[x25519.Identity]:
        if not self.path.exists():
            return []
        _check_private(self.path)
        lines = [line for line in self.path.read_text().splitlines() if line.startswith(_SECRET)]
        try:
            return [x25519.Identity.from_str(line) for line in lines]
        except Exception as error:
            raise KeyRingError(f"{self.path} is damaged: bring it back from its backup") from error


class _KnownKeys:
    """Fingerprints of the keys that this home has used, so that a lost key is noticed and never made anew."""

    def __init__(self, settings: Settings) -> None:
        self._path = settings.home / "known_keys.json"

    def check(self, purpose: str, keys: dict[str, str], path: Path) -> None:
        """Raise ``KeyRingError`` where a key that was used is not among ``keys``; remember those not yet known."""
        known = self._read().get(purpose, {})
        for key_id, fingerprint in known.items():
            if key_id not in keys or _fingerprint(keys[key_id]) != fingerprint:
                raise KeyRingError(_lost(f"key {key_id} of {purpose}", path))
        if keys.keys() - known.keys():
            self.remember(purpose, keys)

    def purposes(self) -> set[str]:
        return set(self._read())

    def remember(self, purpose: str, keys: dict[str, str]) -> None:
        with _only_writer(self._path.parent, "known_keys.lock"):
            known = self._read()
            known.setdefault(purpose, {}).update({key_id: _fingerprint(key) for key_id, key in keys.items()})
            _write(self._path, json.dumps(known, indent=1))

    def _read(self) -> dict[str, dict[str, str]]:
        if not self._path.exists():
            return {}
        known: dict[str, dict[str, str]] = json.loads(self._path.read_text())
        return known


def _by_recipient(identities: list[x25519.Identity]) -> dict[str, str]:
    return {str(identity.to_public()): str(identity) for identity in identities}


def _fingerprint(key: str) -> str:
    return hashlib.sha256(b"saferkc key fingerprint " + key.encode()).hexdigest()[:16]


def _lost(what: str, path: Path) -> str:
    return (
        f"{what} was in use and is not in {path}: bring the file back from its backup."
        " Nothing was changed, and no new key was made in its place"
    )


def _check_private(path: Path) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise KeyRingError(f"{path} can be read by others (mode {mode:o}): chmod 600 it, and think of who has read it")


@contextmanager
def _only_writer(folder: Path, lock: str = "lock") -> Iterator[None]:
    """Let one process at a time change what lies in the folder."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / lock).open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _write(path: Path, content: str) -> None:
    """Replace a file, whole or not at all, readable by its owner only."""
    draft = path.with_name(path.name + ".part")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())
    draft.replace(path)
