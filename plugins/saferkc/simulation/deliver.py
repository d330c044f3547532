"""Writing simulated deliveries: what each publisher has on its page at the end of a stretch of months."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from pathlib import Path

import polars as pl

from saferkc.settings import Settings
from saferkc.simulation import mps, police, reference
from saferkc.simulation import scenarios as faults
from saferkc.simulation.chance import months_between, months_later

# at scale 1 a month has this many records: enough to see everything, little enough for a first run
STREET_ROWS_PER_MONTH = 1200
STOP_ROWS_PER_MONTH = 400
_POLICE_FEEDS = ("police_open_street", "police_open_outcomes", "police_open_stop_search")
FEEDS: tuple[str, ...] = (
    *_POLICE_FEEDS,
    "mps_recorded_crime",
    "mps_other_crime",
    "reference_lsoa_ward",
    "reference_lsoa_2001_2011",
    "reference_lsoa_population",
    "reference_deprivation",
)
_MANIFEST = "simulated.json"

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class _Order:
    """A file to be written: where, of what (all that its bytes depend on), and how."""

    source: str
    name: str
    content: str
    write: Callable[[Path], None]

    @property
    def key(self) -> str:
        """What the manifest remembers the file by."""
        digest = hashlib.sha256(self.content.encode()).hexdigest()[:16]
        return f"{self.source}/{self.name} {digest}"


def simulate(
    settings: Settings,
    *,
    date_from: date,
    date_to: date,
    seed: int = 2017,
    scale: float = 1.0,
    scenarios: Sequence[str] = (),
    out: Path | None = None,
    only_new: bool = False,
    feeds: Sequence[str] | None = None,
    street_rows_per_month: int | None = None,
    as_archives: bool = True,
    progress: Progress | None = None,
) -> list[Path]:
    """Write what the publishers would have delivered for ``date_from`` to ``date_to`` and return the files.

    Files go into the home's inbox, or into ``out/<source>/``. The same arguments give the same bytes, and a
    month of the police archive is the same whichever range it is made in. ``scale`` multiplies the rows of the
    police archive (1 is 1,200 street records a month, 70 about the size of London); the figures of the MPS have
    London's size at every scale. ``street_rows_per_month`` sets that number outright. ``scenarios`` are faults
    (see ``SCENARIOS``). ``only_new`` leaves out what this home was given before. ``feeds`` restricts what is
    made (see ``FEEDS``). ``as_archives=False`` writes the police files plain, without a zip. ``progress`` is
    called with files done, files in all and the name of the file just written.

    Raises ``ValueError`` for a range that ends before it begins, or an unknown feed or scenario.
    """
    months = months_between(date_from, date_to)
    wanted = tuple(feed for feed in FEEDS if feeds is None or feed in feeds)
    unknown = set(feeds or ()) - set(FEEDS)
    if not months:
        raise ValueError(f"the range ends ({date_to:%Y-%m}) before it begins ({date_from:%Y-%m})")
    if unknown:
        raise ValueError(f"no simulation of {', '.join(sorted(unknown))}; there is one of {', '.join(FEEDS)}")
    if scale <= 0:
        raise ValueError("scale must be more than 0")
    faults.check(scenarios)
    rows = street_rows_per_month or max(100, round(STREET_ROWS_PER_MONTH * scale))
    stop_rows = max(20, round(STOP_ROWS_PER_MONTH * scale))
    orders = [
        *_police_orders(months, seed, rows, stop_rows, scenarios, wanted, as_archives),
        *_mps_orders(months, seed, wanted),
        *_reference_orders(months, seed, wanted),
    ]
    manifest = settings.home / _MANIFEST
    given: set[str] = set(json.loads(manifest.read_text())) if manifest.exists() else set()
    if only_new:
        orders = [order for order in orders if order.key not in given]
    written = []
    for number, order in enumerate(orders, start=1):
        folder = (out or settings.inbox) / order.source
        folder.mkdir(parents=True, exist_ok=True)
        # under another name until it is whole: the inbox leaves unfinished files alone
        draft = folder / f"{order.name}.part"
        order.write(draft)
        written.append(draft.replace(folder / order.name))
        if progress:
            progress(number, len(orders), order.name)
    if out is None and orders:
        manifest.parent.mkdir(parents=True, exist_ok=True)
        manifest.write_text(json.dumps(sorted(given | {order.key for order in orders}), indent=0))
    return written


def _police_orders(
    months: Sequence[date],
    seed: int,
    rows: int,
    stop_rows: int,
    spoilt_by: Sequence[str],
    wanted: Sequence[str],
    as_archives: bool,
) -> Iterator[_Order]:
    own = [feed for feed in _POLICE_FEEDS if feed in wanted]
    if not own:
        return
    for month in months:
        spoilt = tuple(spoilt_by) if month == months[-1] else ()
        members = _members(month, seed, rows, stop_rows, spoilt, own)
        content = json.dumps([seed, rows, stop_rows, own, spoilt])
        if as_archives:
            stamp = months_later(month, 1)
            yield _Order(
                "police_open",
                f"simulated_{month:%Y-%m}.zip",
                content,
                lambda path, members=members, stamp=stamp: _write_archive(path, members, stamp),  # type: ignore[misc]
            )
            continue
        for member in members:
            yield _Order(
                "police_open",
                member.name,
                content,
                lambda path, member=member: _write_plain(path, member),  # type: ignore[misc]
            )


@dataclass(frozen=True)
class _Member:
    """A CSV of a month of the police archive."""

    folder: str
    name: str
    chunks: Callable[[], Iterable[bytes]]


def _members(
    month: date, seed: int, rows: int, stop_rows: int, spoilt_by: Sequence[str], feeds: Sequence[str]
) -> list[_Member]:
    def named(of: date, kind: str, chunks: Callable[[], Iterable[bytes]]) -> _Member:
        return _Member(f"{of:%Y-%m}", f"simulated_{of:%Y-%m}-metropolitan-{kind}.csv", chunks)

    members = []
    if "police_open_street" in feeds:
        held = months_later(month, -1) if faults.WRONG_LABEL in spoilt_by else month

        def street() -> Iterable[bytes]:
            chunks = _csv(police.street(seed, held, rows))
            if not spoilt_by:
                return chunks
            # of a later edition: the very bytes of the month before would be known as such
            content = faults.restated(b"".join(chunks)) if held != month else b"".join(chunks)
            return [faults.spoil(content, spoilt_by)]

        members.append(named(month, "street", street))
        if faults.RESTATED_MONTH in spoilt_by:
            earlier = months_later(month, -3)
            members.append(
                named(
                    earlier,
                    "street",
                    lambda: [faults.restated(b"".join(_csv(police.street(seed, earlier, rows))))],
                )
            )
    if "police_open_outcomes" in feeds:
        members.append(named(month, "outcomes", lambda: _csv(police.outcomes(seed, month, rows))))
    if "police_open_stop_search" in feeds:
        members.append(named(month, "stop-and-search", lambda: _csv(police.stop_search(seed, month, stop_rows))))
    return members


def _csv(frames: Iterable[pl.DataFrame]) -> Iterator[bytes]:
    for number, frame in enumerate(frames):
        buffer = BytesIO()
        frame.write_csv(buffer, include_header=number == 0)
        yield buffer.getvalue()


def _write_archive(path: Path, members: Sequence[_Member], stamp: date) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for member in members:
            # a fixed time stamp, so that the same content is the same bytes
            info = zipfile.ZipInfo(f"{member.folder}/{member.name}", (stamp.year, stamp.month, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(info, "w", force_zip64=True) as stream:
                stream.writelines(member.chunks())


def _write_plain(path: Path, member: _Member) -> None:
    with path.open("wb") as stream:
        stream.writelines(member.chunks())


def _mps_orders(months: Sequence[date], seed: int, wanted: Sequence[str]) -> Iterator[_Order]:
    files: list[mps.WideFile] = []
    if "mps_recorded_crime" in wanted:
        files += mps.recorded_crime_files(months[0], months[-1])
    if "mps_other_crime" in wanted:
        files.append(mps.other_crime_file(months[0], months[-1]))
    for file in files:
        content = json.dumps([seed, file.months[-1] == months[-1]])
        yield _Order(
            "mps",
            file.name,
            content,
            lambda path, file=file: mps.write(seed, file, months[-1], path),  # type: ignore[misc]
        )


def _reference_orders(months: Sequence[date], seed: int, wanted: Sequence[str]) -> Iterator[_Order]:
    for file in reference.reference_files(seed, months[0], months[-1]):
        if file.feed in wanted:
            yield _Order("reference", file.name, json.dumps([seed]), file.write)
