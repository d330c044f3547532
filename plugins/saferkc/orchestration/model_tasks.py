"""A task a model of the one dbt process, which waits in Airflow's triggerer and needs no process of a worker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from airflow.sdk import BaseOperator
from airflow.sdk.bases.xcom import BaseXCom
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance
from airflow.triggers.base import (
    BaseTaskEndEvent,
    BaseTrigger,
    StartTriggerArgs,
    TaskFailedEvent,
    TaskSkippedEvent,
    TaskSuccessEvent,
)
from asgiref.sync import sync_to_async

_POLL_SECONDS = 4.0
# how dbt says that a model went well; one that was not built because one above it failed, Cosmos calls failed
_WELL, _SKIPPED = ("success",), ("skipped",)
# what becomes of models of which dbt told nothing: they were not part of the build, or it was killed before
_PRODUCER_ENDED = {"success": True, "failed": False, "skipped": False, "upstream_failed": False, "removed": False}


class ModelTask(BaseOperator):
    """Shows how a model went. ``model`` is its unique id in dbt, ``producer`` the task that runs dbt."""

    start_from_trigger = True

    def __init__(self, *, model: str, producer: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.model = model
        self.producer = producer
        self.start_trigger_args = StartTriggerArgs(
            trigger_cls=f"{__name__}.{ModelTrigger.__name__}",
            next_method="execute",
            trigger_kwargs={"model": model, "producer": producer},
        )


class ModelTrigger(BaseTrigger):
    """Waits until dbt has told of a model, and ends its task as dbt says."""

    def __init__(self, model: str, producer: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.model = model
        self.producer = producer

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return what makes the same trigger in another process."""
        return f"{__name__}.{type(self).__name__}", {"model": self.model, "producer": self.producer}

    async def run(self) -> AsyncIterator[BaseTaskEndEvent]:
        """Ask until dbt has told of the model, or has ended."""
        while True:
            # asked first: what dbt told to its end is there by then
            ended = _PRODUCER_ENDED.get(await sync_to_async(self._producer_state)())
            status = await sync_to_async(self._status)()
            if status is not None or ended is not None:
                yield _event(status, well_without=bool(ended))
                return
            await asyncio.sleep(_POLL_SECONDS)

    def _status(self) -> str | None:
        run: Any = self.task_instance  # the triggerer sets it before it runs a trigger
        told = BaseXCom.get_one(
            dag_id=run.dag_id,
            run_id=run.run_id,
            task_id=self.producer,
            key=f"{self.model.replace('.', '__')}_status",
        )
        return None if told is None else str(told["status"])

    def _producer_state(self) -> str:
        run: Any = self.task_instance
        states = RuntimeTaskInstance.get_task_states(dag_id=run.dag_id, task_ids=[self.producer], run_ids=[run.run_id])
        return str(states.get(run.run_id, {}).get(self.producer))


def _event(status: str | None, *, well_without: bool) -> BaseTaskEndEvent:
    if status in _WELL or (status is None and well_without):
        return TaskSuccessEvent()
    return TaskSkippedEvent() if status in _SKIPPED else TaskFailedEvent()
