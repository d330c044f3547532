"""Look every half hour whether all went as it should. The task is one call of the library."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, CronTriggerTimetable, task
from saferkc.orchestration.pages import MONITORING
from saferkc.settings import Settings

with DAG(
    dag_id="monitoring",
    description="Feeds that are late, marts that are not ready, and the metrics",
    doc_md=MONITORING,
    # ten minutes after the times at which feeds and marts are due
    schedule=CronTriggerTimetable("10,40 * * * *", timezone="Europe/London", run_immediately=timedelta(0)),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(minutes=20),
    default_args={"owner": "Data engineers", "retries": 1, "retry_delay": timedelta(seconds=30)},
    tags=["monitoring", "Data engineers", "tier_2", "triage/engineers"],
) as dag:

    @task
    def look() -> None:
        """Bring the alerts about lateness and the deadline up to date, and send the metrics."""
        from saferkc.monitoring import look

        look(Settings.load())

    look()
