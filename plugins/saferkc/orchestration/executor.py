"""Airflow's LocalExecutor, made to survive the death of its workers.

Airflow's own (3.3) hands work to a pool of workers over one queue. A worker that is killed takes what it had
fetched with it, a slot of the pool is lost for good, and if it was the one that held the queue's lock, no other
worker ever gets work again: tasks stay queued for ever. Here each task gets a worker of its own, forked with its
work in hand, and a worker that dies without a word has failed its task, which Airflow then tries again.
"""

from __future__ import annotations

import importlib
import multiprocessing
from collections.abc import Sequence
from typing import Any

from airflow.executors.local_executor import LocalExecutor, _run_worker

# What every task's process would import for itself: read once here, before the first of them is forked
_READ_AHEAD = ("airflow.sdk.execution_time.task_runner", "cosmos", "saferkc.contracts", "saferkc.orchestration.dbt")


class _InHand:
    """Stands where a worker looks for work: its one piece, and then the sign to end."""

    def __init__(self, workload: Any) -> None:
        self._left = [None, workload]

    def get(self) -> Any:
        return self._left.pop()


class SturdyLocalExecutor(LocalExecutor):
    """Runs each task in a process of its own on this machine."""

    def start(self) -> None:
        """Make the queue of results; workers come with their work."""
        self._at_work: dict[int, Any] = {}
        for module in _READ_AHEAD:
            importlib.import_module(module)
        super().start()

    def _spawn_workers_with_gc_freeze(self, spawn_number: int) -> None:
        """Make no workers ahead of their work."""

    def _process_workloads(self, workload_list: Sequence[Any]) -> None:
        for workload in workload_list:
            for waiting in (self.queued_tasks, self.queued_callbacks, self.queued_connection_tests):
                waiting.pop(workload.key, None)
            with self._unread_messages:
                self._unread_messages.value += 1
            worker = multiprocessing.Process(
                target=_run_worker,
                kwargs={
                    "logger_name": self.log.name,
                    "input": _InHand(workload),
                    "output": self.result_queue,
                    "unread_messages": self._unread_messages,
                    "team_conf": self.conf,
                },
            )
            worker.start()
            assert worker.pid is not None  # noqa: S101 - it was started
            self.workers[worker.pid] = worker
            self._at_work[worker.pid] = workload.key
            # this is what the limit of tasks at a time is counted by; a result takes it out again
            self.running.add(workload.key)

    def _check_workers(self) -> None:
        ended = [pid for pid, worker in self.workers.items() if not worker.is_alive()]
        if not ended:
            return
        # what a worker had to say is in the queue before it ends
        self._read_results()  # type: ignore[no-untyped-call]
        for pid in ended:
            self.workers.pop(pid).close()
            key = self._at_work.pop(pid)
            if key in self.running:
                self.log.warning("A worker ended without a word", pid=pid, workload=str(key))
                self.fail(key)
