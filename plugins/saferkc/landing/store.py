"""Landing: every file received, byte for byte, under its SHA-256, never changed."""

from __future__ import annotations

import gzip
import hashlib
import os
import secrets
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, cast

from saferkc.settings import Settings

BLOCK_BYTES = 1 << 20


class LandingError(Exception):
    """A file can't be landed or read back; the message says which and why."""


def landing_path(settings: Settings, sha256: str) -> Any:
    """Return where the file of this SHA-256 lies: a ``Path``, or Airflow's ``ObjectStoragePath``.

    The second where ``SAFERKC_LANDING_URL`` names an object store, such as ``s3://connection@bucket/landing``.
    """
    if settings.landing_url:
        from airflow.sdk import ObjectStoragePath  # noqa: PLC0415  (Airflow only where an object store is used)

        return ObjectStoragePath(settings.landing_url) / sha256[:2] / sha256
    return settings.landing / sha256[:2] / sha256


def hash_stream(stream: IO[bytes]) -> tuple[str, int]:
    """Return SHA-256 and number of bytes of what remains in ``stream``."""
    digest, size = hashlib.sha256(), 0
    while block := stream.read(BLOCK_BYTES):
        digest.update(block)
        size += len(block)
    return digest.hexdigest(), size


def land(settings: Settings, file: Path) -> tuple[str, int]:
    """Copy ``file`` to landing and return its SHA-256 and size in bytes.

    Raises ``LandingError`` where the file changes while it is read: it is then still being written.
    """
    before = file.stat()
    with file.open("rb") as stream:
        sha256, size = hash_stream(stream)
    target = landing_path(settings, sha256)
    if target.exists() and target.stat().st_size == size:
        return sha256, size
    target.parent.mkdir(parents=True, exist_ok=True)
    if not isinstance(target, Path):  # an object store shows a file only once it is whole
        with file.open("rb") as stream, target.open("wb") as copy:
            shutil.copyfileobj(stream, copy, BLOCK_BYTES)
        return sha256, _unchanged(file, before, size)
    draft = target.with_name(f"{sha256}.{secrets.token_hex(4)}.part")
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


def _unchanged(file: Path, before: os.stat_result, size: int) -> int:
    after = file.stat()
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or after.st_size != size:
        raise LandingError(f"{file.name} changed while it was read: it is still being written")
    return size


@contextmanager
def open_document(settings: Settings, sha256: str, member: str | None, name: str) -> Iterator[IO[bytes]]:
    """Open a landed document as a stream of plain bytes: a file, a gzipped file, or an archive's member.

    Raises ``zipfile.BadZipFile``, ``gzip.BadGzipFile`` or ``EOFError`` where the bytes are damaged or cut short.
    """
    with ExitStack() as opened:
        stream = opened.enter_context(landing_path(settings, sha256).open("rb"))
        if member is not None:
            stream = opened.enter_context(opened.enter_context(zipfile.ZipFile(stream)).open(member))
        if name.lower().endswith(".gz"):
            stream = opened.enter_context(gzip.open(stream))
        yield cast(IO[bytes], stream)
