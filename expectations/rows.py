"""An expectation about rows that SQL finds."""

from __future__ import annotations

from typing import Any

from great_expectations.expectations import UnexpectedRowsExpectation


class ExpectNoRows(UnexpectedRowsExpectation):  # type: ignore[misc]
    """A query that finds faults finds none.

    GX's own fetches the faulty rows beside counting them: twice the work, and values in memory.
    """

    metric_dependencies = ("unexpected_rows_query.row_count",)

    def _validate(
        self, metrics: dict[str, Any], runtime_configuration: Any = None, execution_engine: Any = None
    ) -> dict[str, Any]:
        del runtime_configuration, execution_engine
        count = metrics["unexpected_rows_query.row_count"]
        return {"success": count == 0, "result": {"observed_value": count}}
