"""Landing: every file received, byte for byte, under its SHA-256, never changed."""

from __future__ import annotations

import gzip
import hashlib
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
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
    with file.open("rb") as stream:
        sha256, size = hash_stream(stream)
    target = landing_path(settings, sha256)
    if target.exists() and target.stat().st_size == size:
        return sha256, size
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    # an object store shows a file only once it is whole; a folder needs the rename
    draft = target.with_name(f"{sha256}.{os.getpid()}.part") if isinstance(target, Path) else target
    with file.open("rb") as stream, draft.open("wb") as copy:
        while block := stream.read(BLOCK_BYTES):
            digest.update(block)
            copy.write(block)
        if isinstance(target, Path):
            copy.flush()
            os.fsync(copy.fileno())
    if digest.hexdigest() != sha256:
        draft.unlink()
        raise LandingError(f"{file.name} changed while it was read: it is still being written")
    if isinstance(target, Path):
        draft.chmod(0o600)
        draft.replace(target)
    return sha256, size


@contextmanager
def open_document(settings: Settings, sha256: str, member: str | None, name: str) -> Iterator[IO[bytes]]:
    """Open a landed document as a stream of plain bytes: a file, a gzipped file, or an archive's member.

    Raises ``zipfile.BadZipFile``, ``gzip.BadGzipFile`` or ``EOFError`` where the bytes are damaged or cut short.
    """
    with landing_path(settings, sha256).open("rb") as stream:
        if member is not None:
            with zipfile.ZipFile(stream) as archive, archive.open(member) as inner:
                yield inner
        elif name.lower().endswith(".gz"):
            with gzip.open(stream) as inner:
                yield cast(IO[bytes], inner)
        else:
            yield stream
