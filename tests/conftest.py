"""Fixtures shared by all tests: a home, an embedded PostgreSQL, a clean warehouse, and the real data."""

from __future__ import annotations

import multiprocessing
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from itertools import count
from pathlib import Path

import hypothesis
import psycopg
import pytest
from psycopg import sql
from saferkc.settings import Settings
from saferkc.warehouse import embedded
from saferkc.warehouse.migrate import migrate
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

# on CI the same examples every time: a change is never blamed for what chance found in another's code
hypothesis.settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
hypothesis.settings.register_profile("dev", deadline=None)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "dev")

CHECKOUT = Path(__file__).resolve().parents[1]

# Runs of dbt and senders of messages are children of one process, which imports this once: dbt takes five seconds.
multiprocessing.set_forkserver_preload(
    ["dbt.cli.main", "dbt.task.build", "dbt.adapters.postgres", "saferkc.alerts.sending",
     "saferkc.alerts.messages.compose", "apprise"]
)  # fmt: skip


# a test that asks for the warehouse of the plan's year, for its copy, or for the files in it
_OF_THE_PLANS_WAREHOUSE = re.compile(r"\b(plan_warehouse|published_warehouse|delivered: Delivered)\b")


class FilesTogether(LoadScopeScheduling):
    """Where tests run in several processes, a file stays in one, and so do all that share the plan's warehouse.

    Made in each process it would take its minutes twice. Marks of a group would say it, but with pytest 9.2 the
    scheduler of pytest-xdist 3.8 does not get to see them.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "the plan's warehouse" if file in self._sharing else file

    @cached_property
    def _sharing(self) -> set[str]:
        folder = CHECKOUT / "tests" / "integration"
        return {
            file.relative_to(CHECKOUT).as_posix()
            for file in folder.glob("test_*.py")
            if _OF_THE_PLANS_WAREHOUSE.search(file.read_text(encoding="utf-8"))
        }


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> FilesTogether:
    """Schedule tests so, however many processes there are."""
    return FilesTogether(config, log)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real open data; the test is skipped, with the reason, where there is none."""
    folder = Path(os.environ.get("SAFERKC_REAL_DATA", CHECKOUT.parent / "shared" / "data"))
    if not (folder / "police_uk").is_dir():
        pytest.skip(f"no real data at {folder}: set SAFERKC_REAL_DATA to a folder that has it")
    return folder


@pytest.fixture(scope="session")
def embedded_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A home whose embedded PostgreSQL runs for the whole session."""
    home = tmp_path_factory.mktemp("saferkc-home")
    settings = Settings.load(home)
    embedded.start(settings)
    _spare_the_disk(settings)
    yield settings
    embedded.stop(settings)
    shutil.rmtree(home, ignore_errors=True)


def _spare_the_disk(settings: Settings) -> None:
    """What these tests write need not survive a crash of the machine; those about crashes have homes of their own."""
    with psycopg.connect(settings.warehouse_url, autocommit=True) as admin:
        admin.execute("alter system set fsync = off")
        admin.execute("select pg_reload_conf()")


@pytest.fixture(scope="session")
def template_database(embedded_home: Settings) -> str:
    """A migrated, empty warehouse to copy from: a copy takes a fraction of a second."""
    migrate(embedded_home)
    return "warehouse"


NewWarehouse = Callable[[Path, str], AbstractContextManager[Settings]]


@pytest.fixture(scope="session")
def new_warehouse(embedded_home: Settings) -> NewWarehouse:
    """Makes homes in a folder, each with a warehouse of its own copied from a database of the session's server.

    Names are used again, and with a name what dbt read of the project for it: reading it anew takes half a minute.
    """
    runtime = embedded_home.runtime()
    url = "postgresql://saferkc:{postgres_password}@127.0.0.1:{postgres_port}".format(**runtime)
    taken: set[str] = set()

    @contextmanager
    def make(folder: Path, template: str) -> Iterator[Settings]:
        name = next(name for name in map("warehouse_{}".format, count(1)) if name not in taken)
        taken.add(name)
        with psycopg.connect(f"{url}/postgres", autocommit=True) as admin:
            copy = sql.SQL("create database {} template {} strategy file_copy")
            admin.execute(copy.format(sql.Identifier(name), sql.Identifier(template)))
        own = Settings(home=folder / "home", project_root=CHECKOUT, external_warehouse_url=f"{url}/{name}")
        own.remember(**runtime)
        read_by_dbt = own.home / "dbt" / "target" / "partial_parse.msgpack"
        read_by_dbt.parent.mkdir(parents=True, exist_ok=True)
        read_by_dbt.unlink(missing_ok=True)  # a folder may have been copied from a home of another name
        read_by_dbt.symlink_to(embedded_home.home / f"{name}.msgpack")
        yield own
        with psycopg.connect(f"{url}/postgres", autocommit=True) as admin:
            admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))
        taken.remove(name)

    return make


@pytest.fixture
def settings(new_warehouse: NewWarehouse, template_database: str, tmp_path: Path) -> Iterator[Settings]:
    """Settings of a home with a clean warehouse of its own in the session's server."""
    with new_warehouse(tmp_path, template_database) as own:
        yield own
