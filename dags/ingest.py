"""One DAG a contract: what an agency sent is landed, loaded and checked. Each task is one call of the library."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from airflow.sdk import DAG, Asset, CronTriggerTimetable, Param, get_parsing_context, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from saferkc.contracts import Contract, load_contracts
from saferkc.orchestration.pages import ingest_page
from saferkc.settings import Settings

# this module is read again before each task, so the tasks import what they need and no other task does


def ingest_dag(contract: Contract) -> DAG:
    """Make the DAG of one feed."""
    feed = contract.feed
    day = Param(None, type=["null", "string"], format="date", description="Replay: day in the deliveries' period")
    with DAG(
        dag_id=f"ingest_{feed}",
        description=contract.name,
        doc_md=ingest_page(contract),
        schedule=CronTriggerTimetable(
            contract.operation.schedule, timezone="Europe/London", run_immediately=timedelta(0)
        ),
        catchup=False,
        max_active_runs=1,
        dagrun_timeout=timedelta(hours=6),
        default_args={
            "owner": contract.team.name,
            "retries": 2,
            "retry_delay": timedelta(seconds=15),
            "retry_exponential_backoff": True,
            "max_retry_delay": timedelta(minutes=10),
        },
        params={"date_from": day, "date_to": day},
        tags=["ingest", contract.team.name, contract.operation.impact_tier, contract.operation.triage],
    ) as dag:
        # an agency that does not answer is asked again after 1/2, 1 and 2 minutes, and then in the next night
        @task(retries=3, retry_delay=timedelta(seconds=30))
        def land(params: dict[str, Any], ti: Any, dag_run: Any) -> list[int]:
            """Fetch from the agency, take files from the inbox (in a replay, landed ones again); return arrivals."""
            from saferkc.landing import FetchError, bring_in, receive, replay

            settings = Settings.load()
            if params["date_from"] and params["date_to"]:
                replay(settings, feed, *(date.fromisoformat(params[name]) for name in ("date_from", "date_to")))
                arrivals = receive(settings, feed)
            else:
                asked_at = dag_run.run_after if ti.try_number == 1 else ti.start_date
                try:
                    is_last_try = ti.try_number > ti.max_tries
                    arrivals = bring_in(settings, feed, asked_at=asked_at, is_last_try=is_last_try)
                except FetchError as error:
                    if error.is_passing:
                        raise
                    raise AirflowFailException(str(error)) from None
            if not arrivals:
                raise AirflowSkipException(f"nothing arrived for {feed}")
            return arrivals

        @task
        def load(arrivals: list[int]) -> list[int]:
            """Judge the arrivals and take them into raw; return the deliveries that changed something."""
            from saferkc.loading import load_arrivals

            summary = load_arrivals(Settings.load(), feed, arrivals)
            if not summary.changed:
                raise AirflowSkipException(f"nothing new was admitted for {feed}")
            return summary.delivery_ids

        @task(outlets=[Asset(f"raw_{feed}", uri=f"saferkc://raw/{feed}")])
        def check(deliveries: list[int]) -> None:
            """Ask Great Expectations about what was admitted; its success tells the warehouse DAG to build."""
            from saferkc.publishing import check_deliveries

            check_deliveries(Settings.load(), feed, deliveries)

        check(load(land()))
    return dag


asked_for = get_parsing_context().dag_id
for one in load_contracts(Settings.load().contracts_dir).values():
    if asked_for in (None, f"ingest_{one.feed}"):
        globals()[f"ingest_{one.feed}"] = ingest_dag(one)
