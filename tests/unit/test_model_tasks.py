"""A model's task ends as dbt says of the model, or as dbt itself ended where it said nothing."""

from __future__ import annotations

import asyncio

import pytest
from airflow.triggers.base import BaseTaskEndEvent, TaskFailedEvent, TaskSkippedEvent, TaskSuccessEvent
from saferkc.orchestration import model_tasks
from saferkc.orchestration.dbt import _TellsOfModels
from saferkc.orchestration.model_tasks import ModelTrigger


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        # what dbt says of the model, and the state of the task that runs dbt, each time that they are asked for
        ([(None, "running"), ("success", "running")], TaskSuccessEvent),
        ([("success", "failed")], TaskSuccessEvent),
        ([("error", "running")], TaskFailedEvent),
        ([("failed", "running")], TaskFailedEvent),
        ([("skipped", "running")], TaskSkippedEvent),
        # dbt was killed before it came to the model
        ([(None, "running"), (None, "None"), (None, "failed")], TaskFailedEvent),
        # the model had no part in the build
        ([(None, "success")], TaskSuccessEvent),
        ([(None, "upstream_failed")], TaskFailedEvent),
    ],
)
def test_a_models_task_ends_as_dbt_says(
    told: list[tuple[str | None, str]], expected: type[BaseTaskEndEvent], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_tasks, "_POLL_SECONDS", 0)
    producer, status = iter([state for _, state in told]), iter([said for said, _ in told])
    monkeypatch.setattr(ModelTrigger, "_producer_state", lambda _: next(producer))
    monkeypatch.setattr(ModelTrigger, "_status", lambda _: next(status))
    trigger = ModelTrigger("model.saferkc.dim_date", "dbt.dbt_producer_watcher")

    async def events() -> list[BaseTaskEndEvent]:
        return [event async for event in trigger.run()]

    (event,) = asyncio.run(events())
    assert type(event) is expected


def test_only_how_models_went_is_handed_on() -> None:
    class Run:
        handed: dict[str, object] = {}  # noqa: RUF012
        run_id = "manual"

        def xcom_push(self, key: str, value: object) -> None:
            self.handed[key] = value

    run = _TellsOfModels(Run())
    for key in ("model__saferkc__dim_date_status", "model__saferkc__dim_date_dbt_event", "test__saferkc__a_status"):
        run.xcom_push(key, key)
    assert list(Run.handed) == ["model__saferkc__dim_date_status"]
    assert run.run_id == "manual"
