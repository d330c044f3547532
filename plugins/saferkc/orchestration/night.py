"""A night: the ingest DAGs to their end, then the build, and what became of it."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import IntEnum
from pathlib import Path
from typing import Any

from saferkc.contracts import load_contracts
from saferkc.landing import feeds_with_work
from saferkc.monitoring import look
from saferkc.orchestration import airflow
from saferkc.orchestration.client import AirflowClient, AirflowUnreachableError, DagRun
from saferkc.orchestration.connections import connected_sources
from saferkc.settings import Settings
from saferkc.warehouse import embedded
from saferkc.warehouse.connection import connect

WAREHOUSE, _INGEST = "warehouse", "ingest_"
# run by themselves, by the hour or by the month, and are no part of a night
_BESIDE = ("alerts", "monitoring", "performance_pack")
_POLL_SECONDS = 0.5
# how long Airflow may be silent (it restarts a web worker, the machine is busy) before we give it up
_SILENCE_SECONDS = 60
_EVENT_SECONDS = 10
# Airflow starts a second build at once for a feed that was checked while the first one was being begun
_SETTLE_SECONDS = 1.0


class NightError(Exception):
    """The night can't go on; the message says why and what to do."""


class Outcome(IntEnum):
    """How a night ended; the number is the exit status of ``saferkc nightly``."""

    PUBLISHED = 0
    FAILED = 1
    HELD = 2


@dataclass
class Night:
    """What happened: runs by DAG, what failed and where its log is, the build and how it ended."""

    outcome: Outcome
    build_id: int | None = None
    is_new_build: bool = False
    reason: str = ""
    failures: list[str] = field(default_factory=list)


Report = Callable[[str, str], None]


def run_night(
    settings: Settings,
    report: Report,
    *,
    day: date,
    feeds: Iterable[str] = (),
    replay: tuple[date, date] | None = None,
    full_refresh: bool = False,
) -> Night:
    """Run the ingest DAGs, wait for the build that follows, and say how it ended.

    Without ``feeds`` those run for which something lies in the inbox or waits to be loaded, and those whose source
    has a connection: whether an agency offers something new is known once it was asked. ``replay`` judges
    landed files that cover those days again. ``full_refresh`` builds all marts anew from raw, also where nothing is
    new. ``report`` is told a DAG and its state at every change.
    Everything must be up. Raises ``NightError``.
    """
    with _only_one(settings):
        return _Nightly(settings, report).run(_chosen(settings, feeds, report), day, replay, full_refresh)


def _chosen(settings: Settings, feeds: Iterable[str], report: Report) -> list[str]:
    known = load_contracts(settings.contracts_dir)
    chosen = list(dict.fromkeys(feeds))
    unknown = [feed for feed in chosen if feed not in known]
    if unknown:
        raise NightError(f"there is no feed {unknown[0]}; the feeds are {', '.join(known)}")
    if chosen:
        return chosen
    fetched = connected_sources(AirflowClient(settings))
    busy = feeds_with_work(settings) | {c.feed for c in known.values() if c.delivery.source in fetched}
    idle = [feed for feed in known if feed not in busy]
    if idle:
        report(", ".join(idle) if busy else "any feed", "nothing arrived for")
    return [feed for feed in known if feed in busy]


@contextmanager
def _only_one(settings: Settings) -> Iterator[None]:
    with (settings.home / "nightly.lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise NightError("another nightly is under way in this home: wait for its end") from error
        yield


class _Nightly:
    def __init__(self, settings: Settings, report: Report) -> None:
        self._settings = settings
        self._report = report
        self._client = AirflowClient(settings)
        self._since = datetime.now(UTC)
        self._shown: dict[str, str] = {}
        self._last_build = self._newest_build()

    def run(self, feeds: list[str], day: date, replay: tuple[date, date] | None, full_refresh: bool) -> Night:
        conf: dict[str, Any] = {"night": day.isoformat()}
        replayed = {"date_from": replay[0].isoformat(), "date_to": replay[1].isoformat()} if replay else {}
        # runs that a crash cut off are finished by Airflow first; ours then queue behind them
        for feed in feeds:
            self._client.trigger(f"ingest_{feed}", conf | replayed, note=f"nightly of {day}")
        ingested = self._wait(lambda run: run.dag_id.startswith(_INGEST))
        if self._tells_warehouse(ingested):
            self._wait_for_event()
        if full_refresh or not any(run.dag_id == WAREHOUSE for run in self._runs()):
            self._client.trigger(WAREHOUSE, conf | {"full_refresh": full_refresh}, note=f"nightly of {day}")
        runs = self._wait(lambda _: True)
        # where Airflow is up for the night only, nobody else looks
        look(self._settings)
        return self._judge(runs)

    def _runs(self) -> list[DagRun]:
        """Return the runs since the night began, and those under way from before it; a look belongs to none."""
        runs = {
            (run.dag_id, run.run_id): run
            for run in [
                *self._client.runs(since=self._since),
                *self._client.runs(states=("queued", "running")),
            ]
        }
        ours = (run for run in runs.values() if run.dag_id not in _BESIDE)
        return sorted(ours, key=lambda run: run.queued_at)

    def _wait(self, concerned: Callable[[DagRun], bool]) -> list[DagRun]:
        answered = quiet_since = time.monotonic()
        while True:
            try:
                runs = [run for run in self._runs() if concerned(run)]
                answered = time.monotonic()
            except AirflowUnreachableError as error:
                self._check_services()
                if time.monotonic() - answered > _SILENCE_SECONDS:
                    raise NightError(f"{error}: see {airflow.log_dir(self._settings)}, then run this again") from error
                time.sleep(_POLL_SECONDS)
                continue
            self._show(runs)
            if not all(run.is_finished for run in runs):
                quiet_since = time.monotonic()
            elif time.monotonic() - quiet_since > _SETTLE_SECONDS:
                return runs
            self._check_services()
            time.sleep(_POLL_SECONDS)

    def _check_services(self) -> None:
        if not embedded.is_running(self._settings):
            raise NightError(
                f"PostgreSQL ended: see {embedded.log_file(self._settings)}, then run this again;"
                " nothing that was admitted is lost"
            )
        missing = set(airflow.COMPONENTS) - set(airflow.running_components(self._settings))
        if missing:
            name = min(missing)
            raise NightError(
                f"Airflow's {name} ended: see {airflow.log_dir(self._settings) / name}.log, then run this again"
            )

    def _show(self, runs: list[DagRun]) -> None:
        for run in runs:
            if self._shown.get(run.dag_id) != run.state:
                self._shown[run.dag_id] = run.state
                self._report(run.dag_id, run.state)

    def _tells_warehouse(self, ingested: list[DagRun]) -> bool:
        return any(
            task.task_id == "check" and task.state == "success"
            for run in ingested
            for task in self._client.tasks(run.dag_id, run.run_id)
        )

    def _wait_for_event(self) -> None:
        """Give Airflow a moment to start the build that the admitted deliveries ask for."""
        deadline = time.monotonic() + _EVENT_SECONDS
        while time.monotonic() < deadline:
            if any(run.dag_id == WAREHOUSE and run.run_type == "asset_triggered" for run in self._runs()):
                return
            time.sleep(_POLL_SECONDS)

    def _judge(self, runs: list[DagRun]) -> Night:
        failures = [
            f"{run.dag_id}: task {task.task_id} failed, see {log}"
            for run in runs
            if run.state == "failed"
            for task in self._client.tasks(run.dag_id, run.run_id)
            if task.state == "failed"
            for log in [task_log(self._settings, run, task.task_id, task.try_number)]
        ]
        build = self._newest_build()
        if build is None:
            return Night(Outcome.FAILED, reason="no build was begun", failures=failures)
        build_id, state, reason = build
        ingest_failed = any(run.state == "failed" and run.dag_id != WAREHOUSE for run in runs)
        if state == "held":
            outcome = Outcome.HELD
        elif state == "published" and not ingest_failed:
            outcome, failures = Outcome.PUBLISHED, []
        else:
            outcome = Outcome.FAILED
        return Night(outcome, build_id, build != self._last_build, reason or "", failures)

    def _newest_build(self) -> tuple[int, str, str | None] | None:
        with connect(self._settings) as connection:
            row = connection.execute(
                "select build_id, state, reason from quality.build order by build_id desc limit 1"
            ).fetchone()
        return None if row is None else (int(row[0]), str(row[1]), row[2])


def task_log(settings: Settings, run: DagRun, task_id: str, try_number: int) -> Path:
    """Return where Airflow keeps the log of a task's try."""
    parts = (f"dag_id={run.dag_id}", f"run_id={run.run_id}", f"task_id={task_id}", f"attempt={try_number}.log")
    return settings.airflow_home.joinpath("logs", *parts)
