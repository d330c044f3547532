"""Keeping every version: what a delivery adds to raw, leaves unchanged and withdraws.

Here are the stage that all deliveries pass, and the merge of those that hold everything of a month or year; those
that speak for records are merged in ``extracts``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from psycopg import sql

from saferkc.contracts import Contract
from saferkc.loading.faults import QuarantinedRow
from saferkc.warehouse.connection import Connection
from saferkc.warehouse.raw_tables import column_definitions, raw_table, written_columns

STAGE = sql.Identifier("delivery_stage")


@dataclass(frozen=True)
class Part:
    """One stretch that a delivery speaks for, and the delivery whose records stand there now."""

    scope: str
    period: date
    holder: int | None
    holder_is_simulated: bool
    holder_wins: bool


@dataclass
class Merged:
    """Rows of one delivery after the merge; ``staged`` are those of the parts that it wins."""

    staged: int
    admitted: int
    unchanged: int
    withdrawn: int


def parts_of(
    connection: Connection, feed: str, scope: str, periods: Sequence[date], rank: tuple[bool, date]
) -> list[Part]:
    """Return the parts that a delivery covers, each with its present holder.

    ``rank`` is (is real, vintage): a real delivery wins over a simulated one, then the later vintage, then the
    one that came later.
    """
    rows = connection.execute(
        """
        select p.period, c.delivery_id, coalesce(d.is_simulated, false),
            coalesce((not d.is_simulated, d.vintage) > (%(real)s, %(vintage)s), false)
        from unnest(%(periods)s::date[]) as p (period)
        left join quality.delivery_coverage as c
            on c.feed = %(feed)s and c.scope = %(scope)s and c.period = p.period and c.is_current
        left join quality.delivery as d on d.delivery_id = c.delivery_id
        order by p.period
        """,
        {"periods": list(periods), "real": rank[0], "vintage": rank[1], "feed": feed, "scope": scope},
    ).fetchall()
    return [Part(scope, *row) for row in rows]


def displace_simulated(connection: Connection, contract: Contract, delivery_id: int) -> int:
    """Withdraw the feed's simulated records, since a real delivery has come; return how many.

    Real and simulated records never stand in one series. Once they are withdrawn nothing is looked for again.
    """
    speaks = connection.execute(
        """
        select from quality.delivery_coverage as c join quality.delivery as d on d.delivery_id = c.delivery_id
        where c.feed = %s and c.is_current and d.is_simulated limit 1
        """,
        [contract.feed],
    ).fetchone()
    if speaks is None:
        return 0
    withdrawn = connection.execute(
        sql.SQL(
            """
            update {} set withdrawn_delivery_id = %(id)s
            where withdrawn_delivery_id is null and delivery_id in (
                select delivery_id from quality.delivery where feed = %(feed)s and is_simulated and state = 'admitted'
            )
            """
        ).format(raw_table(contract)),
        {"id": delivery_id, "feed": contract.feed},
    ).rowcount
    connection.execute(
        """
        update quality.delivery_coverage as c set is_current = false
        from quality.delivery as d
        where d.delivery_id = c.delivery_id and c.feed = %s and d.is_simulated and c.is_current
        """,
        [contract.feed],
    )
    return withdrawn


def make_stage(connection: Connection, contract: Contract) -> None:
    """Make the empty stage, a temporary table of the raw table's shape, for this transaction."""
    connection.execute(
        sql.SQL("create temporary table {} ({}) on commit drop").format(STAGE, column_definitions(contract))
    )


def settle_repeats(
    connection: Connection, contract: Contract, target: sql.Identifier, delivery_id: int
) -> tuple[int, list[QuarantinedRow]]:
    """Settle rows of one delivery that repeat a record key in different blocks.

    Returns how many identical rows were dropped as one record, and those that give a key other values.
    """
    rule = contract.delivery.identical_rows
    keeps = {
        "keep": sql.SQL("true"),
        "collapse": sql.SQL("false"),
        "collapse_where_present": sql.SQL("{} is null").format(sql.Identifier(rule.column or "")),
    }[rule.rule]
    if contract.key_columns:
        keeps = sql.SQL("false")
    repeated = connection.execute(
        sql.SQL(
            """
            create temporary table repeated_key on commit drop as
            select record_key from {target} where delivery_id = {id} group by record_key having count(*) > 1
            """
        ).format(target=target, id=sql.Literal(delivery_id))
    ).rowcount
    if not repeated:
        return 0, []
    numbered = sql.SQL(
        """
        select t.ctid as place, t.line_number, row_number() over versions as n,
            first_value(t.row_hash) over versions = t.row_hash as is_identical, {keeps} as keeps
        from {target} as t
        where t.delivery_id = %(id)s and t.record_key in (select k.record_key from repeated_key as k)
        window versions as (partition by t.record_key order by t.line_number, t.period)
        """
    ).format(target=target, keeps=keeps)
    connection.execute(
        sql.SQL(
            """
            update {target} as t set occurrence = r.n from ({numbered}) as r
            where t.ctid = r.place and r.keeps and t.occurrence <> r.n and t.delivery_id = %(id)s
            """
        ).format(target=target, numbered=numbered),
        {"id": delivery_id},
    )
    dropped = connection.execute(
        sql.SQL(
            """
            with dropped as (
                delete from {target} as t using ({numbered}) as r
                where t.ctid = r.place and r.n > 1 and not r.keeps and t.delivery_id = %(id)s
                returning t.line_number, r.is_identical
            )
            select count(*) filter (where is_identical), array_agg(line_number) filter (where not is_identical)
            from dropped
            """
        ).format(target=target, numbered=numbered),
        {"id": delivery_id},
    ).fetchone()
    identical, lines = dropped or (0, None)
    reason = f"an earlier line has the same {', '.join(contract.key_columns)} with other values"
    return identical, [QuarantinedRow(line, None, "record_key", reason) for line in lines or []]


def current_rows(connection: Connection, contract: Contract, parts: Iterable[Part]) -> int:
    """Count the records that stand now in the parts that the delivery wins."""
    won = [part for part in parts if not part.holder_wins]
    if not won:
        return 0
    found = connection.execute(
        sql.SQL(
            """
            select count(*) from {} as r
            where r.withdrawn_delivery_id is null and r.period = any(%(periods)s::date[])
                and r.delivery_id in (
                    select c.delivery_id from quality.delivery_coverage as c
                    where c.feed = %(feed)s and c.scope = %(scope)s and c.period = any(%(periods)s::date[])
                )
            """
        ).format(raw_table(contract)),
        {"scope": won[0].scope, "periods": [part.period for part in won], "feed": contract.feed},
    ).fetchone()
    return int(found[0]) if found else 0


def merge_stage(connection: Connection, contract: Contract, delivery_id: int, parts: Iterable[Part]) -> Merged:
    """Bring the stage into raw as versions; where a later vintage holds a part, as its history only."""
    parts = list(parts)
    won = [part.period for part in parts if not part.holder_wins]
    lost = {part.period: part.holder for part in parts if part.holder_wins}
    connection.execute(sql.SQL("create index on {} (record_key)").format(STAGE))
    connection.execute(sql.SQL("analyze {}").format(STAGE))
    names = written_columns(contract)
    values = {
        "id": delivery_id,
        "feed": contract.feed,
        "scope": parts[0].scope,
        "won": won,
        "lost": list(lost),
        "holders": list(lost.values()),
    }
    pieces = {
        "stage": STAGE,
        "raw": raw_table(contract),
        "here": sql.SQL(
            """r.delivery_id in (
                select c.delivery_id from quality.delivery_coverage as c
                where c.feed = %(feed)s and c.scope = %(scope)s
                    and c.period = any(%(won)s::date[] || %(lost)s::date[])
            )"""
        ),
        "same_record": sql.SQL("s.record_key = r.record_key and s.occurrence = r.occurrence and s.period = r.period"),
        "names": sql.SQL(", ").join(map(sql.Identifier, names)),
        "staged": sql.SQL(", ").join(
            sql.SQL("l.holder") if name == "withdrawn_delivery_id" else sql.Identifier("s", name) for name in names
        ),
    }
    staged = connection.execute(
        sql.SQL("select count(*) from {stage} where period = any(%(won)s::date[])").format(**pieces), values
    ).fetchone()
    replaced = connection.execute(
        sql.SQL(
            """
            update {raw} as r set withdrawn_delivery_id = %(id)s
            where r.withdrawn_delivery_id is null and r.period = any(%(won)s::date[]) and {here}
                and not exists (select from {stage} as s where {same_record} and s.row_hash = r.row_hash)
            returning not exists (select from {stage} as s where {same_record})
            """
        ).format(**pieces),
        values,
    ).fetchall()
    unchanged = connection.execute(
        sql.SQL(
            """
            delete from {stage} as s using {raw} as r
            where {same_record} and s.row_hash = r.row_hash and {here}
                and (r.withdrawn_delivery_id is null or r.period = any(%(lost)s::date[]))
            """
        ).format(**pieces),
        values,
    ).rowcount
    admitted = connection.execute(
        sql.SQL(
            """
            insert into {raw} ({names})
            select {staged} from {stage} as s
            left join unnest(%(lost)s::date[], %(holders)s::bigint[]) as l (period, holder) on l.period = s.period
            """
        ).format(**pieces),
        values,
    ).rowcount
    return Merged(
        staged=staged[0] if staged else 0,
        admitted=admitted,
        unchanged=unchanged,
        withdrawn=sum(is_gone for (is_gone,) in replaced),
    )


def record_coverage(connection: Connection, contract: Contract, delivery_id: int, parts: Iterable[Part]) -> None:
    """Enter what the delivery speaks for, and make it the holder of the parts that it wins."""
    parts = list(parts)
    won = [part.period for part in parts if not part.holder_wins]
    connection.execute(
        """
        update quality.delivery_coverage set is_current = false
        where feed = %s and scope = %s and period = any(%s::date[]) and is_current
        """,
        [contract.feed, parts[0].scope, won],
    )
    with connection.cursor() as cursor:
        cursor.executemany(
            """
            insert into quality.delivery_coverage (delivery_id, feed, scope, period, is_current)
            values (%s, %s, %s, %s, %s)
            """,
            [(delivery_id, contract.feed, p.scope, p.period, not p.holder_wins) for p in parts],
        )
