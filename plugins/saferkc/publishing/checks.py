"""Checks on tables, run by Great Expectations inside the database, without a value ever leaving it.

A check is asked for a yes or no first, all of a table's checks together, since that is one or two passes over
the rows; only for what failed are the counts asked as well.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from saferkc.publishing.engine import great_expectations, own_expectations, quiet
from saferkc.settings import Settings
from saferkc.warehouse.connection import Connection, sqlalchemy_url

if TYPE_CHECKING:
    import great_expectations as gx

NO_ROWS = "no_rows"
EXPECT_NO_ROWS = f"expect_{NO_ROWS}"
# of a result only these leave the check, and only as numbers
_COUNTS = ("element_count", "unexpected_count", "unexpected_percent", "missing_count", "observed_value")


@dataclass(frozen=True)
class Check:
    """One expectation of a table.

    ``expectation`` is a name of Great Expectations in snake case (``expect_column_values_to_not_be_null``)
    with its ``arguments``, or ``no_rows`` with ``query``: SQL in which ``{batch}`` is the table (braces of
    its own are doubled) and that returns a row a fault. ``table`` is given only where a suite spans several.
    ``meaning`` says what a failure means, ``next_step`` what to do.
    """

    name: str
    expectation: str
    severity: Literal["error", "warning"]
    meaning: str
    next_step: str
    owner: str = "engineers"
    table: str | None = None
    column: str | None = None
    arguments: dict[str, Any] = field(default_factory=dict)
    query: str | None = None


@dataclass(frozen=True)
class Outcome:
    """How a check ended. ``observed`` holds counts only; ``could_not_run`` where it broke instead of answering.

    ``evidence`` are sentences of an expectation that says what it found, without a value of a record.
    """

    check: Check
    success: bool
    observed: dict[str, float] = field(default_factory=dict)
    could_not_run: bool = False
    evidence: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """What happened, in words, for a reason or a mail."""
        if self.could_not_run:
            return f"The check '{self.check.name}' could not be run."
        if self.evidence:
            return " ".join((self.check.meaning, *self.evidence))
        count = self.observed.get("unexpected_count", self.observed.get("observed_value"))
        # one row of a query is often one total that is wrong: "1 found" would be read as one record
        says_something = count and (count > 1 or self.check.expectation != NO_ROWS)
        return f"{self.check.meaning} ({count:,.0f} found)" if says_something else self.check.meaning


@dataclass(frozen=True)
class SuiteResult:
    """Outcomes of a table's checks, and GX's own result for the data docs (a JSON object without values)."""

    suite: str
    schema: str
    table: str
    outcomes: list[Outcome]
    document: dict[str, Any]

    @property
    def failed(self) -> list[Outcome]:
        """The checks that failed or could not be run."""
        return [outcome for outcome in self.outcomes if not outcome.success]


class Checker:
    """Runs checks against the warehouse; use it as a context manager, it holds connections."""

    def __init__(self, settings: Settings) -> None:
        self._gx = great_expectations()
        self._own = own_expectations(settings.expectations_dir)
        with quiet():
            self._context = self._gx.get_context(mode="ephemeral")
            self._context.enable_analytics(False)
            bars = self._context.variables.progress_bars
            if bars is not None:
                bars.globally = False
            self._source = self._context.data_sources.add_postgres(
                "warehouse",
                connection_string=sqlalchemy_url(settings),
                create_temp_table=False,
                # one connection at a time: whether two million records stand once is told without a file for them
                kwargs={"connect_args": {"options": "-c work_mem=128MB"}},
            )
        self._number = 0

    def __enter__(self) -> Checker:
        return self

    def __exit__(self, *_: object) -> None:
        with quiet():
            self._source.get_engine().dispose()

    def run(
        self,
        suite: str,
        schema: str,
        table: str,
        checks: Sequence[Check],
        *,
        among: tuple[str, Sequence[int]] | None = None,
    ) -> SuiteResult:
        """Run a table's checks, boolean first and with counts for what failed.

        ``among`` (a column and its values) restricts the checks to some rows; a ``no_rows`` query says its
        own restriction. Never raises for a check that breaks: it is an outcome that ``could_not_run``.
        """
        with quiet():
            # evidence is asked at once, and told of what passed as well
            first = "SUMMARY" if all(self._tells_evidence(check) for check in checks) else "BOOLEAN_ONLY"
            document = self._validate(suite, schema, table, checks, among, first)
            outcomes = _outcomes(checks, document)
            for place, outcome in enumerate(outcomes):
                if outcome.success or outcome.could_not_run or first == "SUMMARY":
                    continue
                again = self._validate(suite, schema, table, [outcome.check], among, "SUMMARY")
                outcomes[place] = _outcomes([outcome.check], again)[0]
                document["results"][place] = again["results"][0]
        _sum_up(document, outcomes)
        return SuiteResult(suite, schema, table, outcomes, document)

    def _validate(
        self,
        suite: str,
        schema: str,
        table: str,
        checks: Sequence[Check],
        among: tuple[str, Sequence[int]] | None,
        result_format: str,
    ) -> dict[str, Any]:
        gx = self._gx
        self._number += 1
        try:
            asset = self._source.add_table_asset(
                f"{self._number}:{schema}.{table}", table_name=table, schema_name=schema
            )
            batch = asset.add_batch_definition_whole_table("rows")
            validation = gx.ValidationDefinition(
                name=f"{self._number}:{suite}",
                data=batch,
                suite=self._context.suites.add(
                    gx.ExpectationSuite(
                        name=f"{self._number}:{suite}",
                        expectations=[_expectation(self._own, check, among) for check in checks],
                    )
                ),
            )
            result = self._context.validation_definitions.add(validation).run(
                result_format={
                    "result_format": result_format,
                    "exclude_unexpected_values": True,
                    "partial_unexpected_count": 0,
                }
            )
        except Exception as error:  # the table is missing, most often; GX raises a dozen kinds
            return _document_of_nothing(suite, schema, table, checks, type(error).__name__)
        telling = {check.name for check in checks if self._tells_evidence(check)}
        return _clean(result.to_json_dict(), suite, schema, table, checks, telling)

    def _tells_evidence(self, check: Check) -> bool:
        """Whether it is an expectation of our own that says in sentences what it found."""
        return bool(getattr(self._own.get(check.expectation), "tells_evidence", False))


def record(
    connection: Connection,
    result: SuiteResult,
    *,
    build_id: int | None = None,
    delivery_id: int | None = None,
    feed: str | None = None,
) -> None:
    """Enter a suite's outcomes in ``quality.check_result``."""
    with connection.cursor() as cursor:
        cursor.executemany(
            """
            insert into quality.check_result (build_id, delivery_id, feed, suite, check_name, table_name,
            column_name,
                severity, success, meaning, next_step, observed)
            values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            """,
            [
                (
                    build_id,
                    delivery_id,
                    feed,
                    result.suite,
                    outcome.check.name,
                    outcome.check.table or f"{result.schema}.{result.table}",
                    outcome.check.column,
                    outcome.check.severity,
                    outcome.success,
                    outcome.check.meaning,
                    outcome.check.next_step,
                    json.dumps(
                        outcome.observed
                        | ({"could_not_run": True} if outcome.could_not_run else {})
                        | ({"evidence": outcome.evidence} if outcome.evidence else {})
                    ),
                )
                for outcome in result.outcomes
            ],
        )


def _expectation(
    own: dict[str, Any], check: Check, among: tuple[str, Sequence[int]] | None
) -> gx.expectations.Expectation:
    gx = great_expectations()
    common: dict[str, Any] = {
        "severity": "critical" if check.severity == "error" else "warning",
        "description": check.name,
        "meta": {"check": check.name},
    }
    if check.expectation == NO_ROWS:
        # GX hands the query to SQLAlchemy, which takes a word after a colon for a parameter
        query = (check.query or "").replace(":", "\\:")
        return own[EXPECT_NO_ROWS](unexpected_rows_query=query, **common)
    if check.expectation in own:
        return own[check.expectation](**check.arguments, **common)
    name = "".join(part.capitalize() for part in check.expectation.split("_"))
    arguments = dict(check.arguments)
    if check.column is not None:
        arguments["column"] = check.column
    if among is not None:
        condition = gx.expectations.row_conditions.Column(among[0]).is_in(list(among[1]))
        arguments |= {"row_condition": condition}
    return getattr(gx.expectations, name)(**arguments, **common)


def _clean(
    raw: dict[str, Any], suite: str, schema: str, table: str, checks: Sequence[Check], telling: set[str]
) -> dict[str, Any]:
    """Keep of GX's result what holds no value: configurations, yes or no, counts, and what ``telling`` checks tell."""
    by_name = {entry["expectation_config"]["meta"]["check"]: entry for entry in raw["results"]}
    document = _document_of_nothing(suite, schema, table, checks, "no answer")
    for place, check in enumerate(checks):
        entry = by_name.get(check.name)
        if entry is None:
            continue
        broke = _broke(entry.get("exception_info") or {})
        counts = entry.get("result") or {}
        config = entry["expectation_config"]
        # which deliveries is said elsewhere; here it would be hundreds of numbers a check
        config["kwargs"].pop("row_condition", None)
        document["results"][place] = {
            "success": bool(entry["success"]),
            "expectation_config": config,
            "result": {key: counts[key] for key in _COUNTS if isinstance(counts.get(key), int | float)}
            | (_evidence(counts) if check.name in telling else {}),
            "meta": {},
            "exception_info": _exception(broke),
        }
    return document


def _evidence(result: dict[str, Any]) -> dict[str, Any]:
    """Sentences that an expectation of our own gives; of GX's own no detail leaves the check, for it may be a value."""
    told = result.get("details", {}).get("evidence")
    return {"details": {"evidence": told}} if told else {}


def _broke(info: dict[str, Any]) -> str | None:
    """The kind of exception that kept a check from answering; its text can hold values and is dropped."""
    if "raised_exception" in info:
        return "an error in the database or the check" if info["raised_exception"] else None
    broken = any(isinstance(part, dict) and part.get("raised_exception") for part in info.values())
    return "an error in the database or the check" if broken else None


def _exception(kind: str | None) -> dict[str, Any]:
    # the data docs show both texts, and break on a missing one
    return {"raised_exception": kind is not None, "exception_message": kind or "", "exception_traceback": kind or ""}


def _document_of_nothing(suite: str, schema: str, table: str, checks: Sequence[Check], kind: str) -> dict[str, Any]:
    return {
        "suite_name": suite,
        "success": False,
        "meta": {
            "great_expectations_version": great_expectations().__version__,
            "batch_spec": {"data_asset_name": f"{schema}.{table}"},
            "run_id": {"run_name": suite, "run_time": datetime.now(UTC).isoformat()},
        },
        "statistics": {},
        "results": [
            {
                "success": False,
                "expectation_config": {
                    "type": EXPECT_NO_ROWS,
                    "kwargs": {"unexpected_rows_query": "select 1 from {batch}"},
                    "meta": {"check": check.name},
                    "description": check.name,
                },
                "result": {},
                "meta": {},
                "exception_info": _exception(kind),
            }
            for check in checks
        ],
        "table": f"{schema}.{table}",
    }


def _outcomes(checks: Sequence[Check], document: dict[str, Any]) -> list[Outcome]:
    return [
        Outcome(
            check,
            entry["success"],
            {key: float(entry["result"][key]) for key in _COUNTS if key in entry["result"]},
            entry["exception_info"]["raised_exception"],
            tuple(entry["result"].get("details", {}).get("evidence", ())),
        )
        for check, entry in zip(checks, document["results"], strict=True)
    ]


def _sum_up(document: dict[str, Any], outcomes: Sequence[Outcome]) -> None:
    passed = sum(outcome.success for outcome in outcomes)
    document["success"] = passed == len(outcomes)
    document["statistics"] = {
        "evaluated_expectations": len(outcomes),
        "successful_expectations": passed,
        "unsuccessful_expectations": len(outcomes) - passed,
        "success_percent": 100 * passed / len(outcomes) if outcomes else 100,
    }
