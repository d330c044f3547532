"""Airflow's REST interface, as far as the command line needs it."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from saferkc.orchestration.environment import USER, airflow_url
from saferkc.settings import Settings

# a run has come to its end in these states
FINISHED = frozenset({"success", "failed"})


class AirflowUnreachableError(Exception):
    """Nothing answers at Airflow's address, or not as Airflow does."""


class AirflowRefusedError(Exception):
    """Airflow answered, and would not do what was asked; the message is Airflow's."""


@dataclass(frozen=True)
class DagRun:
    """One run of a DAG."""

    dag_id: str
    run_id: str
    state: str
    run_type: str
    queued_at: datetime

    @property
    def is_finished(self) -> bool:
        """Tell whether the run came to its end."""
        return self.state in FINISHED


@dataclass(frozen=True)
class TaskState:
    """How one task of a run stands; ``state`` is None while it waits for others."""

    task_id: str
    state: str | None
    try_number: int


class AirflowClient:
    """Talks to a home's Airflow as its one user."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._token: str | None = None

    def unhealthy_components(self) -> list[str]:
        """Return the components that don't report themselves healthy."""
        health = self._send("GET", "/api/v2/monitor/health", signed=False)
        names = ("metadatabase", "scheduler", "triggerer", "dag_processor")
        return [name for name in names if (health.get(name) or {}).get("status") != "healthy"]

    def dags(self) -> list[dict[str, Any]]:
        """Return Airflow's records of the DAGs."""
        return self._all("/api/v2/dags", "dags")

    def dag(self, dag_id: str) -> dict[str, Any]:
        """Return all that Airflow knows of one DAG, its page included."""
        return self._send("GET", f"/api/v2/dags/{dag_id}/details")

    def dags_read_since(self, moment: float, expected: set[str]) -> bool:
        """Tell whether every DAG of ``expected`` was read from its file after ``moment`` (seconds, Unix)."""
        since = datetime.fromtimestamp(moment, UTC)
        fresh = {dag["dag_id"] for dag in self.dags() if _moment(dag["last_parsed_time"]) >= since}
        return bool(expected) and expected <= fresh

    def import_errors(self) -> list[str]:
        """Return one line for each DAG file that Airflow could not read."""
        errors = self._all("/api/v2/importErrors", "import_errors")
        return [f"{error['filename']}: {error['stack_trace'].strip().splitlines()[-1]}" for error in errors]

    def connections(self, prefix: str) -> dict[str, str]:
        """Return name and type of the connections whose names begin so."""
        pattern = urllib.parse.urlencode({"connection_id_pattern": f"{prefix}%"})
        rows = self._all(f"/api/v2/connections?{pattern}", "connections")
        return {row["connection_id"]: row["conn_type"] for row in rows if row["connection_id"].startswith(prefix)}

    def trigger(self, dag_id: str, conf: dict[str, Any], note: str | None = None) -> DagRun:
        """Start a run of ``dag_id`` and return it. Raises ``AirflowRefusedError`` when there is no such DAG."""
        body = {"logical_date": None, "conf": conf, "note": note}
        return _dag_run(self._send("POST", f"/api/v2/dags/{dag_id}/dagRuns", body))

    def run(self, dag_id: str, run_id: str) -> DagRun:
        """Return one run as it stands."""
        return _dag_run(self._send("GET", f"/api/v2/dags/{dag_id}/dagRuns/{urllib.parse.quote(run_id)}"))

    def runs(self, *, since: datetime | None = None, dag_id: str = "~", states: tuple[str, ...] = ()) -> list[DagRun]:
        """Return the runs of a DAG (or of all) that were made after ``since`` and are in one of ``states``."""
        query: list[tuple[str, str]] = [("state", state) for state in states]
        if since is not None:
            query.append(("run_after_gte", since.isoformat()))
        return [_dag_run(row) for row in self._all(f"/api/v2/dags/{dag_id}/dagRuns", "dag_runs", query)]

    def tasks(self, dag_id: str, run_id: str) -> list[TaskState]:
        """Return how the tasks of a run stand."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{urllib.parse.quote(run_id)}/taskInstances"
        rows = self._all(path, "task_instances")
        return [TaskState(row["task_id"], row["state"], row["try_number"]) for row in rows]

    def _all(self, path: str, key: str, query: list[tuple[str, str]] | None = None) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        while True:
            page = [*(query or []), ("limit", "100"), ("offset", str(len(rows)))]
            answer = self._send("GET", f"{path}{'&' if '?' in path else '?'}{urllib.parse.urlencode(page)}")
            rows += answer[key]
            if not answer[key] or len(rows) >= answer["total_entries"]:
                return rows

    def _send(
        self, method: str, path: str, body: dict[str, Any] | None = None, *, signed: bool = True
    ) -> dict[str, Any]:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if signed:
            headers["Authorization"] = f"Bearer {self._sign_in()}"
        request = urllib.request.Request(  # noqa: S310 - our own address, always http
            airflow_url(self._settings) + path,
            method=method,
            headers=headers,
            data=None if body is None else json.dumps(body).encode(),
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                values: dict[str, Any] = json.load(answer)
                return values
        except urllib.error.HTTPError as error:
            text = error.read().decode(errors="replace")
            if error.code >= 500:
                raise AirflowUnreachableError(f"Airflow answered {error.code}") from error
            raise AirflowRefusedError(f"{error.code} {_detail(text)}") from error
        except (OSError, ValueError) as error:
            raise AirflowUnreachableError(f"Airflow does not answer at {airflow_url(self._settings)}") from error

    def _sign_in(self) -> str:
        if self._token is None:
            credentials = {"username": USER, "password": self._settings.runtime()["airflow_password"]}
            answer = self._send("POST", "/auth/token", credentials, signed=False)
            self._token = str(answer["access_token"])
        return self._token


def _dag_run(row: dict[str, Any]) -> DagRun:
    return DagRun(
        dag_id=row["dag_id"],
        run_id=row["dag_run_id"],
        state=row["state"],
        run_type=row["run_type"],
        queued_at=_moment(row["queued_at"] or row["run_after"]),
    )


def _moment(text: str | None) -> datetime:
    if text is None:
        return datetime.min.replace(tzinfo=UTC)
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _detail(text: str) -> str:
    try:
        return str(json.loads(text)["detail"])
    except (ValueError, KeyError, TypeError):
        return text[:200]
