"""How late records come: from the day on which they were recorded to the extract that first held them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np

from saferkc.contracts import Contract
from saferkc.recording.series import Rate
from saferkc.warehouse.connection import Connection

# a record is late that was left out for so many days longer than it takes from one extract to the next
_DAYS_LATE = 7


def lag_of(
    connection: Connection, contract: Contract, areas: int, months: Sequence[date], *, is_simulated: bool
) -> Rate | None:
    """Of the records of each month, how many came late; None where months are published whole, or none came by night.

    The first extract holds the history and says nothing of how late that came: months begin after it. What is late is
    the agency's and not an area's, so it stands in the first of the ``areas``.
    """
    column = contract.delivery.period.column
    if contract.delivery.extract == "period" or column is None:
        return None
    days = contract.days_between_deliveries + _DAYS_LATE
    # the words are names of our own contract
    found = connection.execute(
        f"""
        with began as (
            select min(extracted_at)::date as day
            from quality.delivery
            where feed = %(feed)s and state = 'admitted' and is_simulated = %(simulated)s
        ),
        firsts as (
            select distinct on (r.record_key) r.period, d.extracted_at::date - r."{column}"::date as lag
            from raw.{contract.feed} as r
            inner join quality.delivery as d on r.delivery_id = d.delivery_id
            where d.is_simulated = %(simulated)s and r.period > (select day from began)
            order by r.record_key, d.extracted_at
        )
        select period, count(*) filter (where lag > %(days)s)::float, count(*)::float from firsts group by 1
        """.encode(),  # noqa: S608
        {"feed": contract.feed, "simulated": is_simulated, "days": days},
    ).fetchall()
    by_month = {period: (late, records) for period, late, records in found if period in months}
    if not by_month:
        return None
    having, asked = np.zeros((areas, len(months))), np.zeros((areas, len(months)))
    for number, month in enumerate(months):
        having[0, number], asked[0, number] = by_month.get(month, (0.0, 0.0))
    return Rate(f"records that came more than {days} days after their day", "system", having, asked)
