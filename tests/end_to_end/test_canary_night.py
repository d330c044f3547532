"""No trace of a person after a night in real Airflow: its database, logs and what tasks hand on are searched, too."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice

from canary import Canary, files_in, rows_in, traces
from canary_deliveries import deliveries_of, people
from home_helpers import Home
from saferkc.contracts import load_contracts
from saferkc.orchestration.client import AirflowClient
from saferkc.warehouse.connection import connect, fetch_all

EACH = 7  # of every kind that a feed's deliveries come in: the first of it, then every seventh


def everything(home: Home) -> Iterator[tuple[str, bytes]]:
    """All that is kept, outside encrypted landing and keys: both databases and every file of the home."""
    settings = home.settings
    for url in (settings.warehouse_url, settings.airflow_db_url):
        with connect(settings, autocommit=True) as connection:
            connection.execute("checkpoint")
        yield from rows_in(url)
    yield from files_in(settings.home, but=lambda path: path.suffix == ".age" or path.parent == settings.keys)


def test_a_night_leaves_no_trace_of_anybody(published_home: Home) -> None:
    canary = Canary("delta", 963)
    settings = published_home.settings
    feeds = people(load_contracts(settings.contracts_dir))
    for contract in feeds.values():
        for source, name, content in islice(deliveries_of(contract, canary), 0, None, EACH):
            (settings.inbox / source).mkdir(parents=True, exist_ok=True)
            (settings.inbox / source / name).write_bytes(content)
    began = datetime.now(UTC)
    said = [published_home.saferkc("nightly")]
    # they come months after the last delivery: a gap that holds the build until the team has looked at it
    assert said[0][0] == 2, said[0][1]
    # Airflow shows that nothing was published; runs of the same night that found nothing new end well
    assert "failed" in {run.state for run in AirflowClient(settings).runs(since=began, dag_id="warehouse")}
    with connect(settings) as connection:
        faults = fetch_all(connection, "select change_id from quality.recording_change where kind = 'data_fault'")
    assert faults
    for fault in faults:
        said.append(
            published_home.saferkc("changes", "reject", str(fault["change_id"]), "--note", "only canaries came")
        )
    said.append(published_home.saferkc("nightly"))
    assert said[-1][0] == 0, said[-1][1]
    said += [published_home.saferkc(*words.split()) for words in ("status", "status --json", "alerts --all", "doctor")]
    assert traces(canary.needles, [("said", "".join(output for _, output in said).encode())]) == []
    found = traces(canary.needles, everything(published_home))
    assert not found, "\n".join(found)
    with connect(settings) as connection:
        counted = fetch_all(connection, "select feed, state, count(*) as n from quality.delivery group by 1, 2")
    came = {(row["feed"], row["state"]) for row in counted}
    assert {(feed, "admitted") for feed in feeds} <= came
    assert {state for _, state in came} >= {"admitted", "refused"}
    assert list((settings.airflow_home / "logs").rglob("*.log")), "there were logs to search"
