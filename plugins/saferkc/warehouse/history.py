"""Asking for what was known earlier: functions beside the raw tables, for analysts and for tests.

``raw.<feed>_as_known_on(date)`` answers by the agencies' dates: what they had said by the end of that day,
whenever it reached us. ``raw.<feed>_as_held_at(timestamp)`` answers by ours: what the warehouse showed at that
moment, for a figure that was published then. How and when to use which: ``docs/as-it-was-known.md``.
"""

from __future__ import annotations

from collections.abc import Mapping

from psycopg import sql

from saferkc.contracts import Contract
from saferkc.warehouse.connection import Connection

# where a delivery stands among the extracts of its feed: by date, then by arrival
PLACE = sql.SQL("({0}.extracted_at, coalesce({0}.first_delivery_id, {0}.delivery_id), {0}.delivery_id)")

_KNOWN_ON_TEXT = (
    "Records of {feed} as the agency had told them by the end of that day, whatever the order in which its extracts"
    " reached us."
)
_KNOWN_ON = """
    select r.* from {raw} as r
    join (
        select distinct on (d.scope, v.record_key) v.record_key, v.delivery_id
        from (
            select record_key, delivery_id, withdrawn_delivery_id as until from {raw}
            union all
            select record_key, delivery_id, until_delivery_id from quality.absence
        ) as v
        join quality.delivery as d on d.delivery_id = v.delivery_id
        left join quality.delivery as e on e.delivery_id = v.until
        where d.feed = {feed} and d.vintage <= on_date
            and (v.until is null or v.until = v.delivery_id or e.vintage > on_date)
            and d.is_simulated = not exists (
                select from quality.delivery as o
                where o.feed = {feed} and o.state = 'admitted' and not o.is_simulated
            )
        order by d.scope, v.record_key, {place} desc
    ) as said on said.record_key = r.record_key and said.delivery_id = r.delivery_id
    where not {withdraws}
"""
_HELD_AT_TEXT = "Records of {feed} as the warehouse showed them at that moment."
_HELD_AT = """
    select r.* from {raw} as r
    join quality.delivery as d on d.delivery_id = r.delivery_id
    left join quality.delivery as e on e.delivery_id = r.withdrawn_delivery_id
    where d.finished_at <= at_time and (e.delivery_id is null or e.finished_at > at_time)
"""
_FUNCTION = "create or replace function {name} ({argument}) returns setof {raw} language sql stable as {body}"
_COMMENT = "comment on function {name} ({argument}) is {meaning}"


def withdraws_its_record(contract: Contract, row: str) -> sql.Composable:
    """SQL that is true where a row (of alias ``row``) says that its record is withdrawn."""
    rule = contract.delivery.withdrawal
    if rule is None:
        return sql.SQL("false")
    words = sorted({" ".join(str(value).split()).lower() for value in rule.values})
    return sql.SQL(r"coalesce(lower(btrim(regexp_replace({}::text, '\s+', ' ', 'g'))) = any({}), false)").format(
        sql.Identifier(row, rule.column), sql.Literal(words)
    )


def create_history_functions(connection: Connection, contracts: Mapping[str, Contract]) -> None:
    """Make the functions that are missing or not as the contract now says."""
    present: dict[str, str] = dict(
        connection.execute("select proname, prosrc from pg_proc where pronamespace = 'raw'::regnamespace").fetchall()
    )
    for contract in contracts.values():
        functions = [("as_held_at", "at_time timestamptz", _HELD_AT, _HELD_AT_TEXT)]
        if contract.delivery.extract != "period":
            functions.append(("as_known_on", "on_date date", _KNOWN_ON, _KNOWN_ON_TEXT))
        for suffix, argument, text, meaning in functions:
            pieces: dict[str, sql.Composable] = {
                "name": sql.Identifier("raw", f"{contract.feed}_{suffix}"),
                "argument": sql.SQL(argument),
                "raw": sql.Identifier("raw", contract.feed),
                "feed": sql.Literal(contract.feed),
                "place": PLACE.format(sql.Identifier("d")),
                "withdraws": withdraws_its_record(contract, "r"),
                "meaning": sql.Literal(meaning.format(feed=contract.feed)),
            }
            body = sql.SQL(text).format(**pieces).as_string(connection)
            if present.get(f"{contract.feed}_{suffix}") == body:
                continue
            pieces["body"] = sql.Literal(body)
            for statement in (_FUNCTION, _COMMENT):
                connection.execute(sql.SQL(statement).format(**pieces))
