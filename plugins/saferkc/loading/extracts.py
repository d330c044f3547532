"""Full extracts and extracts of changes: whose word about a record stands, whatever the order of arrival.

Every extract has a *place* among those of its feed and scope: by the time it was taken, then by arrival. A version
of a record holds from the place of the extract that brought it to that of ``withdrawn_delivery_id``, and among
versions that hold at one place the one that began last counts. So an extract that comes late goes in between as a
version that ends where the next extract spoke: what stands now, and what was said on any other day, stays as it
was. For that it must be known where the next one spoke: a full extract speaks for all records at once; where an
extract of changes says a record again without change, that is kept in ``quality.confirmation``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, LiteralString

from psycopg import sql

from saferkc.contracts import Contract
from saferkc.loading.faults import Refused
from saferkc.loading.versions import STAGE, Merged
from saferkc.warehouse.connection import Connection
from saferkc.warehouse.history import PLACE, withdraws_its_record
from saferkc.warehouse.raw_tables import raw_table, written_columns

_AHEAD = timedelta(days=1)  # an extract of a day may be taken in the small hours of the next


@dataclass(frozen=True)
class Extract:
    """An extract being loaded, as it was entered in ``quality.delivery``."""

    delivery_id: int
    scope: str
    is_simulated: bool
    extracted_at: datetime
    first_delivery_id: int


def is_first(connection: Connection, contract: Contract) -> bool:
    """Whether no delivery of the feed was ever admitted: rows can go straight to raw."""
    found = connection.execute(
        "select from quality.delivery where feed = %s and state = 'admitted' offset 1 limit 1", [contract.feed]
    ).fetchone()
    return found is None


def check_extract_date(
    connection: Connection, contract: Contract, table: sql.Identifier, extract: Extract, rows: int
) -> None:
    """Refuse an extract whose records are of days after it was taken: its name does not tell the truth.

    As many as may be in quarantine are let in: they are an agency's slips of the pen, not a wrong name.
    """
    column = contract.column(contract.delivery.period.column) if contract.delivery.period.column else None
    if column is None or column.physical_type not in ("date", "timestamptz"):
        return
    found = connection.execute(
        sql.SQL("select count(*), max({0}::date) from {1} where delivery_id = %s and {0}::date > %s").format(
            sql.Identifier(column.name), table
        ),
        [extract.delivery_id, (extract.extracted_at + _AHEAD).date()],
    ).fetchone()
    if found is not None and found[0] > contract.delivery.limits.quarantined_share * rows:
        raise Refused(
            f"its name says that it was extracted on {extract.extracted_at:%Y-%m-%d}, but {found[0]:,} of its"
            f" {rows:,} records are of later days, up to {found[1]:%Y-%m-%d}: the label does not tell the truth"
            " about the content"
        )


def end_withdrawals(connection: Connection, contract: Contract, delivery_id: int) -> None:
    """Where rows went straight to raw: those that withdraw their record never stand."""
    connection.execute(
        sql.SQL("update {} as r set withdrawn_delivery_id = %(id)s where r.delivery_id = %(id)s and {}").format(
            raw_table(contract), withdraws_its_record(contract, "r")
        ),
        {"id": delivery_id},
    )


def merge_extract(connection: Connection, contract: Contract, extract: Extract, spoilt: Sequence[str]) -> Merged:
    """Bring the stage into raw as versions, and withdraw what a full extract no longer holds.

    ``spoilt`` are the keys of records that the extract does hold, but in rows that went to quarantine: they are
    not withdrawn. Raises ``Refused`` where a full extract lacks so much that it must be a cut file.
    """
    is_full = contract.delivery.extract == "full"
    values = vars(extract) | {"feed": contract.feed}
    following = _following(connection, values)
    _look_up(connection, contract, values, following if is_full else None, by_record=bool(following) and not is_full)
    staged = _count(connection, "select count(*) from standing", values)
    ended = _count(
        connection,
        "select count(*) from standing where version_is_current and withdraws and not is_same and next_id is null",
        values,
    )
    gone = 0
    if is_full:
        gone = _withdraw_absent(connection, contract, values, following, spoilt)
        before = gone + _count(connection, "select count(*) from standing where version_stands", values)
        _check_withdrawal(contract, before, gone)
    unchanged = _set_aside_unchanged(connection, values, keep=not is_full)
    admitted = _insert(connection, contract, values)
    return Merged(
        staged=staged, admitted=admitted, unchanged=unchanged, withdrawn=0 if is_full and following else gone + ended
    )


def record_coverage(connection: Connection, contract: Contract, extract: Extract) -> None:
    """Enter that the delivery speaks for the day of its extract; of two of a day the later one is current."""
    values = vars(extract) | {"feed": contract.feed, "day": extract.extracted_at.date()}
    is_last = not _count(
        connection,
        sql.SQL(
            "select count(*) from quality.delivery as d where {fellow} and {place} > {own} and d.vintage = %(day)s"
        ).format(**_PIECES),
        values,
    )
    if is_last:
        connection.execute(
            """
            update quality.delivery_coverage set is_current = false
            where feed = %(feed)s and scope = %(scope)s and period = %(day)s and is_current
            """,
            values,
        )
    connection.execute(
        """
        insert into quality.delivery_coverage (delivery_id, feed, scope, period, is_current)
        values (%(delivery_id)s, %(feed)s, %(scope)s, %(day)s, %(is_last)s)
        """,
        values | {"is_last": is_last},
    )


_PIECES: dict[str, sql.Composable] = {
    # an extract of the same feed and scope
    "fellow": sql.SQL(
        "d.feed = %(feed)s and d.scope = %(scope)s and d.is_simulated = %(is_simulated)s and d.state = 'admitted'"
        " and d.extracted_at is not null"
    ),
    "place": PLACE.format(sql.Identifier("d")),
    "end": PLACE.format(sql.Identifier("e")),
    "own": sql.SQL("(%(extracted_at)s::timestamp, %(first_delivery_id)s::bigint, %(delivery_id)s::bigint)"),
    "stage": STAGE,
    # `offset 0` keeps the planner from beginning with the deliveries: there is one more every night
    "speaker": sql.SQL(
        "cross join lateral (select o.* from quality.delivery as o where o.delivery_id = v.delivery_id offset 0) as d"
    ),
}
# v is a version, or a recorded absence, that holds at the place of the extract
_PIECES["holds"] = sql.SQL(
    "{fellow} and {place} < {own} and (v.until is null or v.until = v.delivery_id or {end} > {own})"
).format(**_PIECES)


def _count(connection: Connection, query: LiteralString | sql.Composed, values: dict[str, Any]) -> int:
    text = sql.SQL(query) if isinstance(query, str) else query
    found = connection.execute(text, values).fetchone()
    return int(found[0]) if found else 0


def _following(connection: Connection, values: dict[str, Any]) -> int | None:
    """Return the next extract after this one by place, if it came late."""
    found = connection.execute(
        sql.SQL(
            "select d.delivery_id from quality.delivery as d"
            " where {fellow} and {place} > {own} order by {place} limit 1"
        ).format(**_PIECES),
        values,
    ).fetchone()
    return int(found[0]) if found else None


def _look_up(
    connection: Connection,
    contract: Contract,
    values: dict[str, Any],
    next_id: int | None,
    *,
    by_record: bool,
) -> None:
    """Note for each staged record the version that holds at the extract's place, and who speaks of it next.

    That is ``next_id`` for all records, or looked up ``by_record``. Each record is looked up by its key, and then
    the deliveries of its versions, never by joining with whole tables: the work follows the delivery whatever the
    planner thinks of it.
    """
    connection.execute(
        """
        create temporary table standing (
            record_key uuid primary key, withdraws boolean, is_same boolean, place tid,
            version_is_current boolean, version_stands boolean, next_id bigint
        ) on commit drop
        """
    )
    absences = sql.SQL(
        """
        union all
        select null, a.delivery_id, a.until_delivery_id, null, false from quality.absence as a
        where a.record_key = s.record_key
        """
    )
    next_by_record = sql.SQL(
        """
        left join lateral (
            select d.delivery_id from (
                select r.delivery_id from {raw} as r where r.record_key = s.record_key
                union all
                select c.delivery_id from quality.confirmation as c where c.record_key = s.record_key
                offset 0
            ) as v
            {speaker}
            where {fellow} and {place} > {own}
            order by {place} limit 1
        ) as following on true
        """
    ).format(raw=raw_table(contract), **_PIECES)
    connection.execute(
        sql.SQL(
            """
            insert into standing
            select s.record_key, {withdraws}, coalesce(p.row_hash = s.row_hash, false), p.place,
                coalesce(p.place is not null and p.until is null, false), coalesce(p.stands, false), {next}
            from {stage} as s
            left join lateral (
                select v.place, v.until, v.row_hash, v.stands from (
                    select r.ctid as place, r.delivery_id, r.withdrawn_delivery_id as until, r.row_hash,
                        not {version_withdraws} as stands
                    from {raw} as r where r.record_key = s.record_key
                    {absences}
                    offset 0
                ) as v
                {speaker}
                left join lateral (
                    select o.* from quality.delivery as o where o.delivery_id = v.until offset 0
                ) as e on true
                where {holds}
                order by {place} desc limit 1
            ) as p on true
            {following}
            """
        ).format(
            raw=raw_table(contract),
            withdraws=withdraws_its_record(contract, "s"),
            version_withdraws=withdraws_its_record(contract, "r"),
            absences=absences if contract.delivery.extract == "full" else sql.SQL(""),
            following=next_by_record if by_record else sql.SQL(""),
            next=sql.SQL("following.delivery_id") if by_record else sql.Literal(next_id),
            **_PIECES,
        ),
        values,
    )
    connection.execute("analyze standing")


def _withdraw_absent(
    connection: Connection,
    contract: Contract,
    values: dict[str, Any],
    following: int | None,
    spoilt: Sequence[str],
) -> int:
    """Withdraw the records that a full extract lacks; return how many.

    Where a newer extract is there already, they stay as they are but for the days that the late one speaks for.
    """
    lacks = sql.SQL(
        "not exists (select from standing as s where s.record_key = v.record_key)"
        " and v.record_key <> all (%(spoilt)s::uuid[])"
    )
    values = values | {"spoilt": list(spoilt), "following": following}
    pieces = _PIECES | {"raw": raw_table(contract), "lacks": lacks}
    if following is None:
        return connection.execute(
            sql.SQL(
                """
                update {raw} as v set withdrawn_delivery_id = %(delivery_id)s
                from quality.delivery as d
                where d.delivery_id = v.delivery_id and {fellow} and v.withdrawn_delivery_id is null and {lacks}
                """
            ).format(**pieces),
            values,
        ).rowcount
    return connection.execute(
        sql.SQL(
            """
            insert into quality.absence (record_key, delivery_id, until_delivery_id)
            select k.record_key, %(delivery_id)s, %(following)s from (
                select distinct on (v.record_key) v.record_key, v.stands from (
                    select r.record_key, r.delivery_id, r.withdrawn_delivery_id as until, not {withdraws} as stands
                    from {raw} as r
                    union all
                    select a.record_key, a.delivery_id, a.until_delivery_id, false from quality.absence as a
                ) as v
                join quality.delivery as d on d.delivery_id = v.delivery_id
                left join quality.delivery as e on e.delivery_id = v.until
                where {holds} and {lacks}
                order by v.record_key, {place} desc
            ) as k
            where k.stands
            """
        ).format(withdraws=withdraws_its_record(contract, "r"), **pieces),
        values,
    ).rowcount


def _check_withdrawal(contract: Contract, before: int, gone: int) -> None:
    limit = contract.delivery.limits.withdrawn_share
    if gone > limit * before:
        raise Refused(
            f"it lacks {gone:,} of the {before:,} records that the full extract before it holds;"
            f" more than {limit:.0%} is taken for a cut file"
        )


def _set_aside_unchanged(connection: Connection, values: dict[str, Any], *, keep: bool) -> int:
    """Take what says nothing new off the stage; ``keep`` that it was said."""
    if keep:
        connection.execute(
            """
            insert into quality.confirmation (record_key, delivery_id)
            select record_key, %(delivery_id)s from standing where is_same
            """,
            values,
        )
    return connection.execute(
        sql.SQL("delete from {stage} as s using standing as t where t.record_key = s.record_key and t.is_same").format(
            **_PIECES
        )
    ).rowcount


def _insert(connection: Connection, contract: Contract, values: dict[str, Any]) -> int:
    """Put what is left of the stage into raw, and end the versions that it replaces."""
    connection.execute(
        sql.SQL(
            """
            update {raw} set withdrawn_delivery_id = %(delivery_id)s
            where ctid = any(array(
                select place from standing where version_is_current and not is_same and next_id is null
            ))
            """
        ).format(raw=raw_table(contract)),
        values,
    )
    names = written_columns(contract)
    ends = sql.SQL("coalesce(t.next_id, case when t.withdraws then %(delivery_id)s end)")
    return connection.execute(
        sql.SQL(
            "insert into {raw} ({names}) select {staged} from {stage} as s join standing as t using (record_key)"
        ).format(
            raw=raw_table(contract),
            stage=STAGE,
            names=sql.SQL(", ").join(map(sql.Identifier, names)),
            staged=sql.SQL(", ").join(
                ends if name == "withdrawn_delivery_id" else sql.Identifier("s", name) for name in names
            ),
        ),
        values,
    ).rowcount
