"""The account of an admitted delivery: what became of its rows, and what people are told of it."""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Iterable
from datetime import date

from saferkc.alerts import raise_alert, resolve
from saferkc.loading.document import Document
from saferkc.loading.faults import QuarantinedRow
from saferkc.loading.versions import Merged
from saferkc.recording.telling import is_asked
from saferkc.warehouse.connection import Connection

_MOST_IN_MEMORY, _BLOCK = 4 << 20, 1 << 20


class Quarantine:
    """Rows of a delivery that broke their contract, until they are entered: on disk once they are many.

    A document of which every row is spoilt is known for that at its end, and must not fill the memory before. What
    is kept of a row holds no value of it.
    """

    def __init__(self, feed: str, delivery_id: int) -> None:
        self._of = (delivery_id, feed)
        self._file = tempfile.SpooledTemporaryFile(_MOST_IN_MEMORY, "w+", newline="", encoding="utf-8")  # noqa: SIM115
        self._writer = csv.writer(self._file)

    def add(self, rows: Iterable[QuarantinedRow]) -> None:
        """Keep rows."""
        self._writer.writerows(
            (*self._of, row.line_number, row.column_name, row.rule, row.reason, row.row_token) for row in rows
        )

    def enter(self, connection: Connection) -> None:
        """Enter all that were kept."""
        if not self._file.tell():
            return
        self._file.seek(0)
        columns = "delivery_id, feed, line_number, column_name, rule, reason, row_token"
        statement = f"copy quality.quarantine ({columns}) from stdin (format csv)"
        with self._file, connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
            while block := self._file.read(_BLOCK):
                copy.write(block)


def enter_account(
    connection: Connection,
    delivery_id: int,
    document: Document,
    covered: tuple[date, date],
    vintage: date,
    merged: Merged,
) -> None:
    """Enter what became of the rows of an admitted delivery, the days it covers and its vintage."""
    tally = document.tally
    connection.execute(
        """
        update quality.delivery set covers_from = %(from)s, covers_to = %(to)s, vintage = %(vintage)s,
            rows_in = %(rows_in)s, rows_admitted = %(admitted)s, rows_unchanged = %(unchanged)s,
            rows_quarantined = %(quarantined)s, rows_withdrawn = %(withdrawn)s, flags = %(flags)s::jsonb,
            finished_at = clock_timestamp()
        where delivery_id = %(id)s
        """,
        {
            "from": covered[0],
            "to": covered[1],
            "vintage": vintage,
            "rows_in": tally.held,
            "admitted": merged.admitted,
            "unchanged": merged.unchanged,
            "quarantined": tally.quarantined,
            "withdrawn": merged.withdrawn,
            "flags": json.dumps(document.flags()),
            "id": delivery_id,
        },
    )


def _code(name: str) -> str:
    """The code of a flag that is called column=code."""
    return name.partition("=")[2]


def tell(connection: Connection, feed: str, name: str, document: Document) -> None:
    """Raise an alert for what is new in a delivery called ``name``, and for its rows in quarantine."""
    quarantined = document.tally.quarantined
    for flag in document.flags():
        if flag.get("is_usual") or (flag["flag"] == "new_code" and is_asked(connection, feed, _code(flag["name"]))):
            continue
        raise_alert(
            connection,
            dedup_key=f"{flag['flag']}:{feed}:{flag['name']}",
            group_key=f"{flag['flag']}:{feed}",
            severity="act",
            audience="engineers",
            title=f"{feed}: {flag['meaning']}",
            body=f"First seen in {name}. The rows were let in. A changed code list or layout is often the first"
            " sign of a recording change: ask the agency what it means and add it to the contract.",
        )
    if quarantined:
        raise_alert(
            connection,
            dedup_key=f"quarantine:{feed}:{name}",
            group_key=f"quarantine:{feed}",
            severity="note",
            audience="engineers",
            title=f"{feed}: {quarantined:,} rows of {name} are in quarantine",
            body="The rest was admitted. See quality.quarantine for the lines and rules.",
        )
    resolve(connection, f"refused:{feed}:{name}", note="a later delivery of this name was admitted")
