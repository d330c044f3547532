"""One document being read: labels, layout, rows in blocks for COPY, and the tally of what became of them."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import date
from typing import IO, TYPE_CHECKING, Any

import polars as pl

from saferkc.contracts import Contract, label_of
from saferkc.loading.columns import COPIED, LabelledPeriod, Typer, labelled_period, scope_of
from saferkc.loading.faults import QuarantinedRow, Refused
from saferkc.loading.json_lines import JsonLinesReader, JsonReader
from saferkc.loading.reader import SEPARATOR, DelimitedReader
from saferkc.loading.repeats import Repeats
from saferkc.loading.tally import Tally
from saferkc.privacy.showing import new_heading
from saferkc.privacy.tokens import Tokeniser

if TYPE_CHECKING:
    from saferkc.loading.workbook import WorkbookReader

    Reader = DelimitedReader | JsonReader | JsonLinesReader | WorkbookReader


def _read(contract: Contract, stream: IO[bytes]) -> Reader:
    """Open the document with the reader of its format."""
    if contract.delivery.format == "workbook":
        from saferkc.loading.workbook import WorkbookReader  # noqa: PLC0415  (openpyxl, which few feeds need)

        return WorkbookReader(contract, stream)
    readers: dict[str, Callable[[Contract, IO[bytes]], Reader]] = {"json": JsonReader, "json_lines": JsonLinesReader}
    return readers.get(contract.delivery.format, DelimitedReader)(contract, stream)


# of a typed row, what is still asked for once its columns are written down for COPY
_SETTLED = ("line_number", "record_key", "row_hash", "period", COPIED)


class Document:
    """One document being read: its labels, its layout, its rows as blocks for COPY, and its tally."""

    def __init__(
        self,
        contract: Contract,
        name: str,
        stream: IO[bytes],
        token_key: bytes,
        tokenise: Tokeniser | None = None,
    ) -> None:
        self.contract = contract
        self.tally = Tally()
        self._name = name
        self._batches = _read(contract, stream)
        self.layout = self._batches.layout
        self.label = self._agreed_label()
        self.named: LabelledPeriod | None = labelled_period(contract, self.label)
        scope = scope_of(contract, self.label)
        if scope is None:
            raise Refused("neither its name nor its headings say whose it is")
        self.scope = scope
        self._typer = Typer(contract, self.label, self.named, token_key, tokenise)
        self._repeats = Repeats()
        rules = contract.delivery
        looked_at = [rules.identical_rows.column, *(rule.column for rule in rules.must_contain)]
        self._needed = list(dict.fromkeys([*_SETTLED, *(name for name in looked_at if name)]))

    def _agreed_label(self) -> dict[str, str]:
        """What name and headings say together; raises ``Refused`` where they contradict each other."""
        named = label_of(self.contract, self._name)
        if named is None:
            raise Refused("no pattern of its contract takes a document of this name any more")
        headed = self.layout.label
        for key in named.keys() & headed.keys():
            if named[key] != headed[key]:
                raise Refused(f"its name says {named[key]}, its headings say {headed[key]}")
        return headed | named

    @property
    def records_a_line(self) -> int:
        """Records that a line of the document holds: one, or one a month of a wide file."""
        return len(self.layout.period_positions) or 1

    def named_periods(self) -> list[date] | None:
        """First days of the periods covered, as far as name and headings say them before a row is read."""
        if self.layout.period_positions:
            fmt = self.contract.delivery.wide.period_format if self.contract.delivery.wide else "%Y%m"
            texts = pl.Series(list(self.layout.period_positions.values()), dtype=pl.String)
            return sorted(texts.str.to_date(fmt, strict=True).to_list())
        if self.named is None:
            return None
        return self.named.periods(self.contract.delivery.period.grain)

    def blocks(self, constants: list[pl.Expr], names: list[str]) -> Iterator[tuple[bytes, list[QuarantinedRow]]]:
        """Yield lines for COPY, block by block, with the rows that fell out.

        Lines hold the version columns ``names`` and then all of the contract's, parted by ``SEPARATOR``.
        """
        for batch in self._batches:
            typed = self._typer(batch.frame, is_bare=batch.is_bare)
            frame, repeated, clashing = self._settle(typed.frame.select(self._needed))
            faults = [*batch.broken, *typed.quarantined, *clashing]
            self.tally.add(frame, batch.frame.height + len(batch.broken), faults, repeated, typed.off_label)
            self.tally.see(frame, self.contract)
            content = io.BytesIO()
            lines = frame.with_columns(constants).select(*names, COPIED)
            lines.write_csv(content, include_header=False, separator=SEPARATOR, quote_style="never")
            yield content.getvalue(), faults
        self.tally.is_whole = True
        self._check_label()

    def flags(self) -> list[dict[str, Any]]:
        """What is new in the document: columns and codes that the contract does not know."""
        shown = [new_heading(self.contract, heading, self.layout.headings) for heading in self.layout.new_headings]
        flags = [{"flag": "new_column", "name": name, "meaning": meaning} for name, meaning in shown]
        for column, codes in self._typer.new_codes.items():
            flags += [
                {
                    "flag": "new_code",
                    "name": f"{column}={code}",
                    "meaning": f"a new value of {column} has appeared: {code!r}",
                }
                for code in codes
            ]
        return [*flags, *self.layout.notes, *self._odd_hours()]

    def _odd_hours(self) -> Iterator[dict[str, Any]]:
        for column, odd in self._typer.odd_hours.items():
            if odd.twice:
                meaning = (
                    f"{odd.twice:,} times of {column} lie in an hour that the clock showed twice: read as the first"
                )
                yield {"flag": "hour_shown_twice", "name": column, "meaning": meaning, "is_usual": True}
            if odd.never:
                meaning = (
                    f"{odd.never:,} times of {column} lie in an hour that the clock never showed: read an hour later"
                )
                yield {"flag": "hour_never_shown", "name": column, "meaning": meaning, "is_usual": True}

    def _check_label(self) -> None:
        """A label that most rows belie is not believed: the document is refused, never dated by a guess."""
        tally = self.tally
        off = tally.off_label.total()
        if self.named and off > tally.held / 2:
            written = "%Y-%m" if self.contract.delivery.period.grain == "month" else "%Y"
            said = " to ".join(sorted({day.strftime(written) for day in (self.named.first, self.named.last)}))
            true, count = tally.off_label.most_common(1)[0]
            raise Refused(
                f"its name says {said}, but {off:,} of its {tally.held:,} records are of another"
                f" {self.contract.delivery.period.grain}, {count:,} of them of {true.strftime(written)}: the label"
                " does not tell the truth about the content"
            )

    def _settle(self, frame: pl.DataFrame) -> tuple[pl.DataFrame, int, list[QuarantinedRow]]:
        """Settle repeats: number those that are separate records, drop those that are one.

        What is left for the database is noted in ``tally.is_unsettled``: keys met in an earlier block, and
        documents too long to remember.
        """
        if self.contract.key_columns:
            self.tally.is_unsettled |= self._repeats.meets_again(frame["record_key"])
            return self._settle_keys(frame)
        frame = frame.with_columns(self._repeats.number(frame["row_hash"]))
        self.tally.is_unsettled |= self._repeats.overflowed
        rule = self.contract.delivery.identical_rows
        if rule.rule == "keep":
            return frame, 0, []
        drop = pl.col("occurrence") > 1
        if rule.rule == "collapse_where_present":
            drop &= pl.col(rule.column or "").is_not_null()
        kept = frame.filter(~drop)
        return kept, frame.height - kept.height, []

    def _settle_keys(self, frame: pl.DataFrame) -> tuple[pl.DataFrame, int, list[QuarantinedRow]]:
        """Settle repeated record keys within one block: the first line counts, one with other values is a fault."""
        first = pl.lit(1, dtype=pl.Int64).alias("occurrence")
        if frame["record_key"].n_unique() == frame.height:
            return frame.with_columns(first), 0, []
        frame = frame.with_columns(
            pl.col("record_key").cum_count().over("record_key").alias("@n"),
            (pl.col("row_hash").first().over("record_key") == pl.col("row_hash")).alias("@same"),
        )
        clashing = frame.filter((pl.col("@n") > 1) & ~pl.col("@same"))["line_number"].to_list()
        identical = frame.filter((pl.col("@n") > 1) & pl.col("@same")).height
        key = ", ".join(self.contract.key_columns)
        reason = f"an earlier line has the same {key} with other values"
        faults = [QuarantinedRow(line, None, "record_key", reason) for line in clashing]
        return frame.filter(pl.col("@n") == 1).drop("@n", "@same").with_columns(first), identical, faults
