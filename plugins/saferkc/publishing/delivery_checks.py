"""What the contract says of a delivery, asked of the rows that reached raw.

The loader has checked every row while it streamed; this asks the database itself, so a fault of the loader, a
wrong type or a wrong account shows before anything is built on it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from psycopg import sql

from saferkc.alerts import raise_alert, resolve
from saferkc.contracts import Contract, load_contracts
from saferkc.contracts.labels import fold_label
from saferkc.contracts.model import Column, Quality
from saferkc.publishing.checks import NO_ROWS, Check, Checker, SuiteResult, record
from saferkc.publishing.documents import keep_delivery_result
from saferkc.settings import Settings
from saferkc.warehouse.connection import Connection, connect
from saferkc.warehouse.raw_tables import index_deliveries

_LOOK = "Look at the delivery in quality.delivery and its file in landing; if the agency sent it so, ask them."
_MEND = "A fault of loading, not of the agency: tell the engineers, who mend it and load the delivery again."
# ^[class]{length}$: asked as a length and a character outside the class, at an eighth of the cost
_SIMPLE_PATTERN = re.compile(r"^\^\[([^\]^]+)\]\{(\d+)\}\$$")


@dataclass(frozen=True)
class CheckSummary:
    """Over all deliveries checked: checks run and failed by severity, and the failures in words."""

    deliveries: int = 0
    checks: int = 0
    failed: int = 0
    warnings: int = 0
    seconds: float = 0.0
    reasons: list[str] = field(default_factory=list)


def check_deliveries(settings: Settings, feed: str, delivery_ids: Sequence[int]) -> CheckSummary:
    """Check the rows of a feed's deliveries against its contract and enter the results.

    All deliveries are asked together for a yes or no; only where that fails is each asked by itself. A failed
    check of severity 'error' does not raise: the audit holds the build that would show those rows.
    """
    if not delivery_ids:
        return CheckSummary()
    started = time.monotonic()
    contract = load_contracts(settings.contracts_dir)[feed]
    delivery_ids = sorted(delivery_ids)
    with connect(settings, autocommit=True) as connection, ThreadPoolExecutor(1) as pool:
        # the database has its work while Great Expectations is imported
        indexed = pool.submit(index_deliveries, connection, contract)
        checker = Checker(settings)
        indexed.result()
    with checker, connect(settings, autocommit=True) as connection:
        together = _run(checker, contract, delivery_ids)
        results = {
            delivery_id: _for_one(checker, contract, delivery_id, together, len(delivery_ids))
            for delivery_id in delivery_ids
        }
        with connection.transaction():
            connection.execute(
                "delete from quality.check_result where build_id is null and delivery_id = any(%s)",
                (delivery_ids,),
            )
            for delivery_id, result in results.items():
                record(connection, result, delivery_id=delivery_id, feed=feed)
                _tell(connection, feed, delivery_id, result)
    keep_delivery_result(settings, feed, delivery_ids, together)
    failed = [outcome for result in results.values() for outcome in result.failed]
    return CheckSummary(
        deliveries=len(delivery_ids),
        checks=sum(len(result.outcomes) for result in results.values()),
        failed=sum(outcome.check.severity == "error" for outcome in failed),
        warnings=sum(outcome.check.severity == "warning" for outcome in failed),
        seconds=time.monotonic() - started,
        reasons=sorted({outcome.sentence for outcome in together.failed}),
    )


def _run(checker: Checker, contract: Contract, delivery_ids: Sequence[int]) -> SuiteResult:
    return checker.run(
        f"delivery of {contract.feed}",
        "raw",
        contract.feed,
        suite_of(contract, delivery_ids),
        among=("delivery_id", delivery_ids),
    )


def _for_one(
    checker: Checker, contract: Contract, delivery_id: int, together: SuiteResult, deliveries: int
) -> SuiteResult:
    """The result of one delivery: what passed for all passed for it; what failed is asked again, of it alone."""
    if not together.failed or deliveries == 1:
        return together
    failed = {outcome.check.name for outcome in together.failed}
    own = [check for check in suite_of(contract, [delivery_id]) if check.name in failed]
    again = checker.run(together.suite, "raw", contract.feed, own, among=("delivery_id", [delivery_id]))
    by_name = {outcome.check.name: outcome for outcome in again.outcomes}
    outcomes = [by_name.get(outcome.check.name, outcome) for outcome in together.outcomes]
    return SuiteResult(together.suite, "raw", contract.feed, outcomes, together.document)


def suite_of(contract: Contract, delivery_ids: Sequence[int]) -> list[Check]:
    """Return the checks that a contract makes of the rows of the given deliveries."""
    checks: list[Check] = []
    for column in contract.columns:
        checks += _column_checks(contract.feed, column, delivery_ids)
    return [*checks, *_accounts(contract.feed, delivery_ids)]


def _column_checks(feed: str, column: Column, delivery_ids: Sequence[int]) -> list[Check]:
    checks = []
    if column.required:
        checks.append(
            Check(
                name=f"{column.name} is given",
                expectation="expect_column_values_to_not_be_null",
                severity="error",
                column=column.name,
                meaning=f"Rows of {feed} lack {column.name}, which the contract requires.",
                next_step=_LOOK,
            )
        )
    for rule in column.quality:
        if rule.metric == "invalidValues" and rule.valid_values:
            checks.append(_known_codes(column, rule, delivery_ids))
    limits = column.options
    if limits.minimum is not None or limits.maximum is not None:
        checks.append(
            Check(
                name=f"{column.name} lies within its limits",
                expectation="expect_column_values_to_be_between",
                severity="error",
                column=column.name,
                arguments={"min_value": limits.minimum, "max_value": limits.maximum},
                meaning=f"Values of {column.name} lie outside {limits.minimum:g} to {limits.maximum:g}."
                if limits.minimum is not None and limits.maximum is not None
                else f"Values of {column.name} lie outside their limit.",
                next_step=_MEND,
            )
        )
    if limits.max_length is not None:
        checks.append(
            Check(
                name=f"{column.name} is not too long",
                expectation="expect_column_value_lengths_to_be_between",
                severity="error",
                column=column.name,
                arguments={"max_value": limits.max_length},
                meaning=f"Values of {column.name} are longer than {limits.max_length} characters.",
                next_step=_MEND,
            )
        )
    faulty = _faulty_text(column)
    if faulty is not None:
        checks.append(
            _no_rows(
                name=f"{column.name} is written as agreed",
                column=column.name,
                query=_among(delivery_ids, faulty),
                meaning=f"Values of {column.name} are not written as the contract says.",
                next_step=_MEND,
            )
        )
    return checks


def _known_codes(column: Column, rule: Quality, delivery_ids: Sequence[int]) -> Check:
    """That values are of the code list, or fold to one of it where the contract says so."""
    folds = bool(rule.arguments.get("foldLabels"))
    query = None
    if folds:
        name = sql.Identifier(column.name)
        known = sorted({fold_label(value) for value in rule.valid_values})
        query = _among(
            delivery_ids,
            sql.SQL(
                "select 1 from (select distinct {} from @batch where @among offset 0) as labels where {} <> all ({})"
            ).format(name, _folded(name), sql.Literal(known)),
        )
    return Check(
        name=rule.name,
        expectation=NO_ROWS if folds else "expect_column_values_to_be_in_set",
        severity=rule.severity,
        column=column.name,
        query=query,
        arguments={} if folds else {"value_set": rule.valid_values},
        meaning=f"Values of {column.name} are new to the contract: {rule.description}",
        next_step="Ask the agency what the new value means, then add it to the contract.",
    )


def _folded(name: sql.Identifier) -> sql.Composable:
    """``fold_label`` in SQL."""
    return sql.SQL(
        r"btrim(regexp_replace(regexp_replace(replace(lower({}), '&', ' and '), '\mst\.', 'st', 'g'), '\s+', ' ', 'g'))"
    ).format(name)


def _faulty_text(column: Column) -> sql.Composable | None:
    """SQL from ``@batch`` and its restriction (``@among``) to one row a faulty text, at the least cost."""
    name = sql.Identifier(column.name)
    pattern = column.options.pattern
    if pattern is None:
        return None
    simple = _SIMPLE_PATTERN.match(pattern)
    if simple is not None:
        return sql.SQL("select 1 from @batch where @among and (length({0}) <> {1} or {0} ~ {2})").format(
            name, sql.Literal(int(simple[2])), sql.Literal(f"[^{simple[1]}]")
        )
    # codes repeat: a pattern is tried once a code and not once a row; `offset 0` keeps it from moving inwards
    return sql.SQL(
        "select 1 from (select distinct {0} from @batch where @among offset 0) as codes where {0} !~ {1}"
    ).format(name, sql.Literal(pattern))


def _accounts(feed: str, delivery_ids: Sequence[int]) -> list[Check]:
    return [
        _no_rows(
            name="every record stands once",
            query=_among(
                delivery_ids,
                sql.SQL(
                    "select 1 from @batch join quality.delivery using (delivery_id)"
                    " where withdrawn_delivery_id is null"
                    # what covers the same stretch can hold the same record; all of history need not be read
                    " and delivery_id in (select other.delivery_id from quality.delivery_coverage as own"
                    " join quality.delivery_coverage as other using (feed, scope, period) where own.@among)"
                    " group by record_key, occurrence, period, scope having count(*) > 1"
                ),
            ),
            meaning=f"Records of {feed} stand twice among the current ones, so they would be counted twice.",
            next_step=_MEND,
        ),
        _no_rows(
            name="rows equal the account",
            query=_among(
                delivery_ids,
                sql.SQL(
                    "select 1 from quality.delivery as d"
                    " left join (select delivery_id, count(*) as rows from @batch where @among group by 1) as r"
                    " using (delivery_id)"
                    " left join (select delivery_id, count(*) as rows from quality.quarantine where @among"
                    " group by 1) as q using (delivery_id)"
                    " where @among and (d.rows_admitted <> coalesce(r.rows, 0)"
                    " or d.rows_quarantined <> coalesce(q.rows, 0)"
                    " or d.rows_in <> d.rows_admitted + d.rows_unchanged + d.rows_quarantined)"
                ),
            ),
            meaning="Rows in raw and in quarantine do not add up to what quality.delivery says of the delivery.",
            next_step=_MEND,
        ),
    ]


def _no_rows(*, name: str, query: str, meaning: str, next_step: str, column: str | None = None) -> Check:
    return Check(
        name=name,
        expectation=NO_ROWS,
        severity="error",
        column=column,
        query=query,
        meaning=meaning,
        next_step=next_step,
    )


def _among(delivery_ids: Sequence[int], query: sql.Composable) -> str:
    """Fill in the restriction; the table is GX's ``{batch}``, so braces of the query itself are doubled."""
    ids = ", ".join(str(int(delivery_id)) for delivery_id in delivery_ids)
    text = query.as_string(None).replace("{", "{{").replace("}", "}}")
    return text.replace("@batch", "{batch}").replace("@among", f"delivery_id in ({ids})")


def _tell(connection: Connection, feed: str, delivery_id: int, result: SuiteResult) -> None:
    cause = f"delivery check:{feed}:{delivery_id}"
    faults = [outcome for outcome in result.failed if outcome.check.severity == "error"]
    if not faults:
        resolve(connection, cause, note="the checks pass now")
        return
    raise_alert(
        connection,
        dedup_key=cause,
        group_key=f"delivery check:{feed}",
        severity="act",
        audience="engineers",
        title=f"{feed}: delivery {delivery_id} fails {len(faults)} checks",
        body="\n".join(f"- {outcome.sentence} {outcome.check.next_step}" for outcome in faults)
        + "\n\nThe next build is held until this is mended.",
    )


__all__: list[Any] = ["CheckSummary", "check_deliveries", "suite_of"]
