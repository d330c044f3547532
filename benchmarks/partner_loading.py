"""What a night of a partner feed costs beside a short and a long history, and its memory by the size of the delivery.

Run with the project's own Python: ``.venv/bin/python benchmarks/partner_loading.py``; see README.md for what is
measured.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from bench import Bench, BenchmarkError, a_bench, expect, tell
from measuring import ChildError, Measured, machine
from saferkc.warehouse import embedded
from tables import on_what, spread, warning_of_noise

OFFENCES, ACTIONS, REFERRALS = "police_offences", "council_enforcement_actions", "angelou_referrals"
SOURCES = {OFFENCES: "police", ACTIONS: "council", REFERRALS: "angelou"}
# a history from April 2006 to this night is one of ten financial years
LAST_NIGHT = date(2016, 3, 31)
# what a borough's history weighs, in MB, so that enough boroughs are simulated for a delivery of a given size
_MB_A_BOROUGH = {OFFENCES: 60, ACTIONS: 24}
_SHARE_CHANGED, _SMALL_NIGHT = 100, 10  # one record in so many; the last night has one in so many of the others


@dataclass
class History:
    """A database with ten years of offences, and the nights that were loaded after them."""

    scale: float
    bench: Bench
    rows: int = 0
    bytes: int = 0
    table_bytes: int = 0
    loaded: Measured | None = None
    nights: list[Night] = field(default_factory=list)


@dataclass
class Night:
    """A night's load and the checks of it."""

    rows: int
    loaded: Measured
    checked: Measured

    @property
    def seconds(self) -> float:
        """From the inbox to checked rows."""
        return self.loaded.seconds + self.checked.seconds


@dataclass
class Memory:
    """One delivery, alone in a new warehouse."""

    feed: str
    rows: int
    bytes: int
    loaded: Measured


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the tables and return the exit status."""
    options = _options(arguments)
    histories: list[History] = []
    memory: list[Memory] = []
    try:
        with a_bench(options.home, options.patience) as bench:
            versions = bench.versions("polars", "psycopg", "great-expectations", "openpyxl")
            if "memory" in options.only:
                memory = _memory(bench, options.sizes, options.boroughs, options.keep)
            if "nights" in options.only:
                histories = _nights(bench, sorted(options.scales), options.nights, options.keep)
    except (BenchmarkError, ChildError, embedded.EmbeddedPostgresError) as error:
        print(f"partner_loading: {error}", file=sys.stderr)
        return 1
    print("\n\n".join([on_what(versions), *_night_tables(histories), *_memory_table(memory)]))
    if options.json:
        document = {
            "machine": machine(),
            "versions": versions,
            "histories": [asdict(replace(history, bench=None)) for history in histories],
            "memory": [asdict(entry) for entry in memory],
        }
        options.json.write_text(json.dumps(document, indent=1))
    return 0


# --- a night beside histories of several lengths ----------------------------------------------------------------


def _nights(bench: Bench, scales: Sequence[float], rounds: int, kept: Path | None) -> list[History]:
    """Load a history of each size, then the same number of changed records into each, night by night."""
    # the rows of the nights are one in a hundred of the longest history's, which is therefore simulated first
    histories: list[History] = []
    with ExitStack() as opened:
        changed = 0
        for scale in reversed(scales):
            own = replace(bench, database=f"history_{len(histories)}")
            opened.enter_context(own.own_database())
            history, folder = History(scale, own), bench.work / own.database
            tell(f"history of {scale:g} boroughs: simulating")
            made = _simulated(own, OFFENCES, scale, folder, kept)
            history.rows, history.bytes = int(made["lines"]) - 1, int(made["bytes"])
            changed = changed or history.rows // _SHARE_CHANGED
            if history.rows < changed:
                raise BenchmarkError(f"a history of {history.rows:,} records has no {changed:,} to change")
            sizes = [*[changed] * rounds, changed // _SMALL_NIGHT]
            own.step("change", str(made["file"]), str(folder / "nights"), LAST_NIGHT.isoformat(), *map(str, sizes))
            own.step("prepare")
            tell(f"history of {scale:g} boroughs: loading {history.rows:,} records, {history.bytes / 1e6:,.0f} MB")
            history.loaded = _load(own, OFFENCES, Path(made["file"]), history.rows)
            tell(f"  {history.loaded.seconds:.0f} s, {history.loaded.peak_mib:,.0f} MiB")
            _check(own, history.loaded)
            own.do(f"vacuum analyze raw.{OFFENCES}")
            history.table_bytes = own.count(f"select pg_total_relation_size('raw.{OFFENCES}')")
            histories.append(history)
        histories.reverse()
        for number in range(rounds + 1):
            # each round begins with another history, so that none always runs on the same heels
            start = number % len(histories)
            for history in (*histories[start:], *histories[:start]):
                history.nights.append(_night(history, number))
                night = history.nights[-1]
                tell(f"night {number + 1}, {history.scale:g} boroughs: {night.rows:,} rows in {night.seconds:.1f} s")
    shutil.rmtree(bench.settings.landing, ignore_errors=True)
    return histories


def _night(history: History, number: int) -> Night:
    bench = history.bench
    file = sorted((bench.work / bench.database / "nights").iterdir())[0]
    with file.open("rb") as stream:
        rows = sum(1 for _ in stream) - 1
    bench.settle([str(file)])
    loaded = _load(bench, OFFENCES, file, rows, patience=bench.patience)
    current = bench.count(f"select count(*) from raw.{OFFENCES} where delivery_id = {number + 2}")  # noqa: S608
    expect("versions in raw", current, rows)
    checked = _check(bench, loaded, patience=bench.patience)
    # as PostgreSQL does by itself, in its own time: the next night then finds room among old rows
    bench.do(f"vacuum raw.{OFFENCES}")
    return Night(rows, loaded, checked)


# --- memory -----------------------------------------------------------------------------------------------------


def _memory(bench: Bench, sizes: Sequence[int], boroughs: Sequence[float], kept: Path | None) -> list[Memory]:
    """Load deliveries of growing size, each alone: where memory is bounded, its peak does not grow with them."""
    found = []
    for feed, size, file, rows in _deliveries(bench, sizes, boroughs, kept):
        tell(f"memory: {feed}, {size / 1e6:,.1f} MB")
        with bench.turn():
            bench.step("prepare")
            loaded = _load(bench, feed, file, rows)
        tell(f"  {loaded.seconds:.1f} s, {loaded.peak_mib:,.0f} MiB")
        found.append(Memory(feed, int(loaded.report["rows"]), size, loaded))
    return found


def _deliveries(
    bench: Bench, sizes: Sequence[int], boroughs: Sequence[float], kept: Path | None
) -> Iterator[tuple[str, int, Path, int | None]]:
    """Feed, bytes, file and (where they are known) records of each delivery."""
    folder = bench.work / "deliveries"
    for feed, megabytes in _MB_A_BOROUGH.items():
        scale = max(sizes) / megabytes * 1.05
        tell(f"memory: simulating {scale:.1f} boroughs of {feed}")
        made = _simulated(bench, feed, scale, folder / "all", kept)
        whole = Path(made["file"])
        for size in sizes:
            (folder / "part").mkdir()
            part = folder / "part" / whole.name
            lines = _beginning(whole, part, size * 1_000_000)
            yield feed, part.stat().st_size, part, lines - (feed == OFFENCES)
            shutil.rmtree(folder / "part")
        shutil.rmtree(folder)
    for scale in boroughs:
        tell(f"memory: simulating {scale:g} boroughs of {REFERRALS}")
        made = _simulated(bench, REFERRALS, scale, folder, kept)
        yield REFERRALS, int(made["bytes"]), Path(made["file"]), None
        shutil.rmtree(folder)


def _beginning(whole: Path, part: Path, size: int) -> int:
    """Write the first whole lines of a file, about ``size`` bytes of them, and return how many they are."""
    lines = 0
    with whole.open("rb") as source, part.open("wb") as target:
        while size > 0 and (block := source.readlines(min(size, 1 << 22))):
            target.writelines(block)
            lines += len(block)
            size -= sum(map(len, block))
    return lines


# --- what both do -----------------------------------------------------------------------------------------------


def _simulated(bench: Bench, feed: str, scale: float, folder: Path, kept: Path | None) -> dict[str, Any]:
    """Simulate a feed's history into ``folder``, or copy it from where an earlier run has kept it."""
    if kept is None:
        return bench.step("simulate_partner", str(folder), feed, str(scale), LAST_NIGHT.isoformat()).report
    own = kept / f"{feed}_{scale:g}"
    if not (own / "made.json").exists():
        shutil.rmtree(own, ignore_errors=True)
        made = bench.step("simulate_partner", str(own), feed, str(scale), LAST_NIGHT.isoformat()).report
        (own / "made.json").write_text(json.dumps(made))
    made = json.loads((own / "made.json").read_text())
    folder.mkdir(parents=True, exist_ok=True)
    return made | {"file": shutil.copy(made["file"], folder)}


def _load(bench: Bench, feed: str, file: Path, rows: int | None, *, patience: float = 0.0) -> Measured:
    """Move a file into the inbox, load it, and see that every record of it was admitted."""
    inbox = bench.settings.inbox / SOURCES[feed]
    inbox.mkdir(parents=True, exist_ok=True)
    shutil.move(file, inbox / file.name)
    loaded = bench.step("load", feed, patience=patience)
    told = "from quality.delivery order by delivery_id desc limit 1"
    if loaded.report["not_admitted"]:
        raise BenchmarkError(f"{file.name} was not admitted: {bench.value(f'select reason {told}')}")
    if rows is not None:
        expect("rows in the account", bench.count(f"select rows_in {told}"), rows)
    expect("rows not admitted", bench.count(f"select rows_in - rows_admitted {told}"), 0)
    return loaded


def _check(bench: Bench, loaded: Measured, *, patience: float = 0.0) -> Measured:
    checked = bench.step("check", OFFENCES, *map(str, loaded.report["deliveries"]), patience=patience)
    if checked.report["failed"] or not checked.report["checks"]:
        raise BenchmarkError(f"checks of the deliveries failed: {'; '.join(checked.report['reasons'])}")
    return checked


# --- tables -----------------------------------------------------------------------------------------------------


def _night_tables(histories: Sequence[History]) -> Iterator[str]:
    if not histories:
        return
    rows = "\n".join(
        f"| {h.scale:g} | {h.rows:,} | {h.bytes / 1e6:,.0f} | {h.table_bytes / 1e6:,.0f} | {h.loaded.seconds:,.0f}"
        f" | {h.rows / h.loaded.seconds:,.0f} | {h.loaded.peak_mib:,.0f} |"
        for h in histories
        if h.loaded
    )
    yield (
        "| ten years of offences, boroughs | records | MB | MB in raw, with indexes | seconds to load"
        f" | records a second | peak memory, MiB |\n|--:|--:|--:|--:|--:|--:|--:|\n{rows}"
    )
    few, many = histories[0].nights[-1].rows, histories[0].nights[0].rows
    yield (
        f"| history, boroughs | night of {many:,} changed records, seconds: median (least to most) | of which load"
        f" | checks | times the shortest history | night of {few:,}, seconds | peak memory, MiB |\n"
        "|--:|--:|--:|--:|--:|--:|--:|\n" + "\n".join(_night_line(history, histories[0]) for history in histories)
    )
    yield from warning_of_noise([run for h in histories for night in h.nights for run in (night.loaded, night.checked)])


def _night_line(history: History, shortest: History) -> str:
    *large, small = history.nights
    ratios = [night.seconds / other.seconds for night, other in zip(large, shortest.nights, strict=False)]
    return (
        f"| {history.scale:g} | {spread([night.seconds for night in large], 1)}"
        f" | {statistics.median(night.loaded.seconds for night in large):.1f}"
        f" | {statistics.median(night.checked.seconds for night in large):.1f} | {spread(ratios, 2)}"
        f" | {small.seconds:.1f} | {max(night.loaded.peak_mib for night in history.nights):,.0f} |"
    )


def _memory_table(memory: Sequence[Memory]) -> Iterator[str]:
    if memory:
        rows = "\n".join(
            f"| {entry.feed} | {entry.bytes / 1e6:,.1f} | {entry.rows:,} | {entry.loaded.seconds:,.1f}"
            f" | {entry.loaded.peak_mib:,.0f} |"
            for entry in memory
        )
        yield f"| one delivery of | MB | records | seconds | peak memory, MiB |\n|---|--:|--:|--:|--:|\n{rows}"


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Loading partner feeds: beside a long history, and of any size.")
    what = ["nights", "memory"]
    parser.add_argument("--scales", type=float, nargs="+", default=[1, 10, 50], help="boroughs of the histories")
    parser.add_argument("--nights", type=int, default=3, help="nights of changed records after each history (3)")
    parser.add_argument("--sizes", type=int, nargs="+", default=[10, 100, 1000], help="MB of the deliveries of text")
    parser.add_argument("--boroughs", type=float, nargs="*", default=[1], help="boroughs of the workbooks")
    parser.add_argument("--only", nargs="+", choices=what, default=what, metavar="WHAT", help=", ".join(what))
    parser.add_argument("--patience", type=float, default=30.0, help="seconds to wait for a quiet machine (30)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep what is simulated there, for another run")
    parser.add_argument("--home", type=Path, help="an empty folder to work in, removed at the end (default: a new one)")
    options = parser.parse_args(arguments)
    if min(options.scales) <= 0 or options.nights < 1 or min(options.sizes) < 1:
        parser.error("--scales, --nights and --sizes must be more than 0")
    return options


if __name__ == "__main__":
    sys.exit(main())
