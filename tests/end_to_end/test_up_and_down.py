"""Starting and stopping: nothing is left behind, not even by a crash."""

from __future__ import annotations

import psutil
import pytest
from home_helpers import Home, new_home
from saferkc.orchestration import airflow
from saferkc.orchestration.client import AirflowClient
from saferkc.warehouse import embedded


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> object:
    own = new_home(tmp_path_factory.mktemp("second") / "home")
    yield own
    own.clear()


def test_second_home_runs_beside_the_first_and_down_leaves_no_process(home: Home, running_home: Home) -> None:
    status, output = home.saferkc("up")
    assert status == 0, output
    for each in (home, running_home):
        assert airflow.is_running(each.settings)
        assert AirflowClient(each.settings).unhealthy_components() == []
    mine = [*airflow.processes(home.settings), *embedded.server_processes(home.settings)]
    assert len(mine) > 10

    # a crash: the scheduler and the server die and leave their children
    psutil.Process(airflow.running_components(home.settings)["scheduler"]).kill()
    psutil.Process(int((embedded.data_dir(home.settings) / "postmaster.pid").read_text().split()[0])).kill()
    status, output = home.saferkc("down")
    assert status == 0, output
    assert [process for process in mine if process.is_running() and process.status() != psutil.STATUS_ZOMBIE] == []
    assert airflow.processes(home.settings) == []
    assert airflow.is_running(running_home.settings)

    status, output = home.saferkc("down")
    assert (status, output.splitlines()[-1]) == (0, "Nothing was running.")


def test_home_that_was_never_started_says_so(home: Home) -> None:
    status, output = home.saferkc("status")
    assert status == 1
    assert "was never started: run `saferkc up`" in output
    assert len(output.splitlines()) == 1


def test_up_again_does_nothing(running_home: Home) -> None:
    running_home.saferkc("up")
    before = airflow.running_components(running_home.settings)
    status, output = running_home.saferkc("up")
    assert status == 0
    assert "All was up already." in output
    assert airflow.running_components(running_home.settings) == before
