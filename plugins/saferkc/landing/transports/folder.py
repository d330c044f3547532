"""Transport ``fs``: a folder that this machine sees, such as a mounted share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from saferkc.landing.store import BLOCK_BYTES
from saferkc.landing.transports.endpoint import Endpoint, options_of
from saferkc.landing.transports.errors import FetchError
from saferkc.landing.transports.files import FileOptions, take_files
from saferkc.landing.transports.memory import Memory, Offered


class _Folder:
    def __init__(self, path: Path) -> None:
        self._path = path
        self.place = path.as_uri()

    def offered(self) -> list[Offered]:
        found = (self.look(path.name) for path in self._path.iterdir() if path.is_file())
        return [file for file in found if file is not None]

    def look(self, name: str) -> Offered | None:
        try:
            seen = (self._path / name).stat()
        except FileNotFoundError:
            return None
        return Offered(name, seen.st_size, seen.st_mtime)

    def read(self, file: Offered) -> Iterator[bytes]:
        left = file.size
        with (self._path / file.name).open("rb") as stream:
            while left and (block := stream.read(min(left, BLOCK_BYTES))):
                left -= len(block)
                yield block

    def delete(self, name: str) -> None:
        (self._path / name).unlink()


def fetch_folder(endpoint: Endpoint, memory: Memory) -> list[str]:
    """Take what is new in the folder into the inbox and return the names; raises ``FetchError``."""
    options, path = _read(endpoint)
    if memory.is_inbox(path):
        return []
    try:
        return take_files(_Folder(path), memory, options)
    except OSError as error:
        raise FetchError(f"connection {endpoint.name}: {path}: {error.strerror}", is_passing=True) from error


def check_folder(endpoint: Endpoint) -> None:
    """Raise ``FetchError`` where the folder can't be read."""
    _, path = _read(endpoint)
    try:
        _Folder(path).offered()
    except OSError as error:
        raise FetchError(f"connection {endpoint.name}: {path}: {error.strerror}") from error


def _read(endpoint: Endpoint) -> tuple[FileOptions, Path]:
    options = options_of(endpoint, FileOptions)
    path = Path(options.path)
    if not path.is_absolute():
        raise FetchError(
            f'connection {endpoint.name}: set `path` in its extra to a whole path, as {{"path": "/mnt/x"}}'
        )
    if not path.is_dir():
        raise FetchError(
            f"connection {endpoint.name}: there is no folder {path}; is the share mounted?", is_passing=True
        )
    return options, path
