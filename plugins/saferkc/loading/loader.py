"""The way of one document from landing to raw, in one transaction, with its account."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Sequence
from contextlib import closing
from datetime import date, datetime
from typing import Any

import polars as pl
import psycopg
from psycopg import sql

from saferkc.alerts import resolve
from saferkc.contracts import Contract, label_of
from saferkc.landing.errors import LandingError
from saferkc.landing.inbox import raise_refusal
from saferkc.landing.store import BLOCK_BYTES, hash_stream, open_document
from saferkc.loading.account import Quarantine, enter_account, tell
from saferkc.loading.ahead import ahead
from saferkc.loading.arrival import Arrival, archive_vintage, extracted_at
from saferkc.loading.columns import labelled_period, scope_of
from saferkc.loading.delivery_rules import check_whole
from saferkc.loading.document import Document
from saferkc.loading.extracts import (
    Extract,
    check_extract_date,
    end_withdrawals,
    is_first,
    merge_extract,
)
from saferkc.loading.extracts import record_coverage as record_extract
from saferkc.loading.faults import Refused
from saferkc.loading.reader import SEPARATOR
from saferkc.loading.reasonableness import check_reasonable
from saferkc.loading.tally import Tally
from saferkc.loading.versions import (
    STAGE,
    Merged,
    current_rows,
    displace_simulated,
    make_stage,
    merge_stage,
    parts_of,
    record_coverage,
    settle_repeats,
)
from saferkc.privacy.at_rest import TooLargeError
from saferkc.privacy.tokens import Tokeniser
from saferkc.settings import Settings
from saferkc.warehouse.connection import Connection
from saferkc.warehouse.raw_tables import raw_table, written_columns

_DAMAGED = (zipfile.BadZipFile, gzip.BadGzipFile, EOFError, zlib.error, NotImplementedError)


class Loader:
    """The way of one document from landing to raw."""

    def __init__(self, settings: Settings, connection: Connection, contract: Contract, arrival: Arrival) -> None:
        self._settings = settings
        self._connection = connection
        self._contract = contract
        self._arrival = arrival
        self._simulated = arrival.is_simulated
        self._extracted_at: datetime | None = None
        self._records_a_line = 1
        self._spoilt: list[str] = []
        self._tally = Tally()
        self._sha256 = ""
        self._bytes = 0

    def run(self) -> None:
        """Admit, refuse or recognise the document as one already held; always leaves one delivery row."""
        try:
            self._identify()
            self._extracted_at = extracted_at(self._contract, self._arrival)
            with self._connection.transaction():
                if not self._is_duplicate():
                    self._admit()
                self._take()
        except Refused as refusal:
            self._refuse(str(refusal))
        except (LandingError, TooLargeError) as error:
            self._refuse(str(error))
        except _DAMAGED:
            self._refuse("it is damaged or cut short and can't be unpacked; ask the agency to send it again")

    def _open(self) -> Any:
        return open_document(
            self._settings,
            self._arrival.landed_sha256,
            self._arrival.member,
            self._arrival.document_name,
            source=self._contract.delivery.source,
        )

    def _identify(self) -> None:
        if self._arrival.member is None:
            row = self._connection.execute(
                "select sha256, bytes from quality.landed_file where sha256 = %s",
                [self._arrival.landed_sha256],
            ).fetchone()
            assert row is not None  # noqa: S101  (a foreign key holds it)
            self._sha256, self._bytes = row
        else:
            self._sha256 = self._arrival.landed_sha256  # should the member be unreadable
            with self._open() as stream:
                self._sha256, self._bytes = hash_stream(stream)

    def _take(self) -> None:
        self._connection.execute(
            "update quality.arrival set taken_at = now() where arrival_id = %s", [self._arrival.arrival_id]
        )

    def _is_duplicate(self) -> bool:
        """Enter the delivery as a duplicate where its very bytes were admitted under this contract version.

        An extract is another one where its date is another: that nothing has changed is news, too. Raises
        ``Refused`` where a document comes under a name that says another period: the period that the name
        promises is then still missing, and somebody must be told.
        """
        earlier = self._connection.execute(
            """
            select d.delivery_id, d.rows_in, d.covers_from, d.source_name, d.scope, d.vintage, exists (
                select from quality.delivery_coverage as c where c.delivery_id = d.delivery_id and not c.is_current
            )
            from quality.delivery as d
            where d.feed = %s and d.sha256 = %s and d.state = 'admitted' and d.contract_version = %s
                and (%s or d.extracted_at = %s)
            order by d.delivery_id desc limit 1
            """,
            [self._contract.feed, self._sha256, self._contract.version, not self._is_extract, self._extracted_at],
        ).fetchone()
        if earlier is None:
            return False
        delivery_id, rows_in, covers_from, name, scope, vintage, is_displaced = earlier
        label = label_of(self._contract, self._arrival.document_name) or {}
        named = labelled_period(self._contract, label)
        if (named and named.first != covers_from) or scope_of(self._contract, label) not in (None, scope):
            self._tally = Tally(held=rows_in, is_whole=True)
            raise Refused(
                f"its name says {named.first if named else 'something else'}, but its bytes are those of {name}"
                f" (delivery {delivery_id}), which is of {covers_from:%Y-%m}"
            )
        said = self._said_vintage()
        if said is not None and said > vintage:
            if is_displaced:  # what was said first is said again, after something else: the last word counts
                return False
            self._connection.execute(
                "update quality.delivery set vintage = %s where delivery_id = %s", [said, delivery_id]
            )
        resolve(
            self._connection,
            f"refused:{self._contract.feed}:{self._arrival.source_name}",
            note="a later delivery of this name holds what is already there",
        )
        self._enter(
            state="duplicate",
            rows_in=rows_in,
            rows_unchanged=rows_in,
            reason=f"the same bytes as delivery {delivery_id}",
        )
        return True

    @property
    def _is_extract(self) -> bool:
        """Whether the delivery speaks for records, and not for all of a month or year."""
        return self._contract.delivery.extract != "period"

    def _said_vintage(self) -> date | None:
        """The vintage that the name of the document or its archive says."""
        if self._extracted_at is not None:
            return self._extracted_at.date()
        return archive_vintage(self._contract, self._arrival)

    def _refuse(self, reason: str) -> None:
        with self._connection.transaction():
            self._enter(state="refused", rows_refused=self._held(), reason=reason)
            raise_refusal(self._connection, self._contract.feed, self._arrival.source_name, reason)
            self._take()

    def _held(self) -> int:
        """How many records a refused document held: where it was not read to its end, by its lines."""
        kind = self._contract.delivery.format
        if self._tally.is_whole or kind in ("json", "workbook"):
            return self._tally.held
        lines, last = 0 if kind == "json_lines" else -1, b"\n"  # the heading is no record
        try:
            with self._open() as stream:
                # as much as there is: a damaged stream gives an error in place of its last block
                read = getattr(stream, "read1", stream.read)
                while block := read(BLOCK_BYTES):
                    lines, last = lines + block.count(b"\n"), block[-1:]
        except (LandingError, *_DAMAGED):
            pass  # counted as far as it goes
        return max(0, lines + (last != b"\n")) * self._records_a_line

    def _enter(self, **values: Any) -> int:
        row = {
            "arrival_id": self._arrival.arrival_id,
            "feed": self._contract.feed,
            "source_name": self._arrival.source_name,
            "sha256": self._sha256,
            "landed_sha256": self._arrival.landed_sha256,
            "archive_member": self._arrival.member,
            "bytes": self._bytes,
            "received_at": self._arrival.received_at,
            "is_simulated": self._simulated,
            "contract_version": self._contract.version,
            "extracted_at": self._extracted_at,
        } | values
        entered = self._connection.execute(
            sql.SQL("insert into quality.delivery ({}) values ({}) returning delivery_id").format(
                sql.SQL(", ").join(map(sql.Identifier, row)), sql.SQL(", ").join(map(sql.Placeholder, row))
            ),
            row,
        ).fetchone()
        assert entered is not None  # noqa: S101  (returning always gives a row)
        return int(entered[0])

    def _admit(self) -> None:
        with self._open() as stream:
            document = Document(
                self._contract,
                self._arrival.document_name,
                stream,
                self._token_key(),
                Tokeniser.of(self._settings, self._contract),
            )
            self._tally = document.tally
            self._records_a_line = document.records_a_line
            self._check_not_simulated_over_real()
            delivery_id = self._enter(state="admitted", scope=document.scope, first_delivery_id=self._first_delivery())
            periods = document.named_periods()
            displaced = 0 if self._simulated else displace_simulated(self._connection, self._contract, delivery_id)
            fresh = self._is_fresh(document.scope, periods)
            target = raw_table(self._contract) if fresh else STAGE
            if not fresh:
                make_stage(self._connection, self._contract)
            quarantine = Quarantine(self._contract.feed, delivery_id)
            self._copy(document, target, delivery_id, quarantine)
        tally = document.tally
        repeated, clashing = (
            settle_repeats(self._connection, self._contract, target, delivery_id) if tally.is_unsettled else (0, [])
        )
        tally.repeated += repeated
        tally.quarantined += len(clashing)
        tally.faults.update(row.reason for row in clashing)
        quarantine.add(clashing)
        if self._is_extract:
            covered, vintage, merged = self._admit_extract(document, target, delivery_id)
        else:
            covered, vintage, merged = self._admit_periods(document, target, delivery_id, periods)
        quarantine.enter(self._connection)
        merged.unchanged += tally.repeated
        merged.withdrawn += displaced
        enter_account(self._connection, delivery_id, document, covered, vintage, merged)
        tell(self._connection, self._contract.feed, self._arrival.source_name, document)

    def _admit_periods(
        self, document: Document, target: sql.Identifier, delivery_id: int, periods: list[date] | None
    ) -> tuple[tuple[date, date], date, Merged]:
        """Judge and merge a delivery of everything of its months; return the days it covers and its vintage."""
        tally = document.tally
        covered = periods if periods is not None else sorted(tally.periods)
        if not covered:
            raise Refused("it holds no record")
        check_whole(self._connection, self._contract, document, self._simulated, len(covered))
        check_reasonable(self._connection, self._contract, target, delivery_id)
        vintage = self._said_vintage() or date.min
        if self._extracted_at is None:
            vintage = max(vintage, covered[-1])
        parts = parts_of(self._connection, self._contract.feed, document.scope, covered, (not self._simulated, vintage))
        if target == STAGE:
            before = current_rows(self._connection, self._contract, parts)
            merged = merge_stage(self._connection, self._contract, delivery_id, parts)
            # without a key a changed record is one gone and one come: only their number can tell a cut file
            gone = merged.withdrawn if self._contract.key_columns else before - merged.staged
            self._check_withdrawal(before, gone)
        else:
            merged = _all_new(tally)
        record_coverage(self._connection, self._contract, delivery_id, parts)
        return (covered[0], _last_day(covered[-1], self._contract.delivery.period.grain)), vintage, merged

    def _admit_extract(
        self, document: Document, target: sql.Identifier, delivery_id: int
    ) -> tuple[tuple[date, date], date, Merged]:
        """Judge and merge an extract that speaks for records; return the days it covers and its vintage."""
        assert self._extracted_at is not None  # noqa: S101  (the contract says so)
        tally = document.tally
        extract = Extract(
            delivery_id, document.scope, self._simulated, self._extracted_at, self._first_delivery() or delivery_id
        )
        check_whole(self._connection, self._contract, document, self._simulated, 1)
        check_extract_date(self._connection, self._contract, target, extract, tally.held)
        check_reasonable(self._connection, self._contract, target, delivery_id)
        if target == STAGE:
            merged = merge_extract(self._connection, self._contract, extract, self._spoilt)
        else:
            end_withdrawals(self._connection, self._contract, delivery_id)
            merged = _all_new(tally)
        record_extract(self._connection, self._contract, extract)
        day = self._extracted_at.date()
        return (day, day), day, merged

    def _first_delivery(self) -> int | None:
        """Return the first delivery of the same extract, should it be judged again: it keeps its place by it."""
        if not self._is_extract:
            return None
        found = self._connection.execute(
            "select min(delivery_id) from quality.delivery where feed = %s and sha256 = %s and extracted_at = %s",
            [self._contract.feed, self._sha256, self._extracted_at],
        ).fetchone()
        return found[0] if found else None

    def _token_key(self) -> bytes:
        return self._settings.secret("row_token_key")

    def _check_not_simulated_over_real(self) -> None:
        if not self._simulated:
            return
        real = self._connection.execute(
            "select from quality.delivery where feed = %s and state = 'admitted' and not is_simulated limit 1",
            [self._contract.feed],
        ).fetchone()
        if real is not None:
            raise Refused("it is simulated, and this feed already holds real records; the two never mix")

    def _is_fresh(self, scope: str, periods: Sequence[date] | None) -> bool:
        """Whether nothing was ever delivered for what this document covers: its rows can go straight to raw."""
        if self._is_extract:
            return is_first(self._connection, self._contract)
        if periods is None:
            return False
        found = self._connection.execute(
            """
            select from quality.delivery_coverage
            where feed = %s and scope = %s and period = any(%s::date[]) limit 1
            """,
            [self._contract.feed, scope, list(periods)],
        ).fetchone()
        return found is None

    def _copy(self, document: Document, target: sql.Identifier, delivery_id: int, quarantine: Quarantine) -> None:
        names = [name for name in written_columns(self._contract) if name != "withdrawn_delivery_id"]
        statement = sql.SQL("copy {} ({}) from stdin (format text, delimiter {}, null '')").format(
            target, sql.SQL(", ").join(map(sql.Identifier, names)), SEPARATOR
        )
        version_columns = names[: len(names) - len(self._contract.columns)]
        constants = [pl.lit(delivery_id, dtype=pl.Int64).alias("delivery_id")]
        blocks = ahead(document.blocks(constants, version_columns))
        try:
            with self._connection.cursor() as cursor, cursor.copy(statement) as copy, closing(blocks):
                for block, faults in blocks:
                    copy.write(block)
                    quarantine.add(faults)
                    if self._contract.delivery.extract == "full":
                        self._spoilt += [row.record_key for row in faults if row.record_key is not None]
        except psycopg.DataError as error:  # its message shows the value
            raise Refused(f"it holds a value that the database can't keep ({error.sqlstate})") from None

    def _check_withdrawal(self, before: int, gone: int) -> None:
        """Refuse a delivery that would take away much of what an earlier one said of the same stretch."""
        limit = self._contract.delivery.limits.withdrawn_share
        if gone > limit * before:
            raise Refused(
                f"it lacks {gone:,} of the {before:,} records that earlier deliveries hold for the same"
                f" {self._contract.delivery.period.grain}; more than {limit:.0%} is taken for a cut file"
            )


def _all_new(tally: Tally) -> Merged:
    """What became of rows that went straight to raw."""
    admitted = tally.held - tally.quarantined - tally.repeated
    return Merged(staged=admitted, admitted=admitted, unchanged=0, withdrawn=0)


def _last_day(first_day: date, grain: str) -> date:
    following = date(first_day.year + 1, 1, 1)
    if grain == "month":
        following = date(first_day.year + first_day.month // 12, first_day.month % 12 + 1, 1)
    return date.fromordinal(following.toordinal() - 1)
