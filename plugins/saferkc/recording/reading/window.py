"""Which months of a feed are looked at: those that were delivered whole, real ones alone once there are any."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

from saferkc.contracts import Contract
from saferkc.recording.months import months_before, months_between
from saferkc.warehouse.connection import Connection

# a month with less than this part of a usual one, before a feed began, holds strays of the past
_STRAYS = 0.1

_COVERED = """
select coverage.period
from quality.delivery_coverage as coverage
inner join quality.delivery as delivery on coverage.delivery_id = delivery.delivery_id
where coverage.feed = %(feed)s and coverage.is_current and delivery.is_simulated = %(simulated)s
    and (%(scope)s::text is null or coverage.scope = %(scope)s)
group by 1
order by 1
"""


@dataclass(frozen=True)
class Window:
    """The months of a feed that may be looked at, without a gap, and which of them were ``covered`` by a delivery.

    ``first`` is None where the feed does not say when it begins: then the records do.
    """

    is_simulated: bool
    first: date | None
    last: date
    covered: frozenset[date] | None

    def months(self, totals: Mapping[date, float]) -> tuple[date, ...]:
        """All months from the first to the last; ``totals`` are records by month, as they were found."""
        first = self.first or begins(totals, self.last)
        return () if first is None or first > self.last else months_between(first, self.last)


def window(connection: Connection, contract: Contract, scope: str | None = None) -> Window | None:
    """Find the whole months of a feed (or of one scope of it); None where nothing was delivered.

    A published file covers whole months. A partner's extract holds what is new up to its day, so a month is whole
    when the extract of its last day has come: the month that is running is left out.
    """
    # the first real file ends all that was simulated
    found = connection.execute(
        "select bool_and(is_simulated) from quality.delivery where feed = %s and state = 'admitted'", [contract.feed]
    ).fetchone()
    if found is None or found[0] is None:
        return None
    asked = {"feed": contract.feed, "simulated": found[0], "scope": scope}
    periods = [row[0] for row in connection.execute(_COVERED, asked)]
    if not periods:
        return None
    if contract.delivery.extract == "period":
        return Window(found[0], periods[0], periods[-1], frozenset(periods))
    after = periods[-1] + timedelta(days=1)
    return Window(found[0], None, months_before(after, 1), None)


def begins(totals: Mapping[date, float], last: date) -> date | None:
    """The month in which a feed begins, by its records: the first that is not all but empty."""
    there = {month: total for month, total in totals.items() if month <= last and total > 0}
    if not there:
        return None
    least = _STRAYS * median(there.values())
    return min(month for month, total in there.items() if total >= least)


def latest(months: Iterable[date], count: int | None) -> tuple[date, ...]:
    """The last so many months, or all."""
    listed = tuple(months)
    return listed if count is None else listed[-count:]
