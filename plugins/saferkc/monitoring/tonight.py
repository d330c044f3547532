"""How tonight stands, feed by feed: due, come, how many rows, how late against its own history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Any, Literal

from saferkc.contracts import Contract, load_contracts
from saferkc.contracts.calendar import LONDON, IsHoliday, bank_holidays, night_begins, night_of
from saferkc.settings import Settings
from saferkc.warehouse.connection import Connection, fetch_all

# what is usual is the median of so many nights on which something came
NIGHTS_OF_HISTORY = 30
_DAYS_READ = 800

# a replay is no arrival; what an agency sends twice is one
_NIGHTS = """
    select feed,
        (received_at at time zone 'Europe/London' + interval '6 hours')::date as night,
        min(received_at) as first_at,
        max(received_at) as last_at,
        count(*) as deliveries,
        count(*) filter (where state = 'refused') as refused_deliveries,
        count(*) filter (where state = 'duplicate') as duplicates,
        sum(rows_in)::bigint as rows_in,
        sum(rows_admitted)::bigint as rows_admitted,
        sum(rows_unchanged)::bigint as rows_unchanged,
        sum(rows_quarantined)::bigint as rows_quarantined,
        sum(rows_refused)::bigint as rows_refused,
        bool_or(is_simulated) as is_simulated
    from quality.delivery
    where received_at > %(since)s and received_at <= %(until)s and first_delivery_id is null
    group by 1, 2 order by 1, 2
"""
# what waits to be loaded has come too
_LAST = """
    select feed, max(received_at) as at from (
        select feed, received_at from quality.delivery where first_delivery_id is null
        union all
        select feed, received_at from quality.arrival where taken_at is null
    ) as came
    where received_at <= %(until)s group by feed
"""

FeedState = Literal["arrived", "loading", "refused", "late", "expected", "not_due", "never_came"]


@dataclass(frozen=True)
class FeedNight:
    """What came for a feed in one night; ``rows_in`` = admitted + unchanged + quarantined, refused rows are beside."""

    night: date
    first_at: datetime
    last_at: datetime
    deliveries: int
    refused_deliveries: int
    duplicates: int
    rows_in: int
    rows_admitted: int
    rows_unchanged: int
    rows_quarantined: int
    rows_refused: int


@dataclass(frozen=True)
class FeedTonight:
    """A feed tonight.

    ``due`` is the contract's prose. ``due_at`` is the latest time by which a delivery was due, ``next_due_at`` the
    next; both None where nobody promised one. ``state``: ``arrived``, or ``refused`` (all of it), where something
    came tonight; ``loading`` where that is not taken in yet; ``late`` where the last time by which something was due is
    over and nothing came for it; ``expected``
    where it is due before the night ends; ``not_due`` in a night for which nothing is promised;
    ``never_came`` where the feed has not begun. ``tonight`` is what came since the evening, and ``history`` the
    nights before on which anything came, oldest first. ``usual_rows`` is the median of rows in over these, and
    ``usually_minutes_late`` that of the arrivals against their time (negative: before it); ``minutes_late``
    is tonight's, or how long a late feed is overdue.
    """

    feed: str
    name: str
    agency: str
    source: str
    impact_tier: str
    due: str
    due_at: datetime | None
    next_due_at: datetime | None
    state: FeedState
    last_arrived_at: datetime | None
    is_simulated: bool
    tonight: FeedNight | None
    history: tuple[FeedNight, ...]
    usual_rows: float | None
    minutes_late: float | None
    usually_minutes_late: float | None

    @property
    def minutes_later_than_usual(self) -> float | None:
        """How much later than it usually comes the feed came, or is by now."""
        if self.minutes_late is None or self.usually_minutes_late is None:
            return None
        return self.minutes_late - self.usually_minutes_late


def feeds_tonight(settings: Settings, connection: Connection, now: datetime | None = None) -> list[FeedTonight]:
    """Return how each feed stands at ``now``, in the order of the contracts."""
    now = now or datetime.now(UTC)
    contracts = load_contracts(settings.contracts_dir)
    holiday = bank_holidays(settings.bank_holidays_file)
    rows = fetch_all(connection, _NIGHTS, {"since": now - timedelta(days=_DAYS_READ), "until": now})
    last = {row["feed"]: row["at"] for row in fetch_all(connection, _LAST, {"until": now})}
    nights: dict[str, list[FeedNight]] = {}
    simulated: dict[str, bool] = {}
    for row in rows:
        feed = row.pop("feed")
        simulated[feed] = row.pop("is_simulated")
        nights.setdefault(feed, []).append(FeedNight(**row))
    return [
        _tonight(contract, nights.get(contract.feed, []), last, simulated, now, holiday)
        for contract in contracts.values()
    ]


def _tonight(
    contract: Contract,
    nights: list[FeedNight],
    last: Mapping[str, datetime],
    simulated: Mapping[str, bool],
    now: datetime,
    holiday: IsHoliday,
) -> FeedTonight:
    calendar, last_at = contract.operation.calendar, last.get(contract.feed)
    due_at, next_due_at = calendar.last_due(now, holiday), calendar.next_due(now, holiday)
    night = night_of(now)
    tonight = nights[-1] if nights and nights[-1].night == night else None
    history = tuple(one for one in nights if one is not tonight)[-NIGHTS_OF_HISTORY:]
    offsets = {one.night: _minutes_late(contract, one, holiday) for one in (*history, *([tonight] if tonight else []))}
    known = [offset for one in history if (offset := offsets[one.night]) is not None]
    state = _state(contract, tonight, last_at, due_at, next_due_at, night)
    if state == "late" and due_at is not None:
        minutes: float | None = (now - due_at) / timedelta(minutes=1)
    else:
        minutes = offsets[tonight.night] if tonight else None
    return FeedTonight(
        feed=contract.feed,
        name=contract.name,
        agency=contract.team.name,
        source=contract.delivery.source,
        impact_tier=contract.operation.impact_tier,
        due=contract.operation.due,
        due_at=due_at,
        next_due_at=next_due_at,
        state=state,
        last_arrived_at=last_at,
        is_simulated=simulated.get(contract.feed, False),
        tonight=tonight,
        history=history,
        usual_rows=median(one.rows_in for one in history) if history else None,
        minutes_late=minutes,
        usually_minutes_late=median(known) if known else None,
    )


def _state(
    contract: Contract,
    tonight: FeedNight | None,
    last_at: datetime | None,
    due_at: datetime | None,
    next_due_at: datetime | None,
    night: date,
) -> FeedState:
    if last_at is None:
        return "never_came"
    if tonight is None and night_of(last_at) == night:
        return "loading"
    if tonight is not None:
        return "refused" if tonight.refused_deliveries == tonight.deliveries else "arrived"
    if due_at is not None and last_at < contract.operation.calendar.counts_from(due_at):
        return "late"
    is_over = night_begins(night) + timedelta(days=1)
    if next_due_at is not None and next_due_at < is_over:
        return "expected"
    return "not_due"


def _minutes_late(contract: Contract, one: FeedNight, holiday: IsHoliday) -> float | None:
    """How long after its time what came in a night came, in minutes; before it, negative."""
    calendar = contract.operation.calendar
    due = calendar.next_due(one.first_at, holiday)
    if due is None:
        return None
    if one.first_at < calendar.counts_from(due):
        due = calendar.last_due(one.first_at, holiday)
    return None if due is None else (one.first_at - due) / timedelta(minutes=1)


def local(moment: datetime) -> str:
    """Write a moment as people of the house read it, by the clock in London."""
    return f"{moment.astimezone(LONDON):%a %d %B %Y, %H:%M}"


def as_plain(value: Any) -> Any:
    """Turn dataclasses and moments into what JSON can say."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [as_plain(one) for one in value]
    if hasattr(value, "__dataclass_fields__"):
        return {name: as_plain(getattr(value, name)) for name in value.__dataclass_fields__}
    return value
