"""Killed in the middle: the next run reaches the same marts, and a reader sees one build at any moment.

Each kill is made certain by a lock: the work waits for a table, is killed while it waits, and the lock goes.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date

import psutil
import psycopg
import pytest
from home_helpers import FIRST_MONTHS, Home, new_home, published_content
from saferkc.orchestration import airflow
from saferkc.settings import Settings
from saferkc.warehouse import embedded
from saferkc.warehouse.connection import connect

MAY, JUNE, JULY = ((date(2017, month, 1), date(2017, month, 30)) for month in (5, 6, 7))
# the one mart that is asked for all the while; it changes with every night of these tests
READ = """
    select (select max(build_id) from quality.build where state = 'published'),
        count(*), max(build_id), md5(string_agg(b::text, '|' order by b::text))
    from burglary.burglary_monthly as b
"""


class Reader(threading.Thread):
    """Asks for a mart all the while and keeps what it was told, by the build that was published then."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(daemon=True)
        self._settings = settings
        self._end = threading.Event()
        self.seen: dict[int, set[tuple[object, ...]]] = {}
        self.answers = 0

    def run(self) -> None:
        while not self._end.is_set():
            # the server is killed as well: a reader loses its connection then, and asks again
            with contextlib.suppress(psycopg.Error), psycopg.connect(self._settings.warehouse_url) as connection:
                connection.autocommit = True
                while not self._end.is_set():
                    row = connection.execute(READ).fetchone()
                    if row is not None and row[0] is not None:
                        self.seen.setdefault(row[0], set()).add(row[1:])
                        self.answers += 1
                    time.sleep(0.05)
            time.sleep(0.2)

    def finish(self) -> None:
        self._end.set()
        self.join(10)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    own = new_home(tmp_path_factory.mktemp("crash") / "home")
    try:
        status, output = own.saferkc("up")
        assert status == 0, output
        yield own
    finally:
        own.clear()


@pytest.fixture(scope="module")
def reader(home: Home) -> Iterator[Reader]:
    reader = Reader(home.settings)
    reader.start()
    yield reader
    reader.finish()


@contextlib.contextmanager
def held_up(settings: Settings, table: str, mode: str) -> Iterator[Callable[[], str]]:
    """Lock a table; what is given waits until somebody waits for it and returns that session's name."""
    with contextlib.closing(psycopg.connect(settings.warehouse_url)) as lock:
        lock.execute(f"lock table {table} in {mode} mode".encode())

        def waiting_session() -> str:
            deadline = time.monotonic() + 240
            while time.monotonic() < deadline:
                with psycopg.connect(settings.warehouse_url) as connection:
                    row = connection.execute(
                        """
                        select a.application_name from pg_locks as l join pg_stat_activity as a using (pid)
                        where not l.granted and l.relation = %s::regclass
                            and a.backend_type = 'client backend' limit 1
                        """,
                        (table,),
                    ).fetchone()
                if row is not None:
                    return str(row[0])
                time.sleep(0.1)
            raise AssertionError(f"nothing came to {table}")

        yield waiting_session
        with contextlib.suppress(psycopg.Error):
            lock.rollback()


def kill_workers(settings: Settings) -> None:
    """SIGKILL every worker that is at work, and its task."""
    victims: list[psutil.Process] = []
    for worker in psutil.Process(airflow.running_components(settings)["scheduler"]).children():
        with contextlib.suppress(psutil.NoSuchProcess):  # other tasks end meanwhile
            tasks = worker.children(recursive=True)
            victims += [worker, *tasks] if tasks else []
    assert victims, "no worker was at work"
    for process in victims:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def finish(home: Home) -> None:
    """Run the night again, as people would after a crash, until one is published."""
    for _ in range(3):
        status, output = home.saferkc("nightly")
        if status == 0:
            return
    raise AssertionError(output)


def end(night: object) -> int:
    assert hasattr(night, "communicate")
    night.communicate(timeout=400)
    assert hasattr(night, "returncode")
    return int(night.returncode)


def test_worker_killed_while_loading(home: Home, reader: Reader) -> None:
    home.deliver(*FIRST_MONTHS)
    with held_up(home.settings, "raw.mps_recorded_crime", "share") as waiting:
        night = home.command("nightly")
        assert "load" in waiting()
        kill_workers(home.settings)
    # Airflow notices the silence and tries again by itself; should it not, the next night does
    if end(night) != 0:
        finish(home)
    assert reader.is_alive()


def test_marts_after_a_killed_load_are_those_of_an_undisturbed_home(home: Home, published_home: Home) -> None:
    assert published_content(home.settings) == published_content(published_home.settings)


def test_worker_killed_while_dbt_builds(home: Home) -> None:
    before = published_content(home.settings)
    home.deliver(*MAY)
    with held_up(home.settings, "build_core.dim_date", "access share") as waiting:
        night = home.command("nightly")
        assert waiting() == "dbt"
        kill_workers(home.settings)
        assert published_content(home.settings) == before
    if end(night) != 0:
        finish(home)
    assert published_content(home.settings) != before
    with connect(home.settings) as connection:
        ended = connection.execute("select state from quality.build order by build_id desc limit 2").fetchall()
    assert ended == [("published",), ("failed",)]


def test_worker_killed_while_publishing(home: Home) -> None:
    before = published_content(home.settings)
    home.deliver(*JUNE)
    with held_up(home.settings, "burglary.burglary_monthly", "share") as waiting:
        night = home.command("nightly")
        assert waiting() == "saferkc build"
        kill_workers(home.settings)
        assert published_content(home.settings) == before
    if end(night) != 0:
        finish(home)
    assert published_content(home.settings) != before


def test_database_killed_while_loading(home: Home) -> None:
    before = published_content(home.settings)
    home.deliver(*JULY)
    with held_up(home.settings, "raw.police_open_street", "share") as waiting:
        night = home.command("nightly")
        assert "load" in waiting()
        postmaster = (embedded.data_dir(home.settings) / "postmaster.pid").read_text().split()[0]
        psutil.Process(int(postmaster)).kill()
        output, _ = night.communicate(timeout=120)
    assert night.returncode == 1
    assert "PostgreSQL ended" in output
    assert "Traceback" not in output

    finish(home)
    assert published_content(home.settings) != before


def test_marts_after_all_that_are_those_of_an_undisturbed_home(home: Home, published_home: Home) -> None:
    for months in (MAY, JUNE, JULY):
        published_home.deliver(*months)
    status, output = published_home.saferkc("nightly")
    assert status == 0, output
    assert published_content(home.settings) == published_content(published_home.settings)


def test_reader_saw_one_build_at_any_moment(reader: Reader) -> None:
    reader.finish()
    assert reader.answers > 100
    assert len(reader.seen) >= 3
    for build_id, told in reader.seen.items():
        assert len(told) == 1, f"while build {build_id} was published, readers were told different things"
        (_, newest_row, _) = next(iter(told))
        assert isinstance(newest_row, int)
        assert newest_row <= build_id
