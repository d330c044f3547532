"""How long each page takes until it has come and until a browser has loaded it, on ten years of figures and of nights.

Run with the project's own Python: ``.venv/bin/python benchmarks/pages.py``; see README.md for what is measured.
"""

from __future__ import annotations

import argparse
import json
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import ledger_rows
import psycopg
import raw_rows
from bench import HERE, Bench, BenchmarkError, a_bench, options_of_marts, tell
from measuring import QUIET_PERCENT, ChildError, machine, wait_for_quiet
from queries import percentile
from saferkc.pages import PREFIX
from saferkc.warehouse import embedded

sys.path.insert(0, str(HERE.parent / "tests"))
from browser import NoBrowserError, headless_browser

_PATIENCE_SECONDS = 60
_FIRST_TRIES = 3
# the time from the click until all has come that the page shows, by the browser's own clock
_LOADED = "() => { const one = performance.getEntriesByType('navigation')[0]; return one.loadEventEnd; }"


@dataclass
class Page:
    """One page: milliseconds until it has come, turn by turn, and until it was loaded; what it weighs and asks.

    ``first_ms`` is the first request of a new server process, which reads what later ones find kept.
    """

    title: str
    path: str
    first_ms: float = 0.0
    milliseconds: list[float] = field(default_factory=list)
    loaded: list[float] = field(default_factory=list)
    kilobytes: float = 0.0
    queries: int = 0


@dataclass
class Figures:
    """What a run measured."""

    years: int
    scale: int
    versions: dict[str, str] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    pages: list[Page] = field(default_factory=list)
    without_browser: str = ""
    busy_percent: float = 0.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table and return the exit status: 1 where something broke off."""
    options = _options(arguments)
    figures = Figures(options.years, options.scale)
    status = 0
    try:
        with a_bench(options.home, options.patience) as bench:
            figures.versions = bench.versions("fastapi", "uvicorn", "psycopg")
            with bench.turn():
                _make(bench, figures)
                _measure(bench, figures, options.repeats)
    except (BenchmarkError, ChildError, embedded.EmbeddedPostgresError, httpx.HTTPError) as error:
        print(f"pages: {error}", file=sys.stderr)
        status = 1
    print(_report(figures), flush=True)
    if options.json:
        document = vars(figures) | {"pages": [vars(page) for page in figures.pages], "machine": machine()}
        options.json.write_text(json.dumps(document, indent=1))
    return status


def _make(bench: Bench, figures: Figures) -> None:
    """A published warehouse of so many years and boroughs, with the accounts of as many years of nights."""
    tell("one borough: delivered and loaded")
    bench.step("borough")
    tell("looking for changes in counting")
    bench.step("watch")
    tell(f"{figures.scale} boroughs, {figures.years} years")
    raw_rows.multiply(bench.url, figures.years, figures.scale)
    tell("building and publishing")
    build = str(bench.step("models", "full").report["build"])
    bench.step("publish", build)
    tell(f"the accounts of {figures.years} years of nights")
    figures.rows = ledger_rows.write(bench.settings, bench.url, figures.years)


def _measure(bench: Bench, figures: Figures, repeats: int) -> None:
    figures.pages = list(_pages(bench.url))
    bench.settle([])
    figures.busy_percent = wait_for_quiet(bench.patience)
    tell("first requests, each of a new server")
    for page in figures.pages:
        tries = []
        for _ in range(_FIRST_TRIES):
            with _served(bench) as client:
                tries.append(_ask(client, page))
        page.first_ms = percentile(tries, 0.5)
    with _served(bench) as client:
        tell("over HTTP")
        for page in _shuffled(figures.pages, repeats):
            page.milliseconds.append(_ask(client, page))
        tell("in a browser")
        try:
            _load(figures, str(client.base_url), repeats)
        except NoBrowserError as error:
            figures.without_browser = str(error)


def _pages(url: str) -> Iterator[Page]:
    with psycopg.connect(url) as connection:
        change, alert, area = (
            connection.execute(query.encode()).fetchone()
            for query in (
                # one of which charts are shown
                "select change_id from quality.recording_change where state in ('suspected', 'registered')"
                " and parent_series = 'Burglary' order by change_id limit 1",
                "select alert_id from quality.alert where group_key = 'benchmark' order by alert_id desc limit 1",
                "select geography_code from burglary.burglary_monthly where geography_type = 'ward'"
                " and borough_code = 'E09000020' order by 1 limit 1",
            )
        )
    if change is None or alert is None or area is None:
        raise BenchmarkError("the detector found no change in burglary, or there is no ward")
    delivery = ledger_rows.bad_delivery(url)
    yield Page("Tonight", "/")
    yield Page("Alerts", "/alerts")
    yield Page("Alerts, closed ones too", "/alerts?closed=1")
    yield Page("An alert", f"/alerts/{alert[0]}")
    yield Page("Recording changes", "/changes")
    yield Page("Recording changes, every one", "/changes?every=1")
    yield Page("A recording change", f"/changes/{change[0]}")
    yield Page("Series", "/series?name=burglary/all")
    yield Page("Series of a ward", f"/series?name=burglary/all&area={area[0]}")
    yield Page("Chart of a series", "/series/chart.svg?name=burglary/all")
    yield Page("Deliveries", "/deliveries")
    yield Page("Deliveries of a feed that were refused", "/deliveries?feed=police_offences&state=refused")
    yield Page("Deliveries, an old page", "/deliveries?feed=police_offences&before=500")
    yield Page("A delivery with 50,000 quarantined lines", f"/deliveries/{delivery}")


def _shuffled(pages: Sequence[Page], repeats: int) -> Iterator[Page]:
    order = list(pages)
    chance = random.Random(2017)  # noqa: S311 - no secret
    for _ in range(repeats):
        chance.shuffle(order)
        yield from order


def _ask(client: httpx.Client, page: Page) -> float:
    begun = time.perf_counter()
    answer = client.get(page.path)
    taken = 1000 * (time.perf_counter() - begun)
    if answer.status_code != httpx.codes.OK:
        raise BenchmarkError(f"{page.path} answered {answer.status_code}")
    page.kilobytes = len(answer.content) / 1024
    page.queries = int(answer.headers["x-queries"])
    return taken


def _load(figures: Figures, url: str, repeats: int) -> None:
    with headless_browser() as browser:
        seen = browser.new_context(viewport={"width": 1280, "height": 1000}).new_page()
        for page in _shuffled(figures.pages, repeats):
            seen.goto(url.rstrip("/") + page.path, wait_until="load")
            seen.wait_for_function(f"({_LOADED})() > 0")
            page.loaded.append(float(seen.evaluate(_LOADED)))


@contextmanager
def _served(bench: Bench) -> Iterator[httpx.Client]:
    """A new process with the pages, and a client that asks it over one connection."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = bench.scratch / "server.log"
    with log.open("w") as output:
        server = subprocess.Popen(  # noqa: S603 - our own
            [sys.executable, str(HERE / "pages_server.py"), str(port)], env=bench.environment(), stdout=output,
            stderr=output,
        )  # fmt: skip
        try:
            address = f"http://127.0.0.1:{port}{PREFIX}"
            with httpx.Client(base_url=address, timeout=_PATIENCE_SECONDS) as client:
                _wait_for(server, client, log)
                yield client
        finally:
            server.terminate()
            server.wait()


def _wait_for(server: subprocess.Popen[bytes], client: httpx.Client, log: Path) -> None:
    give_up = time.monotonic() + _PATIENCE_SECONDS
    while server.poll() is None and time.monotonic() < give_up:
        try:
            client.get("/static/saferkc.css").raise_for_status()
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            # what draws charts is imported beside
            time.sleep(3)
            return
    raise BenchmarkError(f"the pages are not served: {log.read_text()[-2000:]}")


def _report(figures: Figures) -> str:
    parts = ["; ".join(f"{what} {value}" for what, value in (machine() | figures.versions).items()) + "."]
    rows = ", ".join(f"{count:,} in {table}" for table, count in figures.rows.items())
    parts.append(f"{figures.years} years, {figures.scale} boroughs; rows of the account: {rows}.")
    lines = [
        "| page | KiB | queries | first of a process, ms | over HTTP: p50 | p95 | loaded in a browser: p50 | p95 | most"
        " |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for page in figures.pages:
        cells: list[Any] = [page.title, f"{page.kilobytes:,.0f}", page.queries, f"{page.first_ms:,.0f}"]
        cells += [f"{percentile(page.milliseconds, share):,.0f}" if page.milliseconds else "" for share in (0.5, 0.95)]
        cells += [f"{percentile(page.loaded, share):,.0f}" if page.loaded else "" for share in (0.5, 0.95, 1.0)]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    parts.append("\n".join(lines))
    if figures.busy_percent >= QUIET_PERCENT:
        parts.append("**Not to be quoted:** the machine was busy otherwise when the measurement began.")
    if figures.without_browser:
        parts.append(f"No browser: {figures.without_browser}")
    return "\n\n".join(parts)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Loading the pages, of as many years of nights as of figures.")
    return options_of_marts(parser, arguments, scale=8)


if __name__ == "__main__":
    sys.exit(main())
