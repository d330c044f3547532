"""Build, audit and publish the marts. Each task is one call of the library; dbt is one process, shown by model."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import (
    DAG,
    Asset,
    AssetAny,
    AssetOrTimeSchedule,
    CronTriggerTimetable,
    Param,
    TriggerRule,
    task,
)
from saferkc.orchestration.dbt import dbt_task_group, run_results_file
from saferkc.orchestration.pages import WAREHOUSE
from saferkc.orchestration.waiting import feeds_of, wait_for_ingests
from saferkc.settings import Settings

settings = Settings.load()
feeds = feeds_of(settings)

with DAG(
    dag_id="warehouse",
    description="Build, audit and publish the marts",
    doc_md=WAREHOUSE,
    schedule=AssetOrTimeSchedule(
        timetable=CronTriggerTimetable("30 6 * * *", timezone="Europe/London", run_immediately=timedelta(0)),
        assets=AssetAny(*(Asset(f"raw_{feed}", uri=f"saferkc://raw/{feed}") for feed in feeds)),
    ),
    catchup=False,
    max_active_runs=1,
    # dbt is one of them; more that only ask how far it is would take its cores
    max_active_tasks=4,
    dagrun_timeout=timedelta(hours=12),
    render_template_as_native_obj=True,
    default_args={"owner": "Data engineers", "retries": 2, "retry_delay": timedelta(seconds=15)},
    params={"full_refresh": Param(False, type="boolean", description="Build everything anew")},
    tags=["warehouse", "Data engineers", "tier_1", "triage/engineers"],
) as dag:

    @task.short_circuit
    def begin(params: dict[str, Any], ti: Any, run_id: str) -> dict[str, Any] | None:
        """Wait for the ingest runs, then open a build; end the run when there is nothing to build."""
        from saferkc.publishing import begin_build

        wait_for_ingests(feeds, lambda dag_id: ti.get_dr_count(dag_id, states=["queued", "running"]))
        build = begin_build(Settings.load(), full_refresh=params["full_refresh"], run_id=run_id)
        if build.build_id is None:
            return None
        return {"build_id": build.build_id, "full_refresh": build.full_refresh}

    @task
    def watch(build: dict[str, Any]) -> None:
        """Look for changes in how things are counted in what is new, and keep what is found for the marts."""
        from saferkc.recording.watch import watch

        watch(Settings.load(), build["build_id"])

    @task(trigger_rule=TriggerRule.ALL_DONE, retries=0)
    def audit(build: dict[str, Any]) -> None:
        """Judge the build; raises, and so keeps it from being published, when a check failed."""
        from saferkc.publishing import audit

        results = run_results_file(settings, build["build_id"])
        audit(Settings.load(), build["build_id"], results if results.exists() else None)

    @task
    def publish(build: dict[str, Any]) -> None:
        """Bring the published marts to this build, in one transaction."""
        from saferkc.publishing import publish

        publish(Settings.load(), build["build_id"])

    @task(trigger_rule=TriggerRule.ALL_DONE)
    def data_docs(build: dict[str, Any]) -> None:
        """Write the pages with the results of the checks."""
        from saferkc.publishing import build_data_docs

        build_data_docs(Settings.load(), build["build_id"])

    @task(trigger_rule=TriggerRule.ALL_DONE, retries=0)
    def send() -> None:
        """Send the messages that wait; what can't be sent now goes with the next run of `alerts`."""
        from saferkc.alerts.sending import send_messages

        send_messages(Settings.load())

    started = begin()
    watched, audited, published = watch(started), audit(started), publish(started)
    models = dbt_task_group(settings, build="begin")
    for root in models.get_roots():
        # a look that can't be made keeps no mart from being built: the audit says that it is missing
        root.trigger_rule = TriggerRule.ALL_DONE_MIN_ONE_SUCCESS
    [started, watched] >> models >> audited >> published >> data_docs(started) >> send()
    # what runs whatever happened would end a night well that published nothing: a run is as good as its last tasks
    published >> EmptyOperator(task_id="published")
