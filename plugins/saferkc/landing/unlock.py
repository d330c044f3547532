"""Opening what agencies lock: OpenPGP messages and workbooks with a password.

Keys and passwords are Airflow connections: ``saferkc_<source>_pgp`` has the private key in its extra
(``{"private_key": "-----BEGIN PGP PRIVATE KEY BLOCK-----…"}``) and the key's passphrase, if any, as its password;
``saferkc_<source>_workbook`` has a password. What was locked stays locked in landing, and plain bytes are only
ever in memory.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from saferkc.contracts.registry import plain_name
from saferkc.landing import decrypt_pgp
from saferkc.landing.errors import UnlockError

_BLOCK_BYTES = 1 << 18
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_LARGEST_WORKBOOK = 128 << 20


@dataclass(frozen=True)
class Secret:
    """What a connection holds to unlock documents with; nothing of it shows in ``repr``."""

    name: str
    password: str | None = field(default=None, repr=False)
    private_key: str | None = field(default=None, repr=False)


Secrets = Callable[[str], Secret | None]


def connection_secret(name: str) -> Secret | None:
    """Return what the Airflow connection of this name holds, or None where there is no such connection."""
    from airflow.sdk import Connection  # noqa: PLC0415  (Airflow only where something is locked)
    from airflow.sdk.exceptions import AirflowNotFoundException  # noqa: PLC0415

    try:
        connection = Connection.get(name)
    except AirflowNotFoundException:
        return None
    try:
        extra = json.loads(connection.extra or "{}")
    except ValueError:
        extra = None
    if not isinstance(extra, dict):
        raise UnlockError(f"the extra of connection {name} is no JSON object; write it as {{…}}")
    return Secret(name, connection.password or None, extra.get("private_key") or None)


def is_encrypted(name: str) -> bool:
    """Whether a document's name says that it is an OpenPGP message (``.pgp``, ``.gpg``, ``.asc``)."""
    return plain_name(name) != name


@contextmanager
def decrypted(stream: IO[bytes], source: str, secrets: Secrets = connection_secret) -> Iterator[IO[bytes]]:
    """Open an OpenPGP message as a stream of its plain bytes, in bounded memory.

    Raises ``UnlockError`` where there is no key, where it is not for our key, or where it is damaged. What has
    been read before an error is not to be trusted: the end of a message proves its beginning.
    """
    name = f"saferkc_{source}_pgp"
    secret = secrets(name)
    if secret is None or not secret.private_key:
        raise UnlockError(
            f"it is encrypted with OpenPGP and the connection {name} with our private key is not set: set it, and"
            " replay the delivery"
        )
    plain = io.BufferedReader(_Decrypting(stream, secret), _BLOCK_BYTES)
    try:
        yield plain
    finally:
        plain.close()


class _Decrypting(io.RawIOBase):
    """The plain bytes of an OpenPGP message, from a process that is fed by a thread."""

    def __init__(self, stream: IO[bytes], secret: Secret) -> None:
        self._name = secret.name
        self._error: BaseException | None = None
        self._process = subprocess.Popen(  # noqa: S603  (our own file)
            [sys.executable, "-I", str(Path(decrypt_pgp.__file__))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._feeder = threading.Thread(target=self._feed, args=(stream, secret), daemon=True)
        self._feeder.start()

    def _feed(self, stream: IO[bytes], secret: Secret) -> None:
        into = self._process.stdin
        assert into is not None  # noqa: S101  (it is a pipe)
        key = json.dumps({"private_key": secret.private_key, "passphrase": secret.password}).encode()
        # it may have ended before it had read everything: its exit status says why
        with suppress(BrokenPipeError), into:
            into.write(len(key).to_bytes(4, "big") + key)
            try:
                while block := stream.read(_BLOCK_BYTES):
                    into.write(block)
            except BrokenPipeError:
                raise
            except BaseException as error:  # the reader has to know, and not this thread
                self._error = error

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        out = self._process.stdout
        assert out is not None  # noqa: S101  (it is a pipe)
        count = out.readinto(buffer)  # type: ignore[attr-defined]
        if count:
            return int(count)
        self._feeder.join()
        if self._error is not None:
            raise self._error
        status = self._process.wait()
        if status:
            raise UnlockError(_REASONS.get(status, _REASONS[decrypt_pgp.DAMAGED]).format(name=self._name))
        return 0

    def close(self) -> None:
        if not self.closed:
            self._process.kill()
            if self._process.stdout:
                self._process.stdout.close()
            self._process.wait()
            self._feeder.join()
        super().close()


_REASONS = {
    decrypt_pgp.WRONG_KEY: "it is encrypted for another key than that of connection {name}; tell the agency which key"
    " is ours, or set the connection to the key that they used, and replay the delivery",
    decrypt_pgp.NO_MESSAGE: "its name says that it is encrypted with OpenPGP, but it is no OpenPGP message, or is cut"
    " short; ask the agency to send it again",
    decrypt_pgp.DAMAGED: "it was changed or cut short after it had been encrypted; ask the agency to send it again",
    decrypt_pgp.BAD_KEY: "the private key of connection {name} can't be read, or its password does not open it",
}


def open_workbook(content: IO[bytes], source: str, secrets: Secrets = connection_secret) -> IO[bytes]:
    """Return a workbook as a plain one, decrypted in memory where it is locked with a password.

    ``content`` can be jumped about in. Raises ``UnlockError`` where there is no password, or a wrong one.
    """
    beginning = content.read(len(_OLE))
    content.seek(0)
    if beginning != _OLE:
        return content
    import msoffcrypto  # noqa: PLC0415  (few workbooks are locked)
    from msoffcrypto.format.ooxml import OOXMLFile  # noqa: PLC0415

    no_workbook = "it is no workbook of today's kind (XLSX), or damaged; ask the agency to save it as .xlsx"
    if content.seek(0, io.SEEK_END) > _LARGEST_WORKBOOK:
        raise UnlockError(f"it is locked, and larger than {_LARGEST_WORKBOOK >> 20} MB; ask for plain text")
    content.seek(0)
    try:
        locked = msoffcrypto.OfficeFile(content)
    except Exception:
        raise UnlockError(no_workbook) from None
    if not isinstance(locked, OOXMLFile):
        raise UnlockError(no_workbook)
    name = f"saferkc_{source}_workbook"
    secret = secrets(name)
    if secret is None or not secret.password:
        raise UnlockError(
            f"it is locked with a password and the connection {name} that holds it is not set: set it, and replay"
            " the delivery"
        )
    plain = io.BytesIO()
    try:
        locked.load_key(password=secret.password, verify_password=True)
        locked.decrypt(plain)
    except Exception:  # the library's words may hold anything
        raise UnlockError(
            f"the password of connection {name} does not open it; ask the agency which one is set, and replay the"
            " delivery"
        ) from None
    plain.seek(0)
    return plain
