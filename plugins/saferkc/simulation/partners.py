"""Writing what the partner agencies deliver: night by night, each feed in its own format.

The first night of a range brings the history (since April 2006, or since the service began) as an initial extract;
the nights after it bring what changed. Angelou sends the whole workbook every night, Rahab once a month, on the last
day. What a night brings does not depend on the range that was asked for.

Blocks of the world (a block is one borough's worth) and years are made one after the other, so memory stays the same
at every scale.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path

import polars as pl

from saferkc.settings import Settings
from saferkc.simulation import partner_faults as faults
from saferkc.simulation.agencies import angelou, council, police, rahab, tmo
from saferkc.simulation.agencies.versions import SEEN, Feed
from saferkc.simulation.truth import write_truth
from saferkc.simulation.world.clock import financial_year

PARTNER_FEEDS: tuple[str, ...] = (
    *(feed.name for feed in police.FEEDS),
    "angelou_referrals",
    "rahab_clients",
    "tmo_asb_cases",
    "council_enforcement_actions",
)
HISTORY_FROM = date(2006, 4, 1)
# nights that a range ends with, one by one, unless told otherwise; what came before them is in the history. Two
# years of nights would be six thousand files.
NIGHTS = 7
_MANIFEST = "simulated_partners.json"
_NIGHTLY = (*police.FEEDS, tmo.FEED, council.FEED)
_YEARS_BACK = max(feed.years_back for feed in _NIGHTLY)
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Asked:
    """What was asked for: the nights, and what makes the world."""

    nights: tuple[date, ...]
    seed: int
    scale: float
    history: bool
    feeds: tuple[str, ...]

    @property
    def blocks(self) -> list[tuple[int, float]]:
        """The blocks of the world, each with its size (0-1)."""
        whole = max(1, math.ceil(self.scale))
        return [(block, min(1.0, self.scale - block)) for block in range(whole)]


def nights_of(date_from: date, date_to: date, nights: int = NIGHTS) -> tuple[date, ...]:
    """The nights that are written for a range: its last ``nights``, or all where it has fewer."""
    count = min((date_to - date_from).days + 1, nights)
    return tuple(date_to - timedelta(days=back) for back in range(count - 1, -1, -1))


def deliver_partners(
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
    nights: int = NIGHTS,
    history: bool = True,
    truth: bool = True,
    progress: Progress | None = None,
) -> list[Path]:
    """Write the partner agencies' deliveries of the nights that end at ``date_to`` and return the files.

    Files go into the home's inbox, or into ``out/<source>/``; what is true of them goes into ``<home>/truth`` or
    ``out/truth``, outside of every inbox. ``nights`` is how many nights of the range, its last ones, are written
    one by one; the first has the history, unless ``history`` is false. ``scale`` 1 is the borough itself, 50
    about the size of London; ``scenarios`` are faults of the last night (see ``partner_faults.PARTNER_SCENARIOS``).
    ``only_new`` leaves out what this home was given before. Raises ``ValueError`` as ``simulate`` does, and for a
    range that begins before April 2006.
    """
    wanted = tuple(feed for feed in PARTNER_FEEDS if feeds is None or feed in feeds)
    unknown = set(feeds or ()) - set(PARTNER_FEEDS)
    if unknown:
        raise ValueError(f"no simulation of {', '.join(sorted(unknown))}; there is one of {', '.join(PARTNER_FEEDS)}")
    if date_to < date_from:
        raise ValueError(f"the range ends ({date_to}) before it begins ({date_from})")
    if date_from < HISTORY_FROM:
        raise ValueError(f"the simulated world begins on {HISTORY_FROM}")
    if scale <= 0:
        raise ValueError("scale must be more than 0")
    faults.check(scenarios)
    asked = Asked(nights_of(date_from, date_to, nights), seed, scale, history, wanted)
    root = out or settings.inbox
    files = _files(asked)
    given = _given(settings) if only_new else set()
    todo = {name: key for name, key in files.items() if key not in given}
    written = _write(asked, root, set(todo))
    beside = (out or settings.home) / "truth"
    written = faults.spoil(written, _last_names(files), scenarios, asked.nights[-1], beside)
    if truth and todo:
        write_truth(beside, seed, scale, asked.nights[-1], asked.blocks, wanted)
    for number, path in enumerate(written, 1):
        if progress:
            progress(number, len(written), path.name)
    if out is None and todo:
        manifest = settings.home / _MANIFEST
        manifest.parent.mkdir(parents=True, exist_ok=True)
        manifest.write_text(json.dumps(sorted(_given(settings) | set(todo.values())), indent=0))
    return written


def _given(settings: Settings) -> set[str]:
    manifest = settings.home / _MANIFEST
    return set(json.loads(manifest.read_text())) if manifest.exists() else set()


def _files(asked: Asked) -> dict[str, str]:
    """Every file that is to be written, as ``source/name``, and what the manifest remembers it by."""
    files = {}
    for number, day in enumerate(asked.nights):
        kind = "history" if number == 0 and asked.history else "night"
        for feed in _NIGHTLY:
            if feed.name in asked.feeds:
                files[f"{feed.source}/{file_name(feed.name, day)}"] = kind
        if angelou.FEED.name in asked.feeds and financial_year(day) >= angelou.FEED.since:
            files[f"angelou/{file_name('angelou_referrals', day)}"] = "whole"
        if rahab.FEED.name in asked.feeds:
            month = _month_of(day, is_first=number == 0 and asked.history)
            if month and financial_year(month) >= rahab.FEED.since:
                files[f"rahab/{file_name('rahab_clients', month)}"] = "whole"
    return {
        name: f"{name} {hashlib.sha256(json.dumps([asked.seed, asked.scale, kind]).encode()).hexdigest()[:16]}"
        for name, kind in files.items()
    }


def _last_names(files: Mapping[str, str]) -> dict[str, str]:
    """Name of each feed's last file."""
    last = {}
    for name in sorted(files):
        path = Path(name)
        kind = {"angelou": "angelou_referrals", "rahab": "rahab_clients"}.get(path.parent.name)
        feed = kind or next(f for f in PARTNER_FEEDS if path.name.startswith(f"{file_stem(f)}_"))
        last[feed] = path.name
    return last


def _month_of(day: date, *, is_first: bool) -> date | None:
    """The month whose workbook Rahab sends on ``day`` (its last), and with the history the one that is over."""
    first = day.replace(day=1)
    if (day + timedelta(days=1)).day == 1:
        return first
    return (first - timedelta(days=1)).replace(day=1) if is_first else None


def file_name(feed: str, day: date) -> str:
    """Name of a feed's file of a night (or month)."""
    if feed == "angelou_referrals":
        return f"simulated_Angelou referrals {day:%Y-%m-%d}.xlsx"
    if feed == "rahab_clients":
        return f"simulated_Rahab clients {day:%Y-%m}.xlsx"
    ending = {"tmo_asb_cases": "txt", "council_enforcement_actions": "jsonl"}.get(feed, "csv")
    return f"{file_stem(feed)}_{day:%Y%m%d}.{ending}"


def file_stem(feed: str) -> str:
    """What the name of a nightly feed's file begins with."""
    return f"simulated_{feed.removeprefix('police_').removeprefix('council_')}"


def _write(asked: Asked, root: Path, todo: set[str]) -> list[Path]:
    written = _write_nightly(asked, root, todo)
    for number, day in enumerate(asked.nights):
        name = f"angelou/{file_name('angelou_referrals', day)}"
        if name in todo:
            written.append(_put(root / name, angelou.write(_all_standing(asked, angelou.FEED, day), day)))
        month = _month_of(day, is_first=number == 0 and asked.history)
        name = f"rahab/{file_name('rahab_clients', month)}" if month else ""
        if month and name in todo:
            last = (month + timedelta(days=32)).replace(day=1) - timedelta(days=1)
            written.append(_put(root / name, rahab.write(_all_standing(asked, rahab.FEED, last), month)))
    return written


def _put(path: Path, content: bytes) -> Path:
    """Write a file under another name until it is whole: the inbox leaves unfinished files alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.part")
    draft.write_bytes(content)
    return draft.replace(path)


def _write_nightly(asked: Asked, root: Path, todo: set[str]) -> list[Path]:
    """Write the files of all nights and feeds side by side, a block and a year of the world at a time."""
    drafts: dict[str, Path] = {}
    first = min(feed.since for feed in _NIGHTLY) if asked.history else financial_year(asked.nights[0]) - _YEARS_BACK
    for block, size in asked.blocks:
        for year in range(max(HISTORY_FROM.year, first), financial_year(asked.nights[-1]) + 1):
            for feed in _NIGHTLY:
                names = [f"{feed.source}/{file_name(feed.name, day)}" for day in asked.nights]
                if not todo.intersection(names):
                    continue
                states = feed.states(asked.seed, year, block, size)
                for number, (day, name) in enumerate(zip(asked.nights, names, strict=True)):
                    is_history = number == 0 and asked.history
                    too_old = not is_history and year < financial_year(day) - feed.years_back
                    if name not in todo or year > financial_year(day) or too_old:
                        continue
                    is_new = name not in drafts
                    draft = drafts.setdefault(name, (root / name).with_name(f"{Path(name).name}.part"))
                    draft.parent.mkdir(parents=True, exist_ok=True)
                    rows = _rows(feed, states, day, is_history=is_history)
                    with draft.open("wb" if is_new else "ab") as stream:
                        stream.write(_as_bytes(feed, rows, with_headings=is_new))
    written = []
    for name, draft in sorted(drafts.items()):
        if draft.stat().st_size:
            written.append(draft.replace(root / name))
        else:  # the council's API had nothing new, and then there is no file
            draft.unlink()
    return written


def _rows(feed: Feed, states: pl.DataFrame, day: date, *, is_history: bool) -> pl.DataFrame:
    if is_history:
        return feed.standing(states, day)
    if feed.name == tmo.FEED.name:
        return tmo.of_night(feed.standing(states, day), day)
    return feed.changed(states, day)


def _as_bytes(feed: Feed, rows: pl.DataFrame, *, with_headings: bool) -> bytes:
    if feed.name == council.FEED.name:
        return council.lines(rows)
    buffer = BytesIO()
    rows.drop(SEEN).write_csv(buffer, include_header=with_headings, separator="|" if feed.source == "tmo" else ",")
    return buffer.getvalue()


def _all_standing(asked: Asked, feed: Feed, day: date) -> pl.DataFrame:
    """Every record of a feed that sends all of them, of all years and blocks, as it stood on ``day``."""
    return pl.concat(
        [
            feed.standing(feed.states(asked.seed, year, block, size), day)
            for block, size in asked.blocks
            for year in range(feed.since, financial_year(day) + 1)
        ]
    )
