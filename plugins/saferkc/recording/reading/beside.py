"""What stands beside a feed's panels: another feed that sees the same thing, and what an earlier vintage said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from saferkc.contracts.labels import fold_label
from saferkc.recording.series import Feed, Floats, Panel
from saferkc.warehouse.connection import Connection

# history may have been restated where so much of what stands was replaced in one day
_LEAST_REPLACED = 0.01


@dataclass(frozen=True)
class Sister:
    """A feed and those others that see the same thing: ``whole`` by their classes, or each whole by its like.

    All of them are made from the records of the police, as ``Feed.same_records`` has it.
    """

    feed: str
    others: tuple[str, ...]
    whole: str | None = None
    classes: tuple[str, ...] = ()


# Referrals to Angelou are no sister of the police's domestic abuse: how many come depends on the service, one survivor
# may stand behind several of either, and many never report.
SISTERS: tuple[Sister, ...] = (
    # the extract and the publication hold the same offences, whole by whole
    Sister("police_offences", ("mps_recorded_crime",)),
    Sister("mps_recorded_crime", ("police_offences",)),
    # data.police.uk publishes offences and calls together, and types that are no wholes of the police
    Sister("police_open_street", ("police_offences", "police_asb_incidents"), whole="All records"),
    Sister("police_asb_incidents", ("police_open_street",), "All incidents", ("Anti-social behaviour",)),
)


def sisters_of(feed: Feed, sister: Sister, others: Sequence[Feed]) -> Mapping[str, tuple[str, Floats]]:
    """Counts by ``others`` of what each whole of ``feed`` counts, by whole; NaN where one of them has none."""
    name = " and ".join(other.name for other in others)
    found = {}
    for panel in feed.panels:
        if panel.dimension == "flag" or sister.whole not in (None, panel.parent):
            continue
        each = [_like(panel, sister, other) for other in others]
        if all(counts is not None for counts in each):
            found[panel.parent] = (name, np.sum([counts for counts in each if counts is not None], axis=0))
    return found


def _like(panel: Panel, sister: Sister, other: Feed) -> Floats | None:
    """What another feed counts of a panel's whole, in the panel's areas and months; None where it counts none of it."""
    result = np.full((len(panel.areas), len(panel.months)), np.nan)
    rows = [(panel.areas.index(area), row) for row, area in enumerate(other.panels[0].areas) if area in panel.areas]
    months = [(panel.months.index(m), number) for number, m in enumerate(other.months) if m in panel.months]
    wholes = [p for p in other.panels if p.dimension != "flag" and (sister.whole or _same_whole(panel, p))]
    if not rows or not months or not wholes:
        return None
    counts = np.sum([_counts(whole, sister.classes) for whole in wholes], axis=0)
    to_rows, from_rows = zip(*rows, strict=True)
    to_months, from_months = zip(*months, strict=True)
    result[np.ix_(to_rows, to_months)] = counts[np.ix_(from_rows, from_months)]
    return result


def _same_whole(one: Panel, other: Panel) -> bool:
    """Tell whether two wholes are one: by their series in the register, or by name."""
    return (one.series == other.series) if one.series else fold_label(one.parent) == fold_label(other.parent)


def _counts(panel: Panel, classes: Sequence[str]) -> Floats:
    if not classes:
        return panel.total
    own = [number for number, name in enumerate(panel.children) if name in classes]
    return np.asarray(panel.counts[:, own].sum(axis=1))


def restated_by(connection: Connection, feed: str, *, is_simulated: bool) -> int | None:
    """The first delivery of the latest day that replaced a good part of what stood; None where none did."""
    found = connection.execute(
        f"""
        with ended as (
            select withdrawn_delivery_id as delivery_id, count(*) as records
            from raw.{feed}
            where withdrawn_delivery_id is not null
            group by 1
        )
        select min(delivery.delivery_id)
        from quality.delivery as delivery
        left join ended on delivery.delivery_id = ended.delivery_id
        where delivery.feed = %s and delivery.state = 'admitted' and delivery.is_simulated = %s
        group by delivery.received_at::date
        having sum(ended.records) >= %s * (select count(*) from raw.{feed} where withdrawn_delivery_id is null)
        order by 1 desc
        limit 1
        """.encode(),  # noqa: S608 - the name of one of our contracts
        [feed, is_simulated, _LEAST_REPLACED],
    ).fetchone()
    return None if found is None else int(found[0])
