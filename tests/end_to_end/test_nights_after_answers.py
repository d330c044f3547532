"""The last nights of the home: people have answered before, and every feed brings canaries.

No trace of a person is left after nights in real Airflow: its database, logs and what tasks hand on are searched, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import islice

import pytest
from browsing_helpers import signed_in, url
from canary import Canary, files_in, rows_in, traces
from canary_deliveries import deliveries_of, people
from home_helpers import SUSPECTED, Home, ask_about
from playwright.sync_api import Browser
from saferkc.contracts import load_contracts
from saferkc.orchestration.client import AirflowClient
from saferkc.warehouse.connection import connect, fetch_all

EACH = 7  # of every kind that a feed's deliveries come in: the first of it, then every seventh
SERIES, OF_MARCH = "/series?name=burglary/residential", "Counted differently from 1 March 2017"
SUSPECTED_IN_MARCH = SUSPECTED | {
    "feed": "mps_recorded_crime", "effective_month": date(2017, 3, 1),
    "evidence": {
        "sentences": ["“Burglary in a Dwelling” rose while “Burglary in Other Buildings” fell."],
        "classes": ["Burglary in a Dwelling", "Burglary in Other Buildings"], "bridged_parent": "Burglary",
    },
}  # fmt: skip


def everything(home: Home) -> Iterator[tuple[str, bytes]]:
    """All that is kept, outside encrypted landing and keys: both databases and every file of the home."""
    settings = home.settings
    for url_of in (settings.warehouse_url, settings.airflow_db_url):
        with connect(settings, autocommit=True) as connection:
            connection.execute("checkpoint")
        yield from rows_in(url_of)
    yield from files_in(settings.home, but=lambda path: path.suffix == ".age" or path.parent == settings.keys)


@pytest.fixture(scope="module")
def answered_home(published_home: Home, browser: Browser) -> Home:
    """The home after somebody confirmed a change of recording in a browser; the published series has no break yet."""
    number = ask_about(published_home, SUSPECTED_IN_MARCH)
    with signed_in(published_home, browser, "ada", SERIES) as page:
        assert page.get_by_role("rowheader", name="March 2017").is_visible()
        assert page.get_by_text(OF_MARCH).count() == 0
        page.goto(url(published_home, f"/alerts/{number}"))
        page.get_by_label("Why?").fill("The force's crime registrar, by telephone")
        page.get_by_role("button", name="Recording change: confirm").click()
        page.get_by_text("by telephone").first.wait_for()
    return published_home


@pytest.fixture(scope="module")
def canary() -> Canary:
    return Canary("delta", 963)


@pytest.fixture(scope="module")
def said(answered_home: Home, canary: Canary) -> list[tuple[int, str]]:
    """What the command line said of a night that is held, of answers to that, and of a night that publishes."""
    settings = answered_home.settings
    for contract in people(load_contracts(settings.contracts_dir)).values():
        for source, name, content in islice(deliveries_of(contract, canary), 0, None, EACH):
            (settings.inbox / source).mkdir(parents=True, exist_ok=True)
            (settings.inbox / source / name).write_bytes(content)
    began = datetime.now(UTC)
    said = [answered_home.saferkc("nightly")]
    # they come months after the last delivery: a gap that holds the build until the team has looked at it
    assert said[0][0] == 2, said[0][1]
    # Airflow shows that nothing was published; runs of the same night that found nothing new end well
    assert "failed" in {run.state for run in AirflowClient(settings).runs(since=began, dag_id="warehouse")}
    with connect(settings) as connection:
        faults = fetch_all(connection, "select change_id from quality.recording_change where kind = 'data_fault'")
    assert faults
    for fault in faults:
        said.append(answered_home.saferkc("changes", "reject", str(fault["change_id"]), "--note", "only canaries came"))
    said.append(answered_home.saferkc("nightly"))
    assert said[-1][0] == 0, said[-1][1]
    return said


@pytest.mark.usefixtures("said")
def test_a_confirmed_change_breaks_its_series_from_the_next_build(answered_home: Home, browser: Browser) -> None:
    with signed_in(answered_home, browser, "ada", SERIES) as page:
        page.get_by_text(OF_MARCH).first.wait_for()


def test_nights_leave_no_trace_of_anybody(answered_home: Home, said: list[tuple[int, str]], canary: Canary) -> None:
    settings = answered_home.settings
    feeds = people(load_contracts(settings.contracts_dir))
    told = [output for _, output in said]
    told += [
        answered_home.saferkc(*words.split())[1] for words in ("status", "status --json", "alerts --all", "doctor")
    ]
    assert traces(canary.needles, [("said", "".join(told).encode())]) == []
    found = traces(canary.needles, everything(answered_home))
    assert not found, "\n".join(found)
    with connect(settings) as connection:
        counted = fetch_all(connection, "select feed, state, count(*) as n from quality.delivery group by 1, 2")
    came = {(row["feed"], row["state"]) for row in counted}
    assert {(feed, "admitted") for feed in feeds} <= came
    assert {state for _, state in came} >= {"admitted", "refused"}
    assert list((settings.airflow_home / "logs").rglob("*.log")), "there were logs to search"
