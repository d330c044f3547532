"""The ledger of changes in counting (``quality.recording_change``): what was found, and what people decided on it.

``state`` is ``suspected``; ``registered``, where the register has an entry for it; ``confirmed`` or ``rejected`` by a
person; or ``gone``, where a later night no longer sees it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from saferkc.warehouse.connection import Connection, fetch_all

# what a person has decided no night undoes, and what went may come back
UNDECIDED = ("suspected", "registered", "gone")
# real changes alarm nobody
_STANDS = "kind <> 'real' and state not in ('gone', 'rejected')"


def list_changes(connection: Connection, *, feed: str | None = None, include_all: bool = False) -> list[dict[str, Any]]:
    """Changes of a feed, or of all, by month, each as its row: those that stand, or with ``include_all`` every one.

    ``found_month`` and ``found_nature`` are as the detector found them, where somebody has amended what stands.
    """
    return fetch_all(
        connection,
        f"""
        select change_id, effective_month, series, parent_series, feed, geography, kind, nature, treatment, confidence,
            state, register_id, evidence, detected_at, decided_by, decided_at, decision_note,
            coalesce((evidence ->> 'found_month')::date, effective_month) as found_month,
            coalesce(evidence ->> 'found_nature', nature) as found_nature
        from quality.recording_change
        where (%(all)s or ({_STANDS})) and (%(feed)s::text is null or feed = %(feed)s)
        order by effective_month, change_id
        """,  # noqa: S608 - our own words
        {"all": include_all, "feed": feed},
    )


def count_changes(connection: Connection, since: datetime | None) -> int:
    """How many changes stand that were first found since then, or ever."""
    query = (
        f"select count(*) from quality.recording_change where {_STANDS}"  # noqa: S608 - our own words
        " and (%(since)s::timestamptz is null or detected_at >= %(since)s)"
    )
    return int(fetch_all(connection, query, {"since": since})[0]["count"])


def add_change(connection: Connection, values: Mapping[str, Any]) -> None:
    """Enter a change; ``values`` are columns of the ledger, the evidence a mapping."""
    connection.execute(
        """
        insert into quality.recording_change (series, parent_series, feed, geography, effective_month, kind, nature,
            confidence, evidence, state, register_id, treatment)
        values (%(series)s, %(parent_series)s, %(feed)s, %(geography)s, %(effective_month)s, %(kind)s, %(nature)s,
            %(confidence)s, %(evidence)s, %(state)s, %(register_id)s, %(treatment)s)
        """,
        _as_json(values),
    )


def say_anew(connection: Connection, change_id: int, values: Mapping[str, Any]) -> None:
    """Say of a change what is known now, and leave it alone where somebody has decided on what was known then.

    What was confirmed and has come into the register since is ``registered``: from then on the register speaks.
    """
    connection.execute(
        """
        update quality.recording_change
        set series = %(series)s, geography = %(geography)s, effective_month = %(effective_month)s, kind = %(kind)s,
            nature = %(nature)s, confidence = %(confidence)s, evidence = %(evidence)s, state = %(state)s,
            register_id = %(register_id)s, treatment = %(treatment)s
        where change_id = %(change_id)s and state = any(%(undecided)s)
        """,
        _as_json(values) | {"change_id": change_id, "undecided": list(UNDECIDED)},
    )
    connection.execute(
        """
        update quality.recording_change
        set state = 'registered', register_id = %(register_id)s
        where change_id = %(change_id)s and state = 'confirmed' and register_id is null
            and %(register_id)s::text is not null
        """,
        {"register_id": values["register_id"], "change_id": change_id},
    )


def set_gone(connection: Connection, change_ids: Sequence[int]) -> None:
    """Note of changes that they no longer show."""
    connection.execute(
        "update quality.recording_change set state = 'gone' where change_id = any(%s)", [list(change_ids)]
    )


def _as_json(values: Mapping[str, Any]) -> dict[str, Any]:
    return {**values, "evidence": json.dumps(values["evidence"], default=str)}
