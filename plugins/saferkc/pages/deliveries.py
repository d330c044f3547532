"""Deliveries: the list, and one of them down to the quarantined lines and their rules; never a value."""

from __future__ import annotations

from typing import Any

from saferkc.warehouse.connection import Connection, fetch_all

PAGE = 50
LINES = 200
_STATES = ("admitted", "refused", "duplicate")


def read_page(connection: Connection, *, feed: str, state: str, before: int | None) -> list[dict[str, Any]]:
    """Deliveries, the newest first, ``PAGE`` and one more at most; ``before`` is the last one of the page before."""
    return fetch_all(
        connection,
        """
        select delivery_id, feed, source_name, received_at, covers_from, covers_to, state, rows_in, rows_admitted,
            rows_unchanged, rows_quarantined, rows_withdrawn, rows_refused, is_simulated
        from quality.delivery
        where (%(feed)s = '' or feed = %(feed)s) and (%(state)s = '' or state = %(state)s)
            and (%(before)s::bigint is null or delivery_id < %(before)s)
        order by delivery_id desc
        limit %(limit)s
        """,
        {"feed": feed, "state": state if state in _STATES else "", "before": before, "limit": PAGE + 1},
    )


def read_delivery(connection: Connection, delivery_id: int) -> dict[str, Any] | None:
    """One delivery with its checks; None where there is none of that number."""
    rows = fetch_all(
        connection,
        """
        select delivery_id, feed, source_name, archive_member, sha256, bytes, received_at, finished_at, covers_from,
            covers_to, scope, state, rows_in, rows_admitted, rows_unchanged, rows_quarantined, rows_withdrawn,
            rows_refused, reason, is_simulated, contract_version, flags
        from quality.delivery where delivery_id = %s
        """,
        [delivery_id],
    )
    if not rows:
        return None
    rules = fetch_all(
        connection,
        """
        select rule, column_name, reason, count(*) as lines, min(line_number) as first_line,
            max(line_number) as last_line
        from quality.quarantine where delivery_id = %s
        group by rule, column_name, reason order by lines desc, rule, column_name
        """,
        [delivery_id],
    )
    checks = fetch_all(
        connection,
        """
        select suite, check_name, column_name, severity, success, meaning, next_step
        from quality.check_result where delivery_id = %s order by success, severity, check_result_id
        """,
        [delivery_id],
    )
    return rows[0] | {"rules": rules, "checks": checks, "flags": _flags(rows[0]["flags"])}


def read_lines(connection: Connection, delivery_id: int, after: int) -> list[dict[str, Any]]:
    """Quarantined lines in the order of the file behind ``after``, about ``LINES``: a line's rules stay together."""
    return fetch_all(
        connection,
        """
        select line_number, column_name, rule, reason from quality.quarantine
        where delivery_id = %s and line_number > %s order by line_number fetch first %s rows with ties
        """,
        [delivery_id, after, LINES],
    )


def _flags(flags: list[dict[str, Any]] | None) -> list[str]:
    """What was noticed of a delivery, each in a sentence."""
    return [str(flag.get("meaning") or flag.get("flag")) for flag in flags or ()]
