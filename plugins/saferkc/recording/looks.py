"""Which feeds a night has to look at, and the account of every look (a row of ``quality.check_result``)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from saferkc.warehouse.connection import Connection, fetch_all

LOOK_SUITE = "looks for changes in counting"
LOOK_CHECK = "changes in counting were looked for"
NEXT_STEP = "Read the log of the task watch, mend the cause and run the nightly again."


@dataclass(frozen=True)
class Due:
    """A feed to be looked at; ``whole`` where all of its history has to be: never seen, or the register changed."""

    feed: str
    whole: bool


def feeds_due(connection: Connection, build_id: int, feeds: Sequence[str]) -> list[Due]:
    """Of these feeds, those whose deliveries in this build are other ones than the last look at them has seen.

    A feed of which nothing was delivered is not due. Where the dbt project has changed, which holds the register, all
    are.
    """
    rows = fetch_all(
        connection,
        """
        with last_look as (
            select feed, max(build_id) as build_id from quality.check_result where suite = %(suite)s group by feed
        ),
        delivered as (
            select d.feed, b.build_id, array_agg(b.delivery_id order by b.delivery_id) as deliveries
            from quality.build_delivery as b
            inner join quality.delivery as d using (delivery_id)
            where d.feed = any(%(feeds)s)
                and (b.build_id = %(build_id)s or (d.feed, b.build_id) in (select feed, build_id from last_look))
            group by d.feed, b.build_id
        )
        select
            now.feed,
            before.deliveries is null or seen.project_fingerprint is distinct from own.project_fingerprint as whole
        from delivered as now
        inner join quality.build as own using (build_id)
        left join last_look on now.feed = last_look.feed
        left join quality.build as seen on last_look.build_id = seen.build_id
        left join delivered as before on now.feed = before.feed and last_look.build_id = before.build_id
        where now.build_id = %(build_id)s
            and (
                before.deliveries is distinct from now.deliveries
                or seen.project_fingerprint is distinct from own.project_fingerprint
            )
        order by now.feed
        """,
        {"feeds": list(feeds), "suite": LOOK_SUITE, "build_id": build_id},
    )
    return [Due(row["feed"], row["whole"]) for row in rows]


def note_look(connection: Connection, build_id: int, feed: str, counts: Mapping[str, int]) -> None:
    """Enter that a feed was looked at for this build, and what it came to, in numbers."""
    connection.execute(
        "delete from quality.check_result where build_id = %s and feed = %s and suite = %s",
        (build_id, feed, LOOK_SUITE),
    )
    connection.execute(
        """
        insert into quality.check_result
            (build_id, feed, suite, check_name, table_name, severity, success, meaning, next_step, observed)
        values (%s, %s, %s, %s, %s, 'warning', true, %s, %s, %s)
        """,
        (
            build_id,
            feed,
            LOOK_SUITE,
            LOOK_CHECK,
            f"raw.{feed}",
            not_looked_at(feed),
            NEXT_STEP,
            json.dumps(counts),
        ),
    )


def not_looked_at(feed: str) -> str:
    """What it means where the look at a feed is missing."""
    return f"Tonight's look for changes in how {feed} is counted could not be made: what is new in it is not flagged."


def looked_at(connection: Connection, build_id: int) -> set[str]:
    """The feeds that were looked at for this build."""
    rows = connection.execute(
        "select distinct feed from quality.check_result where build_id = %s and suite = %s", (build_id, LOOK_SUITE)
    )
    return {row[0] for row in rows}
