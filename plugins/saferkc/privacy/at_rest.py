"""Landed originals at rest: encrypted in the format of ``age`` (https://age-encryption.org/v1), read as a stream."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import pyrage

from saferkc.privacy.keys import KeyRingError, LandingKeys
from saferkc.settings import Settings

SUFFIX = ".age"
# an archive or a workbook must be jumped about in, which no encrypted stream can: it is opened in memory
LARGEST_IN_MEMORY = 512 << 20
_BLOCK_BYTES = 1 << 20


class TooLargeError(Exception):
    """An encrypted document would have to be opened in memory and is too large for it."""


class DamagedError(Exception):
    """An encrypted original was changed or cut short after it had been landed."""


def encrypt(settings: Settings, plain: IO[bytes], locked: IO[bytes]) -> None:
    """Copy ``plain`` to ``locked``, encrypted, block by block."""
    pyrage.encrypt_io(plain, locked, [LandingKeys(settings).recipient()])


@contextmanager
def decrypted(settings: Settings, locked: IO[bytes], what: str, *, seekable: bool = False) -> Iterator[IO[bytes]]:
    """Open an encrypted original: as a stream in bounded memory, or ``seekable``, in memory as a whole.

    ``what`` names it in messages. Raises ``KeyRingError`` where no key opens it, ``DamagedError`` where it is not
    what was landed, ``TooLargeError`` where it is seekable and larger than ``LARGEST_IN_MEMORY`` bytes.
    """
    keys = LandingKeys(settings)
    raw = _Decrypting(locked, keys, what)
    stream = io.BufferedReader(raw, _BLOCK_BYTES)
    try:
        if not seekable:
            yield stream
            return
        content = stream.read(LARGEST_IN_MEMORY + 1)
        if len(content) > LARGEST_IN_MEMORY:
            raise TooLargeError(
                f"it is larger than {LARGEST_IN_MEMORY >> 20} MB, too large for an archive or a workbook of"
                " protected data; ask the agency for smaller ones, or for plain text"
            )
        yield io.BytesIO(content)
    finally:
        stream.close()


class _Decrypting(io.RawIOBase):
    """What ``pyrage`` pushes, to be pulled: it writes into a pipe from a thread of its own."""

    def __init__(self, locked: IO[bytes], keys: LandingKeys, what: str) -> None:
        self._what = what
        self._keys = keys
        self._error: BaseException | None = None
        identities = keys.identities()
        self._pipe, write_end = os.pipe()
        self._worker = threading.Thread(target=self._work, args=(locked, write_end, identities), daemon=True)
        self._worker.start()

    def _work(self, locked: IO[bytes], write_end: int, identities: list[Any]) -> None:
        try:
            with os.fdopen(write_end, "wb", buffering=0) as out:
                pyrage.decrypt_io(locked, out, identities)
        except BaseException as error:
            self._error = error

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what is there; at the end, say whether it was the end of the original."""
        count = os.readv(self._pipe, [buffer])
        if count:
            return count
        self._worker.join()
        error = self._error
        if error is None:
            return 0
        if isinstance(error, pyrage.DecryptError) and "key" in str(error).lower():
            raise KeyRingError(
                f"none of the keys in {self._keys.path} opens {self._what}: bring the key file back from its backup."
                " The original is untouched"
            ) from None
        if isinstance(error, OSError) and error.errno is not None:  # the disk or the network, not the content
            raise error
        raise DamagedError(f"{self._what} was changed or cut short after it had been landed") from None

    def close(self) -> None:
        if not self.closed:
            os.close(self._pipe)
            self._worker.join()
        super().close()
