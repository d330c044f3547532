"""Expectations about counting: they fail where the detector found a change that nobody has registered or decided on.

The detector examines a feed once a night, before the marts are built; what it found stands in the ledger of changes
with people's decisions on it. These expectations ask the ledger, each for its own kind of change, and show the
evidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import sqlalchemy as sa
from great_expectations.expectations.expectation import BatchExpectation
from saferkc.recording.standing import STANDING, Aspect, Standing, as_standing, shown


class _AsksTheLedger:
    """What they have in common: standing changes of a feed in one aspect, as success or not, with the evidence."""

    tells_evidence: ClassVar[bool] = True
    aspect: ClassVar[Aspect]
    feed: str

    def _validate(
        self, metrics: dict[str, Any], runtime_configuration: Any = None, execution_engine: Any = None
    ) -> dict[str, Any]:
        del metrics, runtime_configuration
        changes = [change for change in _standing(execution_engine) if self.concerns(change)]
        return _result(changes)

    def concerns(self, change: Standing) -> bool:
        """Tell whether a change is a matter of this expectation."""
        return change.feed == self.feed and change.aspect == self.aspect

    @classmethod
    def _get_observed_value_from_evr(cls, result: Any) -> str:
        """What the data docs show beside the expectation."""
        return shown(result.result if result else None)


class ExpectCodeListKnown(_AsksTheLedger, BatchExpectation):  # type: ignore[misc]
    """No code of the feed is new, gone, renamed or mistyped, but as the register knows or the team has confirmed."""

    aspect = "code list"
    feed: str


class ExpectSiblingShareStable(_AsksTheLedger, BatchExpectation):  # type: ignore[misc]
    """No class takes from its sibling what is counted as the one instead of the other."""

    aspect = "sibling share"
    feed: str


class ExpectHistoryNotRestated(_AsksTheLedger, BatchExpectation):  # type: ignore[misc]
    """Settled months stay as they were published before."""

    aspect = "history"
    feed: str


class ExpectPeriodComplete(_AsksTheLedger, BatchExpectation):  # type: ignore[misc]
    """No month is missing, short or there twice."""

    aspect = "period"
    feed: str


class ExpectNoUnregisteredBreak(_AsksTheLedger, BatchExpectation):  # type: ignore[misc]
    """No series steps, or drifts against another source, in a way that looks like counting and is not registered."""

    aspect = "break"
    feed: str


def _standing(execution_engine: Any) -> list[Standing]:
    with execution_engine.get_connection() as connection:
        return as_standing(connection.execute(sa.text(STANDING)).mappings())


def _result(changes: Sequence[Standing]) -> dict[str, Any]:
    # what is known is said as well, and fails nothing
    evidence = [change.told for change in sorted(changes, key=lambda change: change.severity is None)]
    failing = sum(change.severity is not None for change in changes)
    return {"success": not failing, "result": {"observed_value": failing, "details": {"evidence": evidence}}}
