"""The embedded PostgreSQL: starting, stopping, and what crashes and neighbours do to it."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import psutil
import psycopg
import pytest
from saferkc.settings import Settings
from saferkc.warehouse import embedded

Answer = TypeVar("Answer")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Settings]:
    own = Settings(home=tmp_path / "home", project_root=tmp_path, external_warehouse_url=None)
    yield own
    embedded.stop(own)
    shutil.rmtree(own.home, ignore_errors=True)


def answer(settings: Settings, query: str) -> object:
    with psycopg.connect(settings.warehouse_url, autocommit=True) as connection:
        cursor = connection.execute(query.encode())
        row = cursor.fetchone() if cursor.description else None
    return row[0] if row else None


def of_each_process(home: Settings, ask: Callable[[psutil.Process], Answer]) -> list[Answer]:
    """Ask each process of the server; autovacuum's workers may be gone before they answer."""
    answers = []
    for process in embedded.server_processes(home):
        with contextlib.suppress(psutil.NoSuchProcess):
            answers.append(ask(process))
    return answers


def test_first_start_makes_the_databases_and_a_second_does_nothing(home: Settings) -> None:
    assert embedded.start(home)
    assert embedded.is_running(home)
    assert not embedded.start(home)
    assert answer(home, "select count(*) from pg_database where datname in ('warehouse', 'airflow')") == 2
    assert answer(home, "select current_user") == "saferkc"


def test_it_asks_for_the_password_and_listens_on_this_machine_only(home: Settings) -> None:
    embedded.start(home)
    port = home.runtime()["postgres_port"]
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(f"postgresql://saferkc:guess@127.0.0.1:{port}/warehouse")
    listening = {
        connection.laddr.ip
        for connections in of_each_process(home, lambda process: process.net_connections("inet"))
        for connection in connections
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}
    assert home.runtime_file.stat().st_mode & 0o077 == 0


def test_stop_leaves_no_process_and_keeps_the_data(home: Settings) -> None:
    embedded.start(home)
    answer(home, "create table kept as select 42 as a")
    assert embedded.stop(home)
    assert embedded.server_processes(home) == []
    assert not embedded.is_running(home)
    assert not embedded.stop(home)
    embedded.start(home)
    assert answer(home, "select a from kept") == 42


def test_killed_server_recovers_what_was_committed_and_nothing_else(home: Settings) -> None:
    embedded.start(home)
    answer(home, "create table kept as select 1 as a")
    with contextlib.closing(psycopg.connect(home.warehouse_url)) as unfinished:
        unfinished.execute("insert into kept values (2)")
        kill_postmaster(home)
        assert not embedded.is_running(home)
    assert embedded.start(home)
    assert answer(home, "select array_agg(a) from kept") == [1]


def test_orphan_of_a_killed_server_does_not_keep_it_from_starting(home: Settings) -> None:
    embedded.start(home)
    # a backend in the middle of a computation does not look whether its postmaster lives
    busy = "select count(*) from generate_series(1, 2000000000)"
    worker = subprocess.Popen(
        [sys.executable, "-c", f"import psycopg; psycopg.connect({home.warehouse_url!r}).execute({busy!r})"],
        stderr=subprocess.DEVNULL,
    )
    wait_until(lambda: answer(home, f"select count(*) from pg_stat_activity where query = '{busy}'") == 1)
    kill_postmaster(home)
    assert embedded.server_processes(home), "the test needs an orphan"
    assert embedded.start(home)
    assert answer(home, "select 1") == 1
    worker.wait(timeout=10)


def test_process_file_that_names_another_program_is_no_server(home: Settings) -> None:
    embedded.start(home)
    pid_file = embedded.data_dir(home) / "postmaster.pid"
    stale = pid_file.read_text().split("\n", 1)
    kill_postmaster(home)
    # after a reboot the number belongs to somebody else, here to this very test
    pid_file.write_text(f"{os.getpid()}\n{stale[1]}")
    assert not embedded.is_running(home)
    assert embedded.start(home)
    assert answer(home, "select 1") == 1


def test_port_that_was_taken_meanwhile_is_given_up(home: Settings) -> None:
    embedded.start(home)
    embedded.stop(home)
    before = home.runtime()["postgres_port"]
    with socket.socket() as neighbour:
        neighbour.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        neighbour.bind(("127.0.0.1", before))
        neighbour.listen()
        assert embedded.start(home)
    assert home.runtime()["postgres_port"] != before
    assert answer(home, "select 1") == 1


def test_port_stays_the_same_where_it_is_free(home: Settings) -> None:
    embedded.start(home)
    before = home.runtime()["postgres_port"]
    embedded.stop(home)
    embedded.start(home)
    assert home.runtime()["postgres_port"] == before


def test_two_homes_run_side_by_side(home: Settings, tmp_path: Path) -> None:
    other = Settings(home=tmp_path / "other", project_root=tmp_path, external_warehouse_url=None)
    try:
        embedded.start(home)
        embedded.start(other)
        answer(home, "create table mine (a int)")
        assert answer(other, "select to_regclass('mine')") is None
        embedded.stop(other)
        assert embedded.is_running(home)
    finally:
        embedded.stop(other)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has its server run under another account")
def test_root_can_keep_its_home_in_a_private_folder(tmp_path: Path) -> None:
    private = tmp_path / "private folder"
    private.mkdir(mode=0o700)
    home = Settings(home=private / "home", project_root=tmp_path, external_warehouse_url=None)
    try:
        embedded.start(home)
        assert answer(home, "select 1") == 1
        owners = {uids.real for uids in of_each_process(home, psutil.Process.uids)}
        assert owners
        assert 0 not in owners
        assert private.stat().st_mode & 0o777 == 0o700
    finally:
        embedded.stop(home)


def test_first_start_that_was_broken_off_is_begun_anew(home: Settings) -> None:
    (home.postgres_dir / "draft").mkdir(parents=True)
    (home.postgres_dir / "draft" / "half").write_text("")
    embedded.data_dir(home).mkdir()
    assert embedded.start(home)
    assert answer(home, "select 1") == 1


def kill_postmaster(settings: Settings) -> None:
    pid = int((embedded.data_dir(settings) / "postmaster.pid").read_text().split("\n", 1)[0])
    process = psutil.Process(pid)
    process.kill()
    process.wait(10)


def wait_until(condition: object, seconds: float = 15) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass in time"
        time.sleep(0.05)
