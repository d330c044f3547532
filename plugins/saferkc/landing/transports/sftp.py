"""Transport ``sftp``: a folder of an SFTP server whose host key we know."""

from __future__ import annotations

import base64
import binascii
import io
import logging
import posixpath
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import paramiko
from pydantic import Field, field_validator

from saferkc.landing.store import BLOCK_BYTES
from saferkc.landing.transports.endpoint import Endpoint, options_of
from saferkc.landing.transports.errors import FetchError
from saferkc.landing.transports.files import FileOptions, take_files
from saferkc.landing.transports.memory import Memory, Offered

_PORT = 22
# reads of 32 KiB that are asked for at once, so that distance costs little, and no more than these are held in memory
_READS_AHEAD = 128
# Airflow's form for SFTP writes these; we always check the host key and set the rest ourselves
_OF_THE_FORM = {
    "no_host_key_check": False,
    "allow_host_key_change": False,
    "look_for_keys": False,
    "compress": True,
}
# its log names users and files of the agency, and says nothing that our errors don't
logging.getLogger("paramiko").setLevel(logging.CRITICAL)


class SftpOptions(FileOptions):
    """What the extra of a connection to an SFTP server may say.

    ``host_key``: the server's public key or keys, as in ``known_hosts``; without one nothing is fetched.
    ``private_key`` (its text) or ``key_file`` (its path on this machine), with ``private_key_passphrase`` where
    it is locked; without a key the connection's password is used.
    """

    host_key: list[str] = Field(default=[])
    private_key: str | None = None
    private_key_passphrase: str | None = None
    key_file: str | None = None
    timeout_seconds: float = 30.0

    @field_validator("host_key", mode="before")
    @classmethod
    def _lines(cls, value: object) -> object:
        lines = value.splitlines() if isinstance(value, str) else value
        return [line for line in lines if line != ""] if isinstance(lines, list) else lines


class _Server:
    """A folder of an SFTP server, as ``files`` wants it."""

    def __init__(self, client: paramiko.SFTPClient, place: str, folder: str) -> None:
        self._client = client
        self._folder = folder
        self.place = place

    def offered(self) -> list[Offered]:
        # a link may lead anywhere on the agency's server: only files proper are taken
        listed = self._client.listdir_attr(self._folder)
        return [_offered(found.filename, found) for found in listed if stat.S_ISREG(found.st_mode or 0)]

    def look(self, name: str) -> Offered | None:
        try:
            return _offered(name, self._client.lstat(posixpath.join(self._folder, name)))
        except FileNotFoundError:
            return None

    def read(self, file: Offered) -> Iterator[bytes]:
        with self._client.open(posixpath.join(self._folder, file.name), "rb") as stream:
            stream.prefetch(file.size, _READS_AHEAD)
            left = file.size
            while left and (block := stream.read(min(left, BLOCK_BYTES))):
                left -= len(block)
                yield block

    def delete(self, name: str) -> None:
        self._client.remove(posixpath.join(self._folder, name))


def fetch_sftp(endpoint: Endpoint, memory: Memory) -> list[str]:
    """Take what is new on the server into the inbox and return the names; raises ``FetchError``."""
    options = _read(endpoint)
    with _connected(endpoint, options) as server:
        return take_files(server, memory, options)


def check_sftp(endpoint: Endpoint) -> None:
    """Raise ``FetchError`` where the server can't be reached, is not the one we know, or shows no such folder."""
    with _connected(endpoint, _read(endpoint)) as server:
        server.offered()


def _read(endpoint: Endpoint) -> SftpOptions:
    options = options_of(endpoint, SftpOptions, also_known=_OF_THE_FORM)
    if not endpoint.host or not endpoint.login:
        raise FetchError(f"connection {endpoint.name}: set the host and the login")
    if not (endpoint.password or options.private_key or options.key_file):
        raise FetchError(f"connection {endpoint.name}: set a password, or `private_key` or `key_file` in its extra")
    return options


@contextmanager
def _connected(endpoint: Endpoint, options: SftpOptions) -> Iterator[_Server]:
    """Sign in to the server, after its host key has been checked."""
    host, port, seconds = endpoint.host or "", endpoint.port or _PORT, options.timeout_seconds
    trusted = _trusted(endpoint, options)
    key = _private_key(endpoint, options)
    where = f"{host}:{port}"
    try:
        with socket.create_connection((host, port), seconds) as raw, paramiko.Transport(raw) as transport:
            transport.banner_timeout = transport.auth_timeout = transport.channel_timeout = seconds
            _prefer(transport, trusted)
            transport.start_client(timeout=seconds)
            _check_host_key(endpoint, transport.get_remote_server_key(), trusted)
            _sign_in(transport, endpoint, key)
            client = paramiko.SFTPClient.from_transport(transport)
            if client is None:
                raise FetchError(f"connection {endpoint.name}: {where} offers no SFTP", is_passing=True)
            channel = client.get_channel()
            if channel is not None:
                channel.settimeout(seconds)
            yield _Server(client, f"sftp://{where}/{options.path}", options.path)
    except paramiko.AuthenticationException:
        raise FetchError(
            f"connection {endpoint.name}: {where} does not let {endpoint.login} in;"
            " ask the agency whether the account or its key has changed, then mend the connection"
        ) from None
    except FileNotFoundError:
        raise FetchError(
            f"connection {endpoint.name}: {where} shows no folder {options.path}; mend `path` in its extra"
        ) from None
    except PermissionError:
        raise FetchError(
            f"connection {endpoint.name}: {endpoint.login} may not read {options.path} of {where}; ask the agency"
        ) from None
    except socket.gaierror:
        raise FetchError(f"connection {endpoint.name}: the host {host} is not known", is_passing=True) from None
    except (OSError, EOFError, paramiko.SSHException) as error:
        what = str(error) or type(error).__name__
        raise FetchError(
            f"connection {endpoint.name}: {where} did not answer as it should: {what}", is_passing=True
        ) from None


def _trusted(endpoint: Endpoint, options: SftpOptions) -> list[paramiko.PKey]:
    keys = []
    for line in options.host_key:
        key = _public_key(line)
        if key is None:
            raise FetchError(
                f"connection {endpoint.name}: `host_key` of its extra is no public key; write it as the server's"
                " line in known_hosts, such as `ssh-ed25519 AAAA…`"
            )
        keys.append(key)
    return keys


def _public_key(line: str) -> paramiko.PKey | None:
    """Read ``ssh-ed25519 AAAA…``, with or without the host before it and a comment behind it."""
    for word in line.split():
        try:
            blob = base64.b64decode(word, validate=True)
            length = int.from_bytes(blob[:4], "big")
            return paramiko.PKey.from_type_string(blob[4 : 4 + length].decode("ascii"), blob)
        except (binascii.Error, ValueError, paramiko.SSHException):
            continue
    return None


def _prefer(transport: paramiko.Transport, trusted: list[paramiko.PKey]) -> None:
    """A server may have several keys: ask for one of those that we know."""
    if trusted:
        # an RSA key signs with SHA-2 under another name
        names = {"rsa-sha2" if key.get_name() == "ssh-rsa" else key.get_name() for key in trusted}
        options = transport.get_security_options()
        options.key_types = sorted(options.key_types, key=lambda kind: not kind.startswith(tuple(names)))


def _check_host_key(endpoint: Endpoint, shown: paramiko.PKey, trusted: list[paramiko.PKey]) -> None:
    if shown in trusted:
        return
    line = f"{shown.get_name()} {shown.get_base64()}"
    if not trusted:
        raise FetchError(
            f"connection {endpoint.name}: the host key of {endpoint.host} is not known, so nothing was sent to it."
            f" It shows {shown.fingerprint}; ask the agency, by telephone, whether that is theirs,"
            f" and then set `host_key` of the extra to: {line}"
        )
    known = ", ".join(key.fingerprint for key in trusted)
    raise FetchError(
        f"connection {endpoint.name}: the host key of {endpoint.host} HAS CHANGED, so nothing was sent to it."
        f" It shows {shown.fingerprint}, known is {known}. Somebody may be listening in:"
        f" ask the agency, by telephone, and only if the new key is theirs set `host_key` of the extra to: {line}"
    )


def _private_key(endpoint: Endpoint, options: SftpOptions) -> paramiko.PKey | None:
    secret = (options.private_key_passphrase or "").encode() or None
    try:
        if options.private_key:
            return _read_key(options.private_key, secret)
        if options.key_file:
            return _read_key(Path(options.key_file).read_text(encoding="ascii"), secret)
    except OSError as error:
        raise FetchError(f"connection {endpoint.name}: `key_file` can't be read: {error.strerror}") from None
    except (paramiko.SSHException, ValueError, TypeError):
        raise FetchError(
            f"connection {endpoint.name}: its private key can't be read; it must be the whole text of an OpenSSH or"
            " PEM key (Ed25519, ECDSA or RSA), with `private_key_passphrase` if it is locked"
        ) from None
    return None


def _read_key(text: str, secret: bytes | None) -> paramiko.PKey:
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        try:
            return kind.from_private_key(io.StringIO(text), secret.decode() if secret else None)
        except (paramiko.SSHException, ValueError, IndexError):
            continue
    raise ValueError("no key")


def _sign_in(transport: paramiko.Transport, endpoint: Endpoint, key: paramiko.PKey | None) -> None:
    """By key where there is one, and by password where the server wants one (too)."""
    login = endpoint.login or ""
    if key is not None:
        try:
            transport.auth_publickey(login, key)
        except paramiko.AuthenticationException:
            if not endpoint.password:
                raise
    if not transport.is_authenticated():
        transport.auth_password(login, endpoint.password or "")


def _offered(name: str, found: paramiko.SFTPAttributes) -> Offered:
    return Offered(name, found.st_size or 0, float(found.st_mtime or 0))
