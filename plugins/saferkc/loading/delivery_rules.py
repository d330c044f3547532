"""Rules that a delivery must keep as a whole, checked once all its rows have been read."""

from __future__ import annotations

from saferkc.contracts import Contract
from saferkc.loading.document import Document
from saferkc.loading.faults import Refused
from saferkc.warehouse.connection import Connection

_FEWEST_EARLIER = 3
_EARLIER = 12


def check_whole(connection: Connection, contract: Contract, document: Document, simulated: bool, periods: int) -> None:
    """Refuse a document with too much quarantine, too few rows, or values missing that it must hold.

    ``periods`` is the number of months or years that it covers. Raises ``Refused``.
    """
    tally, limits = document.tally, contract.delivery.limits
    few = min(limits.quarantined_rows, (tally.held + 1) // 2)
    if tally.quarantined > max(limits.quarantined_share * tally.held, few):
        raise Refused(
            f"{tally.quarantined:,} of its {tally.held:,} rows break the contract; more than"
            f" {limits.quarantined_share:.1%} is taken for a fault of the whole delivery. Most often:"
            f" {'; '.join(f'{fault} ({count:,})' for fault, count in tally.faults.most_common(3))}"
        )
    fewest = min(limits.minimum_rows, 1) if simulated else limits.minimum_rows
    if tally.held < fewest:
        raise Refused(f"it holds {tally.held:,} rows; a whole delivery has at least {fewest:,}")
    _check_contents(contract, document)
    _check_usual_size(connection, contract, document, simulated, periods)


def _check_contents(contract: Contract, document: Document) -> None:
    for number, rule in enumerate(contract.delivery.must_contain):
        if rule.scope is not None and rule.scope != document.scope:
            continue
        missing = [value for value in rule.values if value not in document.tally.seen.get(number, set())]
        if len(missing) > rule.may_lack:
            shown = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if len(missing) > 3 else "")
            raise Refused(f"it has no record for {shown} in {rule.column}: it is not whole")


def _check_usual_size(
    connection: Connection, contract: Contract, document: Document, simulated: bool, periods: int
) -> None:
    """Compare rows a period with the median of the feed's latest deliveries of the same kind."""
    row = connection.execute(
        """
        select count(*), percentile_cont(0.5) within group (order by rows_a_period) from (
            select d.rows_in::float8 / count(*) as rows_a_period
            from quality.delivery as d join quality.delivery_coverage as c using (delivery_id)
            where d.feed = %s and c.scope = %s and d.state = 'admitted' and d.is_simulated = %s
            group by d.delivery_id order by d.delivery_id desc limit %s
        ) as earlier
        """,
        [contract.feed, document.scope, simulated, _EARLIER],
    ).fetchone()
    if row is None or row[0] < _FEWEST_EARLIER:
        return
    usual, share = float(row[1]), contract.delivery.limits.smallest_share_of_usual
    if document.tally.held / periods < share * usual:
        grain = contract.delivery.period.grain
        raise Refused(
            f"it holds {document.tally.held / periods:,.0f} rows a {grain} where the last {row[0]} deliveries held"
            f" about {usual:,.0f}: it seems to be cut short"
        )
