"""A night through real Airflow: from files in the inbox to published marts, and nothing twice."""

from __future__ import annotations

import json
import time
from typing import Any

import psycopg
from home_helpers import Home, published_content
from saferkc.orchestration.client import AirflowClient
from saferkc.warehouse.connection import connect, fetch_all


def test_night_publishes_and_accounts_for_every_row(published_home: Home) -> None:
    status, output = published_home.saferkc("status", "--json")
    assert status == 0, output
    told = json.loads(output)
    assert told["builds"][0]["state"] == "published"
    assert told["builds"][0]["models_built"] > 20
    assert len(told["deliveries"]) > 5
    for feed in told["deliveries"]:
        parts = feed["rows_admitted"] + feed["rows_unchanged"] + feed["rows_quarantined"]
        assert feed["rows_in"] == parts, feed["feed"]
        assert feed["is_simulated"], feed["feed"]
    content = published_content(published_home.settings)
    assert len(content) > 60
    # the marts of the open feeds, which are all that this home was given
    for table in (
        "core.fct_street_crime",
        "core.fct_stop_search",
        "burglary.burglary_monthly",
        "vawg.vawg_london_monthly",
    ):
        assert not content[table].startswith("0 rows"), table


def test_a_night_leaves_its_durations_logs_and_lineage(published_home: Home) -> None:
    told = json.loads(published_home.saferkc("status", "--json")[1])
    came = [feed for feed in told["tonight"] if feed["state"] != "never_came"]
    assert {feed["feed"] for feed in came} == {feed["feed"] for feed in told["deliveries"]}
    # what waits was admitted, and is published
    assert told["deadline"]["why"] == "everything that came is published"
    build_id = told["builds"][0]["build_id"]
    assert [run["task"] for run in told["builds"][0]["tasks"]] == ["watch", "dbt", "audit", "publish"]
    with connect(published_home.settings) as connection:
        of_feeds = fetch_all(connection, "select distinct task from quality.task_run where feed is not null")
    assert {row["task"] for row in of_feeds} == {"land", "load", "check"}
    logged = _lines(published_home, "logs")
    assert {line["task"] for line in logged if line.get("build_id") == build_id} >= {"watch", "audit", "publish"}
    assert any(line["event"] == "a delivery was admitted" and line["delivery_id"] for line in logged)
    lineage = _lines(published_home, "lineage")
    made = {(source["name"], mart["name"]) for e in lineage for source in e["inputs"] for mart in e["outputs"]}
    assert ("police_open_street", "warehouse.raw.police_open_street") in made
    assert any(mart == "warehouse.build_burglary.burglary_monthly" for _, mart in made)
    assert any(source == "warehouse.raw.police_open_street" for source, _ in made)


def _lines(home: Home, folder: str) -> list[dict[str, Any]]:
    return [
        json.loads(line) for file in (home.settings.home / folder).iterdir() for line in file.read_text().splitlines()
    ]


def test_inbox_is_empty_after_the_night(published_home: Home) -> None:
    assert [path for path in published_home.settings.inbox.rglob("*") if path.is_file()] == []


def test_build_shows_a_task_a_model_and_dbt_ran_once(published_home: Home) -> None:
    client = AirflowClient(published_home.settings)
    run = next(run for run in client.runs(dag_id="warehouse", states=("success",)))
    states = {task.task_id: task.state for task in client.tasks(run.dag_id, run.run_id)}
    assert {"begin", "dbt.dbt_producer_watcher", "audit", "publish", "data_docs"} <= set(states)
    results = list((published_home.settings.home / "dbt" / "builds").glob("*.json"))
    built = [row["unique_id"].split(".") for row in json.loads(results[0].read_text())["results"]]
    assert {kind for kind, *_ in built} == {"model", "test", "seed"}
    models = {f"dbt.{name}_run" for kind, _, name, *_ in built if kind == "model"}
    assert "dbt.burglary_monthly_run" in models
    assert {task_id for task_id in states if task_id.endswith("_run")} == models
    assert {states[task_id] for task_id in models} == {"success"}
    # and told Airflow of models alone, for each of which it waits
    with psycopg.connect(published_home.settings.airflow_db_url) as connection:
        keys = connection.execute("select key from xcom where task_id = 'dbt.dbt_producer_watcher'").fetchall()
    told = {key.removesuffix("_status") for (key,) in keys if key.startswith(("model__", "test__", "seed__"))}
    assert told == {f"model__saferkc__{name.removeprefix('dbt.').removesuffix('_run')}" for name in models}
    # it looked for changes in counting before, in every feed that was delivered, and asked of them while auditing
    assert states["watch"] == "success"
    with connect(published_home.settings) as connection:
        asked = fetch_all(
            connection,
            "select feed, suite, success from quality.check_result where build_id = %s and feed is not null",
            [json.loads(published_home.saferkc("status", "--json")[1])["builds"][0]["build_id"]],
        )
    looked_at = {row["feed"] for row in asked if row["suite"] == "looks for changes in counting"}
    assert "mps_recorded_crime" in looked_at
    assert {row["feed"] for row in asked if row["suite"].startswith("counting of ")} == looked_at
    assert all(row["success"] for row in asked)


def test_the_dags_beside_the_nights_end_well(published_home: Home) -> None:
    """Messages that wait are sent, and what is late is looked for: their tasks find all that they need in Airflow."""
    client = AirflowClient(published_home.settings)
    runs = [client.trigger(dag_id, {}) for dag_id in ("alerts", "monitoring")]
    while not all(run.is_finished for run in runs):
        time.sleep(1)
        runs = [client.run(run.dag_id, run.run_id) for run in runs]
        # a task that is tried once more has failed: nobody waits for its last try
        again = [task for run in runs for task in client.tasks(run.dag_id, run.run_id) if task.try_number > 1]
        assert not again
    assert {run.dag_id: run.state for run in runs} == {"alerts": "success", "monitoring": "success"}


def test_second_night_with_nothing_new_adds_nothing(published_home: Home) -> None:
    counted = "select (select count(*) from quality.delivery) as d, (select count(*) from quality.build) as b"
    with connect(published_home.settings) as connection:
        before = fetch_all(connection, counted)
    content = published_content(published_home.settings)
    status, output = published_home.saferkc("nightly")
    assert status == 0, output
    assert "Nothing new" in output
    with connect(published_home.settings) as connection:
        assert fetch_all(connection, counted) == before
    assert published_content(published_home.settings) == content


def test_console_is_quiet(published_home: Home) -> None:
    _, output = published_home.saferkc("nightly")
    for chatter in ("Warning", "WARNING", "Traceback", "INFO", "[info"):
        assert chatter not in output


def test_replay_of_a_month_judges_landed_files_again(published_home: Home) -> None:
    content = published_content(published_home.settings)
    status, output = published_home.saferkc(
        "backfill", "--feed", "police_open_street", "--from", "2017-03-01", "--to", "2017-03-31"
    )
    assert status == 0, output
    with connect(published_home.settings) as connection:
        states = fetch_all(
            connection,
            "select state from quality.delivery where feed = 'police_open_street' order by delivery_id desc limit 1",
        )
    assert states == [{"state": "duplicate"}]
    assert published_content(published_home.settings) == content


def test_query_can_read_and_change_nothing(published_home: Home) -> None:
    status, output = published_home.saferkc("sql", "--csv", "select count(*) as n from quality.build")
    assert (status, output.splitlines()[0]) == (0, "n")
    for attempt in ("delete from quality.build", "select 1; delete from quality.build", "create table t (a int)"):
        status, output = published_home.saferkc("sql", attempt)
        assert status == 1
        assert output.startswith("saferkc: the query failed: ")


def test_unknown_feed_is_told_in_one_line(published_home: Home) -> None:
    status, output = published_home.saferkc("nightly", "--feed", "police_ofences")
    assert status == 1
    assert "there is no feed police_ofences; the feeds are" in output
    assert "Traceback" not in output
