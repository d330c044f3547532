"""What an archive must not be: locked, a zip bomb, or one with members that point out of it."""

from __future__ import annotations

import io
import re
import struct
import zipfile
from pathlib import PurePosixPath, PureWindowsPath
from typing import IO, Any

from saferkc.landing.errors import BombError

# what a damaged archive gives when it is opened: its list of contents may say anything
BROKEN_ARCHIVE = (zipfile.BadZipFile, NotImplementedError, OSError, ValueError, struct.error)
_MOST_MEMBERS = 20_000
_LARGEST_MEMBER = 16 << 30
# delimited text packs to a tenth; what packs to a two hundredth holds nothing
HIGHEST_RATIO = 200
_SMALL = 64 << 20
_BY_PLACE = re.compile(r"#(\d+)/")


def archive_fault(archive: zipfile.ZipFile, size: int) -> str | None:
    """Say why nothing of an archive of ``size`` bytes is taken, or None where it may be."""
    members = archive.infolist()
    if any(_climbs(info.filename) for info in members):
        return (
            "a member of the archive has a path that leads out of it: no program writes such a path by itself. Nothing"
            " of it was taken; ask the agency how the archive was made"
        )
    if any(info.flag_bits & 1 for info in members):
        return "the archive is locked with a password; ask the agency for an open one"
    if len(members) > _MOST_MEMBERS:
        return f"the archive has {len(members):,} members; more than {_MOST_MEMBERS:,} are taken for a zip bomb"
    if sum(info.compress_size for info in members) > size:
        return "members of the archive lie over each other: it is taken for a zip bomb"
    for info in members:
        if info.file_size > _LARGEST_MEMBER or is_bomb(info.file_size, info.compress_size):
            return (
                f"a member of the archive unpacks to {info.file_size >> 20:,} MB,"
                f" {info.file_size // max(1, info.compress_size):,} times its size: it is taken for a zip bomb"
            )
    return None


def member_reference(path: str, shown: str, place: int) -> str:
    """Return what a member is called in the warehouse: its path, where all of that may be shown, else its place.

    ``shown`` is the part of its path that may be shown, ``place`` counts the archive's members from 1.
    """
    return path if path == shown and not _BY_PLACE.match(path) else f"#{place}/{shown}"


def find_member(archive: zipfile.ZipFile, reference: str) -> zipfile.ZipInfo:
    """Return the member that a ``member_reference`` means."""
    by_place = _BY_PLACE.match(reference)
    return archive.infolist()[int(by_place[1]) - 1] if by_place else archive.getinfo(reference)


def is_bomb(unpacked: int, packed: int) -> bool:
    """Whether so many bytes out of so few are more than data can be."""
    return unpacked > _SMALL and unpacked > HIGHEST_RATIO * packed


class Unpacking(io.RawIOBase):
    """A packed stream's plain bytes, as long as they are not too many for what it was packed in."""

    def __init__(self, plain: Any, packed: int) -> None:
        self._plain: IO[bytes] = plain
        self._packed = packed
        self._unpacked = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Read on; raises ``BombError``, and whatever the packed stream raises where it is damaged."""
        content = self._plain.read1(len(buffer))  # type: ignore[attr-defined]
        self._unpacked += len(content)
        if is_bomb(self._unpacked, self._packed):
            raise BombError(
                f"it unpacks to more than {HIGHEST_RATIO} times its size and is taken for a zip bomb; ask the agency"
                " to send it unpacked"
            )
        buffer[: len(content)] = content
        return len(content)


def _climbs(name: str) -> bool:
    """Whether a member's path is absolute or leads out of the archive, on any system."""
    posix, windows = PurePosixPath(name), PureWindowsPath(name)
    return posix.is_absolute() or bool(windows.drive or windows.root) or ".." in windows.parts
