"""Send the messages that wait: every hour, and at the end of a night (a task of the warehouse's run)."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, CronTriggerTimetable, task
from saferkc.orchestration.pages import ALERTS
from saferkc.settings import Settings

with DAG(
    dag_id="alerts",
    description="Send the messages that wait, the morning summary and the weekly digest",
    doc_md=ALERTS,
    schedule=CronTriggerTimetable("5 * * * *", timezone="Europe/London"),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(minutes=30),
    default_args={"owner": "Data engineers", "retries": 0},
    tags=["alerts", "Data engineers", "tier_2", "triage/engineers"],
) as dag:

    @task
    def send() -> None:
        """Queue the summaries that are due and send what waits."""
        from saferkc.alerts.sending import send_messages

        send_messages(Settings.load())

    send()
