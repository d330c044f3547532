"""Every setting of the warehouse, read in this one place.

Settings come from ``SAFERKC_*`` variables; what is chosen once for a home (ports, passwords of the embedded
services) is kept in ``<home>/runtime.json``, readable by its owner only.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

_CHECKOUT = Path(__file__).resolve().parents[2]


# roles of Airflow's simple auth manager; the administrator has a name of his own
ROLES = ("viewer", "user", "op")


class SettingsError(Exception):
    """A setting is missing or wrong; the message says which and what to do."""


def _time_of_day(name: str, default: str) -> time:
    said = os.environ.get(name) or default
    try:
        return time.fromisoformat(said)
    except ValueError:
        raise SettingsError(f"{name} is {said!r}: give a time of the day such as {default}") from None


def _people(said: str) -> tuple[tuple[str, str], ...]:
    """Names and roles as ``SAFERKC_PEOPLE`` has them: ``ada:user,ben:viewer``."""
    people = {}
    for part in filter(None, map(str.strip, said.split(","))):
        name, _, role = part.partition(":")
        if not re.fullmatch(r"[A-Za-z0-9._@-]+", name) or name == "admin" or role not in ROLES:
            raise SettingsError(f"SAFERKC_PEOPLE has {part!r}: expected name:role, the role one of {', '.join(ROLES)}")
        people[name] = role
    return tuple(people.items())


def _several(value: str | None) -> tuple[str, ...]:
    return tuple((value or "").replace(",", " ").split())


@dataclass(frozen=True)
class MessageSettings:
    """How messages reach people. Addresses hold passwords: they stay out of ``repr``, and so out of logs.

    ``mail_url`` is ``smtp://user:password@host:587`` (STARTTLS) or ``smtps://…:465``; ``mail_ca`` a file with the
    authority that the mail server's certificate is of, where that is not a public one. ``mail_to`` are addresses by
    audience, or by ``agency_<source>`` for questions to an agency; ``notify`` are addresses of other channels (Teams,
    Slack and so on) by audience, as Apprise writes them. ``pages_url`` is where the warehouse's pages are seen from.
    """

    mail_url: str | None = field(default=None, repr=False)
    mail_from: str | None = None
    mail_ca: Path | None = None
    mail_to: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notify: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    pages_url: str | None = None

    @classmethod
    def load(cls, environment: Mapping[str, str]) -> MessageSettings:
        """Read ``SAFERKC_MAIL_…``, ``SAFERKC_NOTIFY_…`` and ``SAFERKC_PAGES_URL``."""

        def by_audience(prefix: str) -> dict[str, tuple[str, ...]]:
            found = {
                name.removeprefix(prefix).lower(): _several(value)
                for name, value in environment.items()
                if name.startswith(prefix)
            }
            # people say team
            if "team" in found:
                found["community_safety_team"] = found.pop("team")
            return {name: values for name, values in found.items() if values}

        return cls(
            mail_url=environment.get("SAFERKC_MAIL_URL") or None,
            mail_from=environment.get("SAFERKC_MAIL_FROM") or None,
            mail_ca=Path(ca).expanduser() if (ca := environment.get("SAFERKC_MAIL_CA")) else None,
            mail_to=by_audience("SAFERKC_MAIL_TO_"),
            notify=by_audience("SAFERKC_NOTIFY_"),
            pages_url=(environment.get("SAFERKC_PAGES_URL") or "").rstrip("/") or None,
        )


@dataclass(frozen=True)
class Settings:
    """Where the warehouse keeps its state and how its parts reach each other."""

    home: Path
    project_root: Path
    external_warehouse_url: str | None
    landing_url: str | None = None
    keys_dir: Path | None = None
    # by the clock in London
    marts_by: time = time(6)
    # who may sign in besides the administrator, and in which role
    people: tuple[tuple[str, str], ...] = ()
    messages: MessageSettings = field(default_factory=MessageSettings)
    # address of a receiver of metrics (OTLP over HTTP), such as http://127.0.0.1:4318
    otlp_endpoint: str | None = None
    # where lineage is told: `file` (in the home), `off`, or the address of a receiver of OpenLineage
    lineage: str = "file"

    @classmethod
    def load(cls, home: Path | None = None) -> Settings:
        """Read the settings from the environment.

        ``home`` wins over ``SAFERKC_HOME``; the default is ``.saferkc`` in the checkout.
        """
        root = Path(os.environ.get("SAFERKC_PROJECT_ROOT", _CHECKOUT)).resolve()
        chosen = home or Path(os.environ.get("SAFERKC_HOME") or root / ".saferkc")
        return cls(
            home=chosen.expanduser().resolve(),
            project_root=root,
            external_warehouse_url=os.environ.get("SAFERKC_WAREHOUSE_URL") or None,
            landing_url=os.environ.get("SAFERKC_LANDING_URL") or None,
            keys_dir=Path(keys).expanduser().resolve() if (keys := os.environ.get("SAFERKC_KEYS")) else None,
            otlp_endpoint=os.environ.get("SAFERKC_OTLP_ENDPOINT") or None,
            lineage=os.environ.get("SAFERKC_OPENLINEAGE") or "file",
            marts_by=_time_of_day("SAFERKC_MARTS_BY", "06:00"),
            people=_people(os.environ.get("SAFERKC_PEOPLE", "")),
            messages=MessageSettings.load(os.environ),
        )

    @property
    def inbox(self) -> Path:
        """Where agencies' files are dropped: ``inbox/<source>/``."""
        return self.home / "inbox"

    @property
    def landing(self) -> Path:
        """Content-addressed copies of every file received, byte for byte."""
        return self.home / "landing"

    @property
    def keys(self) -> Path:
        """Folder of the keys of tokens and of landed originals; no database and no repository holds them."""
        return self.keys_dir or self.home / "keys"

    @property
    def postgres_dir(self) -> Path:
        """Data directory of the embedded PostgreSQL."""
        return self.home / "postgres"

    @property
    def airflow_home(self) -> Path:
        """Airflow's home: its logs and process files."""
        return self.home / "airflow"

    @property
    def outbox(self) -> Path:
        """Mail as files, where no mail server is set."""
        return self.home / "outbox"

    @property
    def logs(self) -> Path:
        """What the library logs, as lines of JSON, a file a day; Airflow's own logs lie in ``airflow_home``."""
        return self.home / "logs"

    @property
    def data_docs(self) -> Path:
        """Great Expectations data docs, as pages to open in a browser."""
        return self.home / "data_docs"

    @property
    def expectations_dir(self) -> Path:
        """What is expected of the data: contracts, suites, and expectations of our own."""
        return self.project_root / "expectations"

    @property
    def suites_dir(self) -> Path:
        """The suites on the marts, one YAML file a schema."""
        return self.expectations_dir / "suites"

    @property
    def contracts_dir(self) -> Path:
        """The contracts, one YAML file a feed."""
        return self.expectations_dir / "contracts"

    @property
    def disclosure_file(self) -> Path:
        """Which counts may be shown to whom."""
        return self.expectations_dir / "disclosure.yaml"

    @property
    def dbt_project_dir(self) -> Path:
        """The dbt project."""
        return self.project_root / "dbt_project"

    @property
    def bank_holidays_file(self) -> Path:
        """The seed with the bank holidays in England."""
        return self.dbt_project_dir / "seeds" / "bank_holidays.csv"

    @property
    def dags_dir(self) -> Path:
        """The DAG files."""
        return self.project_root / "dags"

    @property
    def runtime_file(self) -> Path:
        """Ports and passwords chosen when this home was first started."""
        return self.home / "runtime.json"

    def runtime(self) -> dict[str, Any]:
        """Return what was chosen at the first start of this home; empty before it."""
        if not self.runtime_file.exists():
            return {}
        values: dict[str, Any] = json.loads(self.runtime_file.read_text())
        return values

    def remember(self, **values: Any) -> None:
        """Keep ``values`` in the home's runtime file (mode 0600)."""
        with self._only_writer():
            self._write_runtime(self.runtime() | values)

    def secret(self, name: str) -> bytes:
        """Return the home's secret of this name, 32 bytes, made when it is first asked for."""
        if name not in self.runtime():
            with self._only_writer():
                self._write_runtime({name: secrets.token_hex(32)} | self.runtime())  # who came first has made it
        return bytes.fromhex(self.runtime()[name])

    @contextmanager
    def _only_writer(self) -> Iterator[None]:
        """Let one writer at a time change the runtime file: tasks of one night run side by side."""
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home / "runtime.lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def _write_runtime(self, values: dict[str, Any]) -> None:
        draft = self.runtime_file.with_suffix(".tmp")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as handle:
            json.dump(values, handle, indent=1)
        draft.replace(self.runtime_file)

    @property
    def warehouse_url(self) -> str:
        """libpq URL of the warehouse database."""
        return self.external_warehouse_url or self._embedded_url("warehouse")

    @property
    def airflow_db_url(self) -> str:
        """libpq URL of Airflow's metadata database, always in the embedded server here."""
        return self._embedded_url("airflow")

    def _embedded_url(self, database: str) -> str:
        runtime = self.runtime()
        if "postgres_port" not in runtime:
            raise SettingsError(f"{self.home} was never started: run `saferkc up` (or `make run`) first")
        password = quote(str(runtime["postgres_password"]), safe="")
        return f"postgresql://saferkc:{password}@127.0.0.1:{runtime['postgres_port']}/{database}"
