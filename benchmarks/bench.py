"""What every benchmark stands on: a server of its own, folders, and the warehouse's steps as measured processes."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from measuring import Measured, measure
from saferkc.settings import Settings
from saferkc.warehouse import embedded

HERE = Path(__file__).resolve().parent


class BenchmarkError(Exception):
    """The benchmark can't be run, or something else was done than was to be measured."""


def options_of_marts(
    parser: argparse.ArgumentParser, arguments: Sequence[str] | None, *, scale: int
) -> argparse.Namespace:
    """Read the options of a benchmark that needs marts of so many boroughs (by default ``scale``) and years."""
    parser.add_argument("--scale", type=int, default=scale, help=f"boroughs; 50 is about London (default {scale})")
    parser.add_argument("--years", type=int, default=10, help="financial years up to 2016/17 (default 10)")
    parser.add_argument("--repeats", type=int, default=20, help="times that each query or page is asked for (20)")
    parser.add_argument("--patience", type=float, default=30.0, help="seconds to wait for a quiet machine (30)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there")
    parser.add_argument("--home", type=Path, help="an empty folder to work in, removed at the end (default: a new one)")
    options = parser.parse_args(arguments)
    if not 1 <= options.scale <= 99 or not 1 <= options.years <= 11 or options.repeats < 2:
        parser.error("--scale must be 1 to 99, --years 1 to 11, --repeats at least 2")
    return options


@dataclass(frozen=True)
class Bench:
    """The server, the folders and the variables that every measurement needs."""

    settings: Settings
    work: Path
    patience: float
    database: str = "benchmark"

    @property
    def url(self) -> str:
        """The database of the contender whose turn it is."""
        return self.settings.airflow_db_url.rsplit("/", 1)[0] + "/" + self.database

    @property
    def scratch(self) -> Path:
        """A folder for what a contender writes besides."""
        return self.work / "scratch"

    def environment(self) -> dict[str, str]:
        """Variables for a measured process; the password goes this way and never into a command line."""
        # a shell that forbids bytecode would make every cold start compile its imports anew
        kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV")}
        return kept | {
            "SAFERKC_HOME": str(self.settings.home),
            "SAFERKC_WAREHOUSE_URL": self.url,
            "DATABASE_URL": self.url,
            # sling takes a connection from a variable of its name
            "BENCHMARK": self.url + "?sslmode=disable",
            "PGPASSWORD": str(self.settings.runtime()["postgres_password"]),
            "BENCHMARK_SCRATCH": str(self.scratch),
            "HOME": str(self.scratch),
            "SLING_HOME_DIR": str(self.scratch),
            "SLING_DISABLE_TELEMETRY": "TRUE",
            "RUNTIME__DLTHUB_TELEMETRY": "false",
            "GX_ANALYTICS_ENABLED": "False",
        }

    def step(self, name: str, *arguments: str, patience: float = 0.0) -> Measured:
        """Run one of the warehouse's own steps as a process."""
        command = [sys.executable, str(HERE / "steps.py"), name, *arguments]
        return measure(command, self.environment(), patience=patience)

    def run(self, command: Sequence[str]) -> Measured:
        """Measure a contender."""
        return measure(command, self.environment(), patience=self.patience, cwd=self.scratch)

    def count(self, query: str) -> int:
        """Return the one number that a query gives."""
        return int(self.value(query) or 0)

    def value(self, query: str) -> Any:
        """Return the one value that a query gives, or None."""
        with psycopg.connect(self.url) as connection:
            row = connection.execute(query.encode()).fetchone()
        return row[0] if row else None

    def do(self, statement: str) -> None:
        """Run one statement, outside of a transaction."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement.encode())

    @contextmanager
    def turn(self) -> Iterator[None]:
        """One contender's turn: an empty database and scratch folder, and nothing left to be written to disk."""
        self.scratch.mkdir()
        try:
            with self.own_database():
                yield
        finally:
            for leftover in (self.scratch, self.settings.landing, self.settings.inbox, self.settings.data_docs):
                shutil.rmtree(leftover, ignore_errors=True)

    @contextmanager
    def own_database(self) -> Iterator[None]:
        """An empty database, for as long as it is needed."""
        self._administer(f"create database {self.database}")
        try:
            yield
        finally:
            self._administer(f"drop database {self.database} with (force)")

    def settle(self, files: Sequence[str]) -> None:
        """Write back what earlier work left, and read the files once, so that no contender finds them colder."""
        self._administer("checkpoint")
        os.sync()
        for file in files:
            with Path(file).open("rb") as stream:
                while stream.read(1 << 20):
                    pass

    def versions(self, *packages: str) -> dict[str, str]:
        """Return the versions of Python, of the server and of packages."""
        with psycopg.connect(self.settings.airflow_db_url) as connection:
            row = connection.execute("select current_setting('server_version')").fetchone()
        versions = {"Python": platform.python_version(), "PostgreSQL": str(row[0]) if row else "unknown"}
        return versions | {name: importlib.metadata.version(name) for name in packages}

    def _administer(self, statement: str) -> None:
        with psycopg.connect(self.settings.airflow_db_url, autocommit=True) as connection:
            connection.execute(statement.encode())


@contextmanager
def a_bench(home: Path | None, patience: float) -> Iterator[Bench]:
    """A server of its own in a folder that is removed at the end (``home``, or a new one)."""
    # ended from outside, it must still stop its server and take its files away
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    work = _work_folder(home)
    root = Settings.load().project_root
    settings = Settings(home=work / "home", project_root=root, external_warehouse_url=None, landing_url=None)
    try:
        tell("starting PostgreSQL")
        embedded.start(settings)
        try:
            yield Bench(settings, work, patience)
        finally:
            embedded.stop(settings)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _work_folder(home: Path | None) -> Path:
    if home is None:
        return Path(tempfile.mkdtemp(prefix="saferkc-benchmark-"))
    home = home.resolve()
    if home.exists() and any(home.iterdir()):
        raise SystemExit(f"{home} is not empty, and the benchmark removes its home at the end")
    home.mkdir(parents=True, exist_ok=True)
    return home


def expect(what: str, found: Any, expected: int) -> None:
    """Raise ``BenchmarkError`` where something else was done than was to be measured."""
    if found != expected:
        raise BenchmarkError(f"{what} are {found:,}, {expected:,} were expected")


def tell(message: str) -> None:
    """Say on stderr what is being done; the tables alone go to stdout."""
    print(message, file=sys.stderr, flush=True)
