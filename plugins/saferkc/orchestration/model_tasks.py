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
# what a model's task becomes of what dbt says; all else failed, as does a model below one that failed
_EVENTS = {"success": TaskSuccessEvent, "skipped": TaskSkippedEvent}
_ENDED = {"success", "failed", "skipped", "upstream_failed", "removed"}


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
            producer = await sync_to_async(self._producer_state)()
            status = await sync_to_async(self._status)()
            if status is None and producer in _ENDED:
                # dbt told nothing of the model: it had no part in the build, or dbt was killed before
                status = producer
            if status is not None:
                yield _EVENTS.get(status, TaskFailedEvent)()
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
