"""Airflow's processes of a home: start, stop, health. Nothing here imports Airflow."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil

from saferkc.orchestration.client import AirflowClient, AirflowUnreachableError
from saferkc.orchestration.dbt import project_fingerprint, refresh_manifest
from saferkc.orchestration.environment import (
    HOME_MARKER,
    airflow_environment,
    connection_variables,
    remember_secrets,
    write_password_file,
)
from saferkc.settings import Settings
from saferkc.warehouse.embedded import free_port, home_id, is_free

# the log servers are for several machines; here the API server reads the logs from disk
COMPONENTS: dict[str, tuple[str, ...]] = {
    "api-server": ("api-server",),
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "dag-processor": ("dag-processor",),
    "triggerer": ("triggerer", "--skip-serve-logs"),
}
_LIBRARY = Path(__file__).resolve().parents[1]
_START_SECONDS = 300
_STOP_SECONDS = 10


class AirflowError(Exception):
    """Airflow can't do what was asked; the message says why and where to look."""


def start(settings: Settings, progress: Callable[[str], None] = lambda _: None) -> bool:
    """Start Airflow's components; wait until Airflow has read the DAG files and takes orders.

    The embedded PostgreSQL must be running. Returns False when all was up already. Where only a part runs, after
    a crash, that part is ended and all begin together. Raises ``AirflowError``.
    """
    # what was started before PostgreSQL moved to another port, or before the project changed, must start anew as well
    if is_running(settings) and settings.runtime().get("airflow_fingerprint") == _fingerprint(settings):
        _wait_until_ready(settings, started_at=0)
        return False
    stop(settings)
    remember_secrets(settings)
    if not is_free(settings.runtime()["airflow_port"]):
        settings.remember(airflow_port=free_port())
    write_password_file(settings)
    with ThreadPoolExecutor() as both:
        reading = both.submit(refresh_manifest, settings)
        _migrate(settings, progress)
        reading.result()
    progress("Starting Airflow")
    started_at = time.time()
    for name in COMPONENTS:
        _start_component(settings, name)
    settings.remember(airflow_fingerprint=_fingerprint(settings))
    _wait_until_ready(settings, started_at)
    return True


def stop(settings: Settings) -> bool:
    """Stop every Airflow process of this home, orphans of a crash included. Returns whether there were any."""
    if not processes(settings):
        return False
    running = running_components(settings)
    api_server, scheduler = running.get("api-server"), running.get("scheduler")
    # tasks report to the API server to the last, so it goes after them
    _ask_to_end(process for process in processes(settings) if process.pid != api_server)
    _wait_while(settings, lambda process: _session(process) == scheduler, _STOP_SECONDS)
    _ask_to_end(processes(settings))
    # the triggerer may miss its child's end and wait ten seconds more for it: nothing is lost with it
    _wait_while(settings, lambda _: True, _STOP_SECONDS / 4)
    while left := processes(settings):
        for process in left:
            _signal(process, signal.SIGKILL)
        psutil.wait_procs(left, timeout=5)
    for name in COMPONENTS:
        _pid_file(settings, name).unlink(missing_ok=True)
    return True


def is_running(settings: Settings) -> bool:
    """Tell whether all components run."""
    return len(running_components(settings)) == len(COMPONENTS)


def running_components(settings: Settings) -> dict[str, int]:
    """Return the process ids of the components that run, by component."""
    running = {}
    for name in COMPONENTS:
        try:
            pid = int(_pid_file(settings, name).read_text())
            process = psutil.Process(pid)
            if _belongs(process, settings) and process.status() != psutil.STATUS_ZOMBIE:
                running[name] = pid
        except (OSError, ValueError, psutil.Error):
            continue
    return running


def processes(settings: Settings) -> list[psutil.Process]:
    """Return every living process that was started for this home's Airflow, tasks included."""
    return [process for process in psutil.process_iter() if process.pid != os.getpid() and _belongs(process, settings)]


def log_dir(settings: Settings) -> Path:
    """Return the folder of the components' logs; tasks' logs lie in ``logs`` beside it."""
    return settings.airflow_home / "components"


def _belongs(process: psutil.Process, settings: Settings) -> bool:
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return process.environ().get(HOME_MARKER) == home_id(settings)
    except (psutil.Error, OSError):
        return False


def _ask_to_end(found: Iterable[psutil.Process]) -> None:
    """Ask the components among ``found`` to end, which they tell their children in order."""
    for process in found:
        if _session(process) == process.pid:
            _signal(process, signal.SIGTERM)


def _wait_while(settings: Settings, concerned: Callable[[psutil.Process], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and any(map(concerned, processes(settings))):
        time.sleep(0.1)


def _session(process: psutil.Process) -> int | None:
    """Return the session: each component was started as the first of its own."""
    try:
        return os.getsid(process.pid)
    except OSError:
        return None


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return


def _pid_file(settings: Settings, name: str) -> Path:
    return settings.airflow_home / f"{name}.pid"


def _fingerprint(settings: Settings) -> str:
    """Return what the running processes were started with, as far as it may change between two starts."""
    digest = hashlib.sha256()
    for name in ("apache-airflow-core", "saferkc"):
        digest.update(importlib.metadata.version(name).encode())
    digest.update(f"{settings.runtime().get('postgres_port')} {settings.warehouse_url}".encode())
    digest.update(project_fingerprint(settings).encode())
    digest.update(repr(sorted(settings.people)).encode())
    digest.update(repr(sorted(connection_variables().items())).encode())
    # the DAGs are drawn from the contracts, and workers keep the library that they were started with
    sources = [
        *settings.dags_dir.glob("*.py"),
        *_LIBRARY.parent.glob("*.py"),
        *settings.contracts_dir.glob("*.yaml"),
        *_LIBRARY.rglob("*.py"),
    ]
    for path in sorted(sources):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _migrate(settings: Settings, progress: Callable[[str], None]) -> None:
    version = importlib.metadata.version("apache-airflow-core")
    if settings.runtime().get("airflow_database_version") == version:
        return
    progress("Preparing Airflow's database")
    log = log_dir(settings) / "db-migrate.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as handle:
        result = subprocess.run(
            [sys.executable, "-m", "airflow", "db", "migrate"],
            env=airflow_environment(settings),
            stdin=subprocess.DEVNULL,
            stdout=handle,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if result.returncode != 0:
        raise AirflowError(f"Airflow's database could not be prepared: see {log}")
    settings.remember(airflow_database_version=version)


def _start_component(settings: Settings, name: str) -> None:
    log = log_dir(settings) / f"{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a") as handle:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter, no shell
            [sys.executable, "-m", "saferkc.orchestration.component", *COMPONENTS[name]],
            env=airflow_environment(settings),
            cwd=settings.airflow_home,
            stdin=subprocess.DEVNULL,
            stdout=handle,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _pid_file(settings, name).write_text(str(process.pid))


def expected_dags(settings: Settings) -> set[str]:
    """Return the ids of the DAGs that the DAG files should make."""
    feeds = (path.stem for path in settings.contracts_dir.glob("*.yaml"))
    return {"warehouse", "alerts", "performance_pack", "monitoring"} | {f"ingest_{feed}" for feed in feeds}


def _check_dag_files(client: AirflowClient) -> None:
    errors = client.import_errors()
    if errors:
        raise AirflowError(f"Airflow could not read a DAG file: {errors[0]}")


def _wait_until_ready(settings: Settings, started_at: float) -> None:
    client = AirflowClient(settings)
    expected = expected_dags(settings)
    deadline = time.monotonic() + _START_SECONDS
    missing = "the REST interface"
    while time.monotonic() < deadline:
        dead = [name for name in COMPONENTS if name not in running_components(settings)]
        if dead:
            raise AirflowError(f"Airflow's {dead[0]} ended at once: see {log_dir(settings) / dead[0]}.log")
        try:
            ill = client.unhealthy_components()
            if not ill:
                if client.dags_read_since(started_at, expected):
                    return
                _check_dag_files(client)
                missing = "the DAG files to be read"
            else:
                missing = ", ".join(ill)
        except AirflowUnreachableError:
            missing = "the REST interface"
        time.sleep(0.3)
    raise AirflowError(
        f"Airflow was not ready after {_START_SECONDS} s, waiting for {missing}: see {log_dir(settings)}"
    )
