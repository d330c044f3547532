"""What the contract says of a delivery, asked of the rows that reached raw.

The loader has checked every row while it streamed; this asks the database itself, so a fault of the loader, a
wrong type or a wrong account shows before anything is built on it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from saferkc.alerts import raise_alert, resolve
from saferkc.contracts import Contract, load_contracts
from saferkc.monitoring import timed
from saferkc.publishing.checks import Checker, SuiteResult, record
from saferkc.publishing.delivery_suite import suite_of
from saferkc.publishing.documents import keep_delivery_result
from saferkc.settings import Settings
from saferkc.warehouse.connection import Connection, connect
from saferkc.warehouse.raw_tables import index_deliveries


@dataclass(frozen=True)
class CheckSummary:
    """Over all deliveries checked: checks run and failed by severity, and the failures in words."""

    deliveries: int = 0
    checks: int = 0
    failed: int = 0
    warnings: int = 0
    seconds: float = 0.0
    reasons: list[str] = field(default_factory=list)


@timed("check")
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
