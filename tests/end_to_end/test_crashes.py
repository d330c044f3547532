"""Killed in the middle: the next run reaches the same marts, and a reader sees one build at any moment.

Kills that are to hit one step are made certain by a lock: the work waits for a table, is killed while it waits, and
the lock goes. Others come at random moments. What an undisturbed warehouse would hold is built beside it, from the
same deliveries in one build and without Airflow.
"""

from __future__ import annotations

import contextlib
import dataclasses
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from home_helpers import FIRST_MONTHS, Home, content_of, published_content
from saferkc.orchestration import airflow
from saferkc.settings import Settings
from saferkc.simulation import deliver_partners
from saferkc.warehouse import embedded
from saferkc.warehouse.connection import connect

sys.path.append(str(Path(__file__).parents[1] / "integration"))
from marts_helpers import begin_build, load_inbox, run_dbt

MAY, JUNE = ((date(2017, month, 1), date(2017, month, 30)) for month in (5, 6))
PARTNERS = {"date_from": date(2017, 5, 1), "date_to": date(2017, 6, 30), "scale": 0.02, "nights": 3, "truth": False}
RANDOM_KILLS = 8
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


class Nights:
    """Nights one after another, as people run them after a crash, until one is published."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._begun = 1
        self._night: subprocess.Popen[str] = home.command("nightly")

    def go_on(self) -> bool:
        """Begin another night where the last one failed; whether any is under way."""
        if self._night.poll() is None:
            return True
        output, _ = self._night.communicate()
        if self._night.returncode == 0:
            return False
        assert self._begun < 4, output
        self._begun += 1
        self._night = self._home.command("nightly")
        return True

    def finish(self) -> None:
        """Wait until a night was published."""
        while self.go_on():
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._night.wait(timeout=400)


@pytest.fixture(scope="module")
def home(published_home: Home) -> Home:
    """The home of the other tests, after its first night."""
    return published_home


@pytest.fixture(scope="module")
def reader(home: Home) -> Iterator[Reader]:
    reader = Reader(home.settings)
    reader.start()
    yield reader
    reader.finish()


@contextlib.contextmanager
def held_up(
    settings: Settings, table: str, mode: str, meanwhile: Callable[[], object] = lambda: None
) -> Iterator[Callable[[], str]]:
    """Lock a table; what is given waits until somebody waits for it and returns that session's name."""
    with contextlib.closing(psycopg.connect(settings.warehouse_url)) as lock:
        lock.execute(f"lock table {table} in {mode} mode".encode())

        def waiting_session() -> str:
            deadline = time.monotonic() + 900
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
                meanwhile()
                time.sleep(0.1)
            raise AssertionError(f"nothing came to {table}")

        yield waiting_session
        with contextlib.suppress(psycopg.Error):
            lock.rollback()


def workers_at_work(settings: Settings) -> list[list[psutil.Process]]:
    """Every worker that is at work, with the processes of its task."""
    found = []
    for worker in psutil.Process(airflow.running_components(settings)["scheduler"]).children():
        with contextlib.suppress(psutil.NoSuchProcess):  # other tasks end meanwhile
            tasks = worker.children(recursive=True)
            found += [[worker, *tasks]] if tasks else []
    return found


def kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def copy_changes_in_counting(settings: Settings, to: Settings) -> None:
    """Give another warehouse the ledger of changes in counting: marts rest on it, and on which night saw what."""
    table = "quality.recording_change"
    with (
        connect(settings) as own,
        connect(to) as other,
        own.cursor().copy(f"copy {table} to stdout") as rows,
        other.cursor().copy(f"copy {table} from stdin") as entered,
    ):
        for row in rows:
            entered.write(row)


def kill_workers(settings: Settings) -> None:
    """SIGKILL every worker that is at work, and its task."""
    victims = workers_at_work(settings)
    assert victims, "no worker was at work"
    for processes in victims:
        kill(processes)


# --- tests, each on what the one before has left ------------------------------------------------------------


def test_workers_killed_while_loading_building_and_publishing(home: Home, reader: Reader) -> None:
    before = published_content(home.settings)
    home.deliver(*MAY)
    nights = Nights(home)
    with held_up(home.settings, "raw.mps_recorded_crime", "share", nights.go_on) as waiting:
        assert "load" in waiting()
        kill_workers(home.settings)
    # Airflow notices the silence and tries again by itself; should it not, the next night does
    with held_up(home.settings, "build_core.dim_date", "access share", nights.go_on) as waiting:
        assert waiting() == "dbt"
        kill_workers(home.settings)
        assert published_content(home.settings) == before
    with held_up(home.settings, "burglary.burglary_monthly", "share", nights.go_on) as waiting:
        assert waiting() == "saferkc build"
        kill_workers(home.settings)
        assert published_content(home.settings) == before
    nights.finish()
    assert published_content(home.settings) != before
    with connect(home.settings) as connection:
        ended = connection.execute("select state from quality.build order by build_id desc limit 2").fetchall()
    assert ended == [("published",), ("failed",)]
    assert reader.is_alive()


def test_database_killed_while_loading(home: Home) -> None:
    home.deliver(*JUNE)
    deliver_partners(home.settings, **PARTNERS)  # type: ignore[arg-type]
    with held_up(home.settings, "raw.police_open_street", "share") as waiting:
        night = home.command("nightly")
        assert "load" in waiting()
        postmaster = (embedded.data_dir(home.settings) / "postmaster.pid").read_text().split()[0]
        psutil.Process(int(postmaster)).kill()
        output, _ = night.communicate(timeout=120)
    assert night.returncode == 1
    assert "PostgreSQL ended" in output
    assert "Traceback" not in output


def test_workers_killed_at_random_moments_of_the_partners_night(home: Home) -> None:
    chance = random.Random(2017)  # noqa: S311  (no secret)
    killed = 0
    nights = Nights(home)
    while nights.go_on() and killed < RANDOM_KILLS:
        time.sleep(chance.uniform(0.2, 3))
        with contextlib.suppress(KeyError, psutil.NoSuchProcess):  # Airflow is not up yet
            workers = workers_at_work(home.settings)
            if workers:
                kill(chance.choice(workers))
                killed += 1
    nights.finish()
    assert killed == RANDOM_KILLS
    with connect(home.settings) as connection:
        waiting = connection.execute("select count(*) from quality.arrival where taken_at is null").fetchone()
    assert waiting == (0,)


def test_all_that_is_as_if_nothing_had_happened(
    home: Home, new_warehouse: Any, template_database: str, tmp_path: Path
) -> None:
    with new_warehouse(tmp_path, template_database) as own:
        # the same keys, so that the same person has the same token in both
        undisturbed = Home(
            dataclasses.replace(own, project_root=home.settings.project_root, keys_dir=home.settings.keys)
        )
        for months in (FIRST_MONTHS, MAY, JUNE):
            undisturbed.deliver(*months)
            load_inbox(undisturbed.settings)
        deliver_partners(undisturbed.settings, **PARTNERS)  # type: ignore[arg-type]
        load_inbox(undisturbed.settings)
        copy_changes_in_counting(home.settings, undisturbed.settings)
        _, full_refresh = begin_build(undisturbed.settings)
        only_tables = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
        assert run_dbt(undisturbed.settings, *only_tables, full_refresh=full_refresh) == []
        expected = content_of(undisturbed.settings, "build_")
        found = published_content(home.settings)
        assert len(found) > 20
        assert {table: expected.get(table) for table in found} == found


def test_reader_saw_one_build_at_any_moment(reader: Reader) -> None:
    reader.finish()
    assert reader.answers > 100
    assert len(reader.seen) >= 3
    for build_id, told in reader.seen.items():
        assert len(told) == 1, f"while build {build_id} was published, readers were told different things"
        (_, newest_row, _) = next(iter(told))
        assert isinstance(newest_row, int)
        assert newest_row <= build_id
