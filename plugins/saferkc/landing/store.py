"""Landing: every file received, byte for byte, under its SHA-256, never changed.

What may be about people lies encrypted, under the SHA-256 of its plain bytes and the ending ``.age``. So the same
bytes twice are one file, whatever they were encrypted with, and what comes out again can be checked.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import secrets
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, cast

from saferkc.contracts.registry import plain_name
from saferkc.landing.archives import Unpacking, find_member
from saferkc.landing.errors import LandingError
from saferkc.landing.unlock import decrypted, is_encrypted
from saferkc.privacy import at_rest
from saferkc.settings import Settings

BLOCK_BYTES = 1 << 20


def landing_path(settings: Settings, sha256: str, *, encrypted: bool = False) -> Any:
    """Return where the file of this SHA-256 lies: a ``Path``, or Airflow's ``ObjectStoragePath``.

    The second where ``SAFERKC_LANDING_URL`` names an object store, such as ``s3://connection@bucket/landing``.
    """
    name = sha256 + at_rest.SUFFIX if encrypted else sha256
    if settings.landing_url:
        from airflow.sdk import ObjectStoragePath  # noqa: PLC0415  (Airflow only where an object store is used)

        return ObjectStoragePath(settings.landing_url) / sha256[:2] / name
    return settings.landing / sha256[:2] / name


def hash_stream(stream: IO[bytes]) -> tuple[str, int]:
    """Return SHA-256 and number of bytes of what remains in ``stream``."""
    digest, size = hashlib.sha256(), 0
    while block := stream.read(BLOCK_BYTES):
        digest.update(block)
        size += len(block)
    return digest.hexdigest(), size


def land(settings: Settings, file: Path, *, encrypted: bool = False) -> tuple[str, int]:
    """Copy ``file`` to landing and return the SHA-256 and size in bytes of its plain bytes.

    Raises ``LandingError`` where the file changes while it is read: it is then still being written.
    """
    before = file.stat()
    with file.open("rb") as stream:
        sha256, size = hash_stream(stream)
    target = landing_path(settings, sha256, encrypted=encrypted)
    # a file gets its name once it is whole, so one that is there is whole; the size of a plain one can be compared
    if target.exists() and (encrypted or target.stat().st_size == size):
        return sha256, size
    target.parent.mkdir(parents=True, exist_ok=True)
    if not isinstance(target, Path):  # an object store shows a file only once it is whole
        with file.open("rb") as stream, target.open("wb") as copy:
            _copy(settings, stream, copy, encrypted)
        return sha256, _unchanged(file, before, size)
    draft = target.with_name(f"{sha256}.{secrets.token_hex(4)}.part")
    if encrypted:
        with file.open("rb") as stream, draft.open("wb") as copy:
            _copy(settings, stream, copy, encrypted)
    else:
        shutil.copyfile(file, draft)
    try:
        _unchanged(file, before, size)
    except LandingError:
        draft.unlink()
        raise
    with draft.open("rb") as copy:
        os.fsync(copy.fileno())
    draft.chmod(0o600)
    draft.replace(target)
    return sha256, size


def _copy(settings: Settings, plain: IO[bytes], copy: IO[bytes], encrypted: bool) -> None:
    if encrypted:
        at_rest.encrypt(settings, plain, copy)
    else:
        shutil.copyfileobj(plain, copy, BLOCK_BYTES)


def _unchanged(file: Path, before: os.stat_result, size: int) -> int:
    after = file.stat()
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or after.st_size != size:
        raise LandingError(f"{file.name} changed while it was read: it is still being written")
    return size


@contextmanager
def open_landed(settings: Settings, sha256: str, *, seekable: bool = False) -> Iterator[IO[bytes]]:
    """Open a landed file as a stream of its plain bytes, decrypted where it lies encrypted.

    An encrypted one can't be jumped about in unless ``seekable``, which opens it in memory. Raises what
    ``at_rest.decrypted`` raises.
    """
    with ExitStack() as opened:
        locked = landing_path(settings, sha256, encrypted=True)
        if locked.exists():
            stream = opened.enter_context(locked.open("rb"))
            yield opened.enter_context(at_rest.decrypted(settings, stream, f"landed file {sha256}", seekable=seekable))
        else:
            yield opened.enter_context(landing_path(settings, sha256).open("rb"))


@contextmanager
def open_document(
    settings: Settings, sha256: str, member: str | None, name: str, *, source: str = "", seekable: bool = False
) -> Iterator[IO[bytes]]:
    """Open a landed document as a stream of plain bytes: a file, an archive's member, encrypted or gzipped or both.

    ``source`` is whose key decrypts an OpenPGP message. Raises ``zipfile.BadZipFile``, ``gzip.BadGzipFile`` or
    ``EOFError`` where the bytes are damaged or cut short, ``LandingError`` where they can't be unlocked or are a zip
    bomb, and what ``open_landed`` raises.
    """
    with ExitStack() as opened:
        stream: IO[bytes] = opened.enter_context(open_landed(settings, sha256, seekable=seekable or member is not None))
        packed = _size(settings, sha256)
        if member is not None:
            archive = opened.enter_context(zipfile.ZipFile(stream))
            info = find_member(archive, member)
            stream, packed = opened.enter_context(archive.open(info)), info.file_size
        if is_encrypted(name):
            stream = opened.enter_context(decrypted(stream, source))
        if plain_name(name).lower().endswith(".gz"):
            unpacking = Unpacking(opened.enter_context(gzip.open(stream)), packed)
            stream = cast(IO[bytes], opened.enter_context(io.BufferedReader(unpacking, BLOCK_BYTES)))
        yield stream


def _size(settings: Settings, sha256: str) -> int:
    """Bytes of a landed file, as it lies there."""
    locked = landing_path(settings, sha256, encrypted=True)
    return int((locked if locked.exists() else landing_path(settings, sha256)).stat().st_size)
