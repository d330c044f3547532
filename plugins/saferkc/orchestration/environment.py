"""The environment in which every Airflow process of a home runs: built here and nowhere else."""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from saferkc.settings import Settings
from saferkc.warehouse.connection import dbt_environment
from saferkc.warehouse.embedded import free_port, home_id

USER = "admin"
# names this home's processes among all of the machine's, orphans of a crash included
HOME_MARKER = "SAFERKC_HOME_ID"
# connections to agencies may be set by variables, as AIRFLOW_CONN_SAFERKC_POLICE
CONNECTION_VARIABLE = "AIRFLOW_CONN_SAFERKC_"
# loggers that write a line a request or a second
_TALKATIVE = (
    "http.access=WARNING",
    "airflow.models.dag=WARNING",
    "airflow.serialization.definitions.dag=WARNING",
    "great_expectations=WARNING",
)


def remember_secrets(settings: Settings) -> None:
    """Choose the port, password and keys of this home's Airflow, once; later calls change nothing."""
    chosen: dict[str, Callable[[], object]] = {
        "airflow_port": free_port,
        "airflow_password": lambda: secrets.token_urlsafe(12),
        "airflow_fernet_key": lambda: base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "airflow_jwt_secret": lambda: secrets.token_urlsafe(48),
        "airflow_session_secret": lambda: secrets.token_urlsafe(32),
    }
    known = settings.runtime()
    missing = {name: choose() for name, choose in chosen.items() if name not in known}
    passwords: dict[str, str] = known.get("people_passwords", {})
    if new := {name: secrets.token_urlsafe(12) for name, _ in settings.people if name not in passwords}:
        missing["people_passwords"] = passwords | new
    if missing:
        settings.remember(**missing)


def airflow_url(settings: Settings) -> str:
    """Return the address of Airflow's pages and REST interface."""
    return f"http://127.0.0.1:{settings.runtime()['airflow_port']}"


def password_file(settings: Settings) -> Path:
    """Return the file from which Airflow reads its users' passwords."""
    return settings.airflow_home / "passwords.json"


def write_password_file(settings: Settings) -> None:
    """Write Airflow's password file, readable by its owner only."""
    settings.airflow_home.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(password_file(settings), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as handle:
        json.dump({name: password for name, _, password in accounts(settings)}, handle)


def accounts(settings: Settings) -> list[tuple[str, str, str]]:
    """Return who may sign in to this home's Airflow: name, role and password."""
    runtime = settings.runtime()
    people = [(name, role, runtime["people_passwords"][name]) for name, role in settings.people]
    return [(USER, "admin", runtime["airflow_password"]), *people]


def airflow_environment(settings: Settings) -> dict[str, str]:
    """Return the whole environment of an Airflow process of this home."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        # a developer's own Airflow settings must not leak in; nor a shell's wish to compile at every import
        if not name.startswith("AIRFLOW") and name != "PYTHONDONTWRITEBYTECODE"
    }
    return inherited | connection_variables() | _saferkc(settings) | _quiet() | _airflow(settings)


def connection_variables() -> dict[str, str]:
    """Return the variables that set connections to agencies."""
    return {name: value for name, value in os.environ.items() if name.startswith(CONNECTION_VARIABLE)}


def _saferkc(settings: Settings) -> dict[str, str]:
    values = {
        HOME_MARKER: home_id(settings),
        "SAFERKC_HOME": str(settings.home),
        "SAFERKC_PROJECT_ROOT": str(settings.project_root),
        **dbt_environment(settings),
        # two homes that share a checkout must not share dbt's files
        "DBT_LOG_PATH": str(settings.home / "dbt" / "logs"),
        "DBT_PROFILES_DIR": str(settings.dbt_project_dir),
    }
    if settings.external_warehouse_url:
        values["SAFERKC_WAREHOUSE_URL"] = settings.external_warehouse_url
    if settings.keys_dir:
        values["SAFERKC_KEYS"] = str(settings.keys_dir)
    return values


def _quiet() -> dict[str, str]:
    return {
        "DO_NOT_TRACK": "1",
        "SCARF_ANALYTICS": "false",
        "GX_ANALYTICS_ENABLED": "False",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "False",
        "PYTHONWARNINGS": "ignore",
        # setproctitle would write over the environment by which a home's processes are found
        "SPT_NOENV": "1",
    }


def _airflow(settings: Settings) -> dict[str, str]:
    runtime = settings.runtime()
    database = settings.airflow_db_url.removeprefix("postgresql://")
    url = airflow_url(settings)
    sections: dict[str, dict[str, object]] = {
        "core": {
            "dags_folder": settings.dags_dir,
            "plugins_folder": settings.project_root / "plugins",
            "load_examples": False,
            "executor": "saferkc.orchestration.executor.SturdyLocalExecutor",
            # most tasks of a build only wait for dbt to come to their model
            "parallelism": max(8, 2 * (os.cpu_count() or 2)),
            "dags_are_paused_at_creation": False,
            "default_timezone": "Europe/London",
            "fernet_key": runtime["airflow_fernet_key"],
            "simple_auth_manager_users": ",".join(f"{name}:{role}" for name, role, _ in accounts(settings)),
            "simple_auth_manager_passwords_file": password_file(settings),
            "execution_api_server_url": f"{url}/execution/",
            "hostname_callable": "socket.gethostname",
        },
        "database": {
            "sql_alchemy_conn": f"postgresql+psycopg2://{database}",
            "sql_alchemy_conn_async": f"postgresql+asyncpg://{database}",
        },
        "api": {
            "host": "127.0.0.1",
            "port": runtime["airflow_port"],
            "base_url": url,
            "workers": 1,
            "secret_key": runtime["airflow_session_secret"],
            "instance_name": "Safer K&C",
        },
        "api_auth": {"jwt_secret": runtime["airflow_jwt_secret"]},
        "scheduler": {
            "scheduler_idle_sleep_time": 0.3,
            "scheduler_heartbeat_sec": 2,
            "job_heartbeat_sec": 2,
            # a killed scheduler's tasks are taken up again, and a killed worker's task is noticed, in half a
            # minute; the defaults leave a night hanging for five
            "scheduler_health_check_threshold": 20,
            "orphaned_tasks_check_interval": 15,
            "task_instance_heartbeat_timeout": 30,
            "catchup_by_default": False,
        },
        "triggerer": {"job_heartbeat_sec": 2},
        "dag_processor": {
            "refresh_interval": 60,
            "min_file_process_interval": 300,
            "parsing_processes": 2,
        },
        # a task's end may be noticed only at its next heartbeat, so a long interval is idle time after every task
        "workers": {"min_heartbeat_interval": 1},
        "logging": {"colored_console_log": False, "namespace_levels": " ".join(_TALKATIVE)},
        "secrets": {"use_cache": True},
        "cosmos": {
            "cache_dir": settings.home / "dbt" / "cosmos",
            "enable_telemetry": False,
            # a build is never tried a second time, so nothing need be kept for that, twice a model
            "enable_watcher_reliable_retry": False,
        },
    }
    return {"AIRFLOW_HOME": str(settings.airflow_home)} | {
        f"AIRFLOW__{section}__{option}".upper(): str(value)
        for section, options in sections.items()
        for option, value in options.items()
    }
