"""From the inbox to landing: who takes which file, and what waits to be loaded."""

from __future__ import annotations

import os
import re
import time
import zipfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePosixPath

from saferkc.alerts import raise_alert
from saferkc.contracts import Contract, load_contracts, takes
from saferkc.landing.archives import BROKEN_ARCHIVE, archive_fault, member_reference
from saferkc.landing.errors import LandingError
from saferkc.landing.store import land, open_landed
from saferkc.privacy.at_rest import TooLargeError
from saferkc.privacy.sensitivity import is_open_file
from saferkc.privacy.showing import file_name
from saferkc.settings import Settings
from saferkc.warehouse.connection import Connection, connect

_UNFINISHED = (".part", ".tmp", ".filepart", ".crdownload")
# waiting to be loaded; or loaded by a run that ended before its check, so that nothing skips the check
_UNFINISHED_ARRIVALS = """
    select a.arrival_id, a.feed from quality.arrival as a where a.taken_at is null
    union all
    select d.arrival_id, d.feed from quality.delivery as d
    where d.state = 'admitted' and d.arrival_id is not null
        and not exists (select from quality.check_result as c where c.delivery_id = d.delivery_id)
"""
_SETTLED_SECONDS = 5.0
_LANDED_AT_ONCE = 4


@dataclass(frozen=True)
class Handout:
    """One document of a landed file and the feed that takes it; ``fault`` where no feed can."""

    feed: str
    member: str | None = None
    fault: str | None = None


def receive(settings: Settings, feed: str) -> list[int]:
    """Land all that lies in the inbox of the feed's source, and return the arrivals that are not done with.

    One archive may serve several feeds, whose DAGs run side by side: whoever comes first lands the file and
    leaves an arrival for each of them. A file whose name no feed knows is landed too and entered as refused,
    so nothing stays behind unseen.
    """
    contracts = load_contracts(settings.contracts_dir)
    source = contracts[feed].delivery.source
    with connect(settings, autocommit=True) as connection:
        connection.execute("select pg_advisory_lock(hashtextextended(%s, 0))", [f"saferkc.inbox.{source}"])
        files = [file for file in inbox_files(settings, source) if _settled(file)]
        taken = []
        with ThreadPoolExecutor(_LANDED_AT_ONCE) as pool:  # while one waits for the disk, others are hashed
            own = [contract for contract in contracts.values() if contract.delivery.source == source]
            for file, landed in zip(files, pool.map(lambda file: _land(settings, own, file), files), strict=True):
                if landed is not None:
                    _enter(settings, connection, contracts, source, file, landed)
                    taken.append(pool.submit(_take_away, file, landed.seen))
        for done in taken:
            done.result()
        waiting = connection.execute(
            f"select arrival_id from ({_UNFINISHED_ARRIVALS}) as a where feed = %s order by arrival_id",  # noqa: S608
            [feed],
        ).fetchall()
    return [row[0] for row in waiting]


def inbox_files(settings: Settings, source: str) -> list[Path]:
    """Files that lie in a source's inbox, whole ones only, in the order of their names."""
    folder = settings.inbox / source
    if not folder.is_dir():
        return []
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".") and not is_unfinished(path.name)
    )


def is_unfinished(name: str) -> bool:
    """Whether a name is one that programs give to a file while they are writing it."""
    return name.lower().endswith(_UNFINISHED)


def feeds_with_work(settings: Settings) -> set[str]:
    """Feeds for which something lies in the inbox or waits to be loaded."""
    contracts = load_contracts(settings.contracts_dir)
    busy = {c.feed for c in contracts.values() if inbox_files(settings, c.delivery.source)}
    with connect(settings) as connection:
        rows = connection.execute(f"select distinct feed from ({_UNFINISHED_ARRIVALS}) as a").fetchall()  # noqa: S608
    return busy | {row[0] for row in rows}


def replay(settings: Settings, feed: str, date_from: date, date_to: date) -> list[int]:
    """Hand landed documents of a feed out again and return their arrivals.

    Taken are those that cover a day of ``date_from`` to ``date_to`` and, since a refused document's cover may
    be unknown, those refused that were received in it. Bytes that were admitted under the contract's present
    version stay one delivery; a refused document, or one judged by an older contract, is judged anew.
    """
    with connect(settings) as connection:
        rows = connection.execute(
            """
            insert into quality.arrival (feed, source_name, landed_sha256, archive_member)
            select distinct on (d.landed_sha256, d.archive_member, d.extracted_at)
                d.feed, d.source_name, d.landed_sha256, d.archive_member
            from quality.delivery as d
            where d.feed = %(feed)s and d.arrival_id is not null and d.state <> 'duplicate'
                and (
                    (d.covers_from <= %(to)s and d.covers_to >= %(from)s)
                    or (d.state = 'refused' and d.received_at::date between %(from)s and %(to)s)
                )
                and not exists (
                    select from quality.arrival as a
                    where a.feed = d.feed and a.landed_sha256 = d.landed_sha256
                        and a.archive_member is not distinct from d.archive_member and a.taken_at is null
                        and (d.extracted_at is null or a.source_name = d.source_name)
                )
            order by d.landed_sha256, d.archive_member, d.extracted_at, d.delivery_id desc
            returning arrival_id
            """,
            {"feed": feed, "from": date_from, "to": date_to},
        ).fetchall()
    return [row[0] for row in rows]


def is_simulated(name: str) -> bool:
    """Whether a document, or the archive before the ``!`` of its name, says in its name that it is simulated."""
    return any("simulated" in PurePosixPath(part).name.lower() for part in name.split("!"))


def _settled(file: Path) -> bool:
    """Whether the file is no longer growing; only files touched in the last seconds are watched."""
    before = file.stat()
    if time.time() - before.st_mtime > _SETTLED_SECONDS:
        return True
    time.sleep(0.05)
    after = file.stat()
    return (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)


@dataclass(frozen=True)
class _Landed:
    """A file in landing, and how it looked in the inbox when it was read."""

    sha256: str
    size: int
    seen: os.stat_result


def _land(settings: Settings, own: Sequence[Contract], file: Path) -> _Landed | None:
    try:
        seen = file.stat()
        return _Landed(*land(settings, file, encrypted=not is_open_file(own, file.name)), seen)
    except (LandingError, FileNotFoundError):
        return None  # still being written, or taken away: the next night sees it whole


def _enter(
    settings: Settings,
    connection: Connection,
    contracts: Mapping[str, Contract],
    source: str,
    file: Path,
    landed: _Landed,
) -> None:
    """Enter a landed file and its documents."""
    sha256, size = landed.sha256, landed.size
    handouts = _handouts(settings, contracts, source, file.name, sha256)
    own = [contract for contract in contracts.values() if contract.delivery.source == source]
    shown = file_name(own, file.name, sha256[:12])
    with connection.transaction():
        connection.execute(
            "insert into quality.landed_file (sha256, bytes, first_name) values (%s, %s, %s) on conflict do nothing",
            [sha256, size, shown],
        )
        for handout in handouts:
            name = f"{shown}!{handout.member}" if handout.member else shown
            if handout.fault:
                _refuse(connection, contracts, handout, name, sha256, size)
            else:
                connection.execute(
                    """
                    insert into quality.arrival (feed, source_name, landed_sha256, archive_member)
                    select %(feed)s, %(name)s, %(sha)s, %(member)s
                    where not exists (
                        select from quality.arrival
                        where feed = %(feed)s and landed_sha256 = %(sha)s and taken_at is null
                            and archive_member is not distinct from %(member)s
                            and (source_name = %(name)s or not %(is_dated)s)
                    )
                    """,
                    {
                        "feed": handout.feed,
                        "name": name,
                        "sha": sha256,
                        "member": handout.member,
                        # the same bytes of another day say that nothing has changed since
                        "is_dated": contracts[handout.feed].delivery.extract_date is not None,
                    },
                )


def _take_away(file: Path, seen: os.stat_result) -> None:
    """Take a file that was entered out of the inbox."""
    if _is_still(file, seen):  # else another of its name has come meanwhile and waits for its turn
        file.unlink()


def _is_still(file: Path, seen: os.stat_result) -> bool:
    try:
        now = file.stat()
    except FileNotFoundError:
        return False
    return (now.st_ino, now.st_size, now.st_mtime_ns) == (seen.st_ino, seen.st_size, seen.st_mtime_ns)


def _handouts(
    settings: Settings, contracts: Mapping[str, Contract], source: str, name: str, sha256: str
) -> list[Handout]:
    own = [c for c in contracts.values() if c.delivery.source == source]
    archived = [c for c in own if any(re.search(p, name, re.IGNORECASE) for p in c.delivery.archives)]
    if archived:
        return _archive_handouts(settings, archived, sha256)
    for contract in own:
        if takes(contract, name):
            return [Handout(contract.feed)]
    known = ", ".join(example for c in own for example in c.delivery.examples)
    return [Handout(source, fault=f"no feed takes a file of this name; names that are known look like {known}")]


def _archive_handouts(settings: Settings, contracts: list[Contract], sha256: str) -> list[Handout]:
    try:
        with open_landed(settings, sha256, seekable=True) as stream, zipfile.ZipFile(stream) as archive:
            members = [(place, info.filename) for place, info in enumerate(archive.infolist(), 1) if not info.is_dir()]
            if fault := archive_fault(archive, stream.seek(0, os.SEEK_END)):
                return [Handout(c.feed, fault=fault) for c in contracts]
    except TooLargeError as error:
        return [Handout(c.feed, fault=str(error)) for c in contracts]
    except BROKEN_ARCHIVE:
        fault = "the archive is damaged or cut short and can't be opened; ask the agency to send it again"
        return [Handout(c.feed, fault=fault) for c in contracts]
    handouts = []
    for place, path in members:
        takers = [c for c in contracts if takes(c, PurePosixPath(path).name)]
        shown = file_name(contracts, path, f"member_{place}")  # a folder may be called after a client, too
        if takers:
            handouts.append(Handout(takers[0].feed, member=member_reference(path, shown, place)))
        else:
            unknown = "no feed takes a file of this name out of the archive"
            handouts.append(Handout(contracts[0].delivery.source, member=shown, fault=unknown))
    if not handouts:
        return [Handout(c.feed, fault="the archive is empty") for c in contracts]
    return handouts


def _refuse(
    connection: Connection,
    contracts: Mapping[str, Contract],
    handout: Handout,
    name: str,
    sha256: str,
    size: int,
) -> None:
    contract = contracts.get(handout.feed)
    connection.execute(
        """
        insert into quality.delivery
            (feed, source_name, sha256, landed_sha256, archive_member, bytes, received_at, state, reason,
             is_simulated, contract_version)
        values (%s, %s, %s, %s, %s, %s, now(), 'refused', %s, %s, %s)
        """,
        [
            handout.feed,
            name,
            sha256,
            sha256,
            handout.member,
            size,
            handout.fault,
            is_simulated(name),
            contract.version if contract else "none",
        ],
    )
    raise_refusal(connection, handout.feed, name, handout.fault or "")


def raise_refusal(connection: Connection, feed: str, name: str, reason: str) -> None:
    """Alert that a delivery was refused; one alert a feed and document name."""
    raise_alert(
        connection,
        dedup_key=f"refused:{feed}:{name}",
        group_key=f"refused:{feed}",
        severity="act",
        audience="engineers",
        title=f"{feed}: {name} was refused",
        body=f"Nothing of it reached the warehouse; the file is kept in landing. Why: {reason}.",
    )
