"""Make the monthly performance pack. Its one task is one call of the library."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, CronTriggerTimetable, Param, task
from saferkc.orchestration.pages import PERFORMANCE_PACK

with DAG(
    dag_id="performance_pack",
    description="Make the monthly performance pack for the Board",
    doc_md=PERFORMANCE_PACK,
    schedule=CronTriggerTimetable("0 8 10 * *", timezone="Europe/London"),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=1),
    default_args={"owner": "Community safety analysts", "retries": 2, "retry_delay": timedelta(minutes=5)},
    params={
        "month": Param(None, type=["null", "string"], pattern=r"^\d{4}-\d{2}$", description="Such as 2017-12"),
        "audience": Param("board", type="string", description="Whose pack"),
    },
    tags=["performance_pack", "Community safety analysts", "tier_2", "triage/community_safety_team"],
) as dag:

    @task
    def make(params: dict[str, Any]) -> None:
        """Write the pack of a month, by default the newest whole one of the published build, as HTML and PDF."""
        from datetime import date

        from saferkc.pack.write import make_pack
        from saferkc.settings import Settings

        month = date.fromisoformat(f"{params['month']}-01") if params["month"] else None
        make_pack(Settings.load(), month=month, audience=params["audience"])

    make()
