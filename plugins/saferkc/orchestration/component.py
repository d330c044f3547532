"""Start one component of Airflow in this process: ``python -m saferkc.orchestration.component scheduler …``.

The scheduler forks its workers, and the DAG processor its parsers. What their tasks import is imported here
before the fork, once: otherwise each of a night's tasks spends seconds of a core on the same imports. What the API
server shows is imported before anybody asks for it.
"""

from __future__ import annotations

import contextlib
import importlib
import sys

_PRELOADED = {
    "scheduler": (
        "cosmos.operators.watcher",
        "cosmos.airflow.task_group",
        "dbt.cli.main",
        "dbt.adapters.postgres",
        "great_expectations",
        "great_expectations.expectations",
        "saferkc.loading",
        "saferkc.publishing",
    ),
    "api-server": ("saferkc.pages.app",),
    "dag-processor": ("cosmos.operators.watcher", "cosmos.airflow.task_group"),
}


def main() -> None:
    """Preload, then hand over to Airflow's own command line."""
    for name in _PRELOADED.get(sys.argv[1], ()):
        # a module that can't be imported fails in the task that needs it, where the log is
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    from airflow.__main__ import main as airflow  # noqa: PLC0415

    sys.argv[0] = "airflow"
    airflow()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main()
