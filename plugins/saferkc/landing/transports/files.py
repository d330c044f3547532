"""Files that an agency offers in a folder, near or far: each is taken whole, once, and left where it is."""

from __future__ import annotations

import fnmatch
import logging
import time
from collections.abc import Iterator
from typing import Protocol

from saferkc.landing.inbox import is_unfinished
from saferkc.landing.transports.endpoint import Options
from saferkc.landing.transports.errors import FetchError
from saferkc.landing.transports.memory import Memory, Offered, writing

log = logging.getLogger(__name__)
_LONGEST_NAME_BYTES = 200


class FileOptions(Options):
    """What the extra of a connection to a folder may say.

    ``pattern``: which names are taken, as in a shell. ``settle_seconds``: a file must look the same twice, this
    far apart, before it counts as whole. ``delete_after_fetch``: remove a file at the agency once it is here.
    """

    path: str = "."
    pattern: str = "*"
    settle_seconds: float = 5.0
    delete_after_fetch: bool = False


class Store(Protocol):
    """A folder of an agency. ``place`` names it, without any secret."""

    place: str

    def offered(self) -> list[Offered]:
        """Return the files that lie in it."""
        ...

    def look(self, name: str) -> Offered | None:
        """Return how one file looks now, or None where it is gone."""
        ...

    def read(self, file: Offered) -> Iterator[bytes]:
        """Read one file in blocks, as far as the size that it was offered with."""
        ...

    def delete(self, name: str) -> None:
        """Remove one file."""
        ...


def take_files(store: Store, memory: Memory, options: FileOptions) -> list[str]:
    """Bring what is new into the inbox and return the names, in their order.

    A file counts as new until one of its name, size and time was taken. One that is still being written, or
    whose namesake still lies in the inbox, is left for the next time. Raises ``FetchError`` in the end where the
    agency does not let us read (or, where that was asked for, remove) a file; the others are taken before.
    """
    offered = [file for file in store.offered() if _is_wanted(file.name, options.pattern)]
    known = [file for file in offered if memory.knows(store.place, file)]
    new = [file for file in offered if not memory.knows(store.place, file)]
    taken, denied = [], []
    for file in sorted(_settled(store, memory, new, options.settle_seconds), key=lambda file: file.name):
        if not memory.may_place(file.name):
            log.info("%s still lies in the inbox: its new version is left for the next time", memory.shown(file.name))
            continue
        try:
            if _take(store, memory, file):
                taken.append(file.name)
                known.append(file)
        except PermissionError:
            denied.append(f"read {memory.shown(file.name)}")
    if options.delete_after_fetch:
        for file in known:  # those too that were taken by a run that ended before it could remove them
            try:
                _delete(store, memory, file)
            except PermissionError:
                denied.append(f"remove {memory.shown(file.name)}")
    if denied:
        raise FetchError(f"we may not {', '.join(denied)} in {store.place}; ask the agency to allow it")
    return taken


def _is_wanted(name: str, pattern: str) -> bool:
    if name.startswith(".") or is_unfinished(name) or not fnmatch.fnmatchcase(name, pattern):
        return False
    # a name is the agency's word: it must not lead out of the inbox
    if "/" in name or "\\" in name or not name.isprintable() or len(name.encode()) > _LONGEST_NAME_BYTES:
        log.warning("a file whose name is no plain file name was left at the agency")
        return False
    return True


def _settled(store: Store, memory: Memory, new: list[Offered], seconds: float) -> Iterator[Offered]:
    """Those files that look the same twice. The agency's clock may be wrong, so it is not asked how old a file is."""
    if not new:
        return
    time.sleep(seconds)
    again = set(store.offered())
    for file in new:
        if file in again:
            yield file
        else:
            log.info("%s is still being written: it is left for the next time", memory.shown(file.name))


def _take(store: Store, memory: Memory, file: Offered) -> bool:
    draft = memory.draft(file.name)
    try:
        with writing(draft) as copy:
            for block in store.read(file):
                copy.write(block)
    except FileNotFoundError:
        return False  # the agency took it away; should it come again, it is taken then
    if copy.size != file.size or store.look(file.name) != file:
        draft.unlink()
        log.info("%s changed while it was read: it is left for the next time", memory.shown(file.name))
        return False
    memory.place(store.place, file, draft, copy.sha256)
    log.info("%s: %d bytes taken from %s", memory.shown(file.name), file.size, store.place)
    return True


def _delete(store: Store, memory: Memory, file: Offered) -> None:
    if store.look(file.name) == file:  # else a new version has come meanwhile
        store.delete(file.name)
        log.info("%s removed from %s, as the connection says", memory.shown(file.name), store.place)
