"""From text to typed columns, with the contract's rules, whole columns at a time."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import polars as pl
import polars_hash  # noqa: F401  (gives expressions their `chash`)

from saferkc.contracts import Contract
from saferkc.contracts.labels import fold_label
from saferkc.contracts.model import Column
from saferkc.loading.faults import QuarantinedRow, Refused
from saferkc.loading.reader import SEPARATOR
from saferkc.loading.written import CODES_JOINED_BY, OddHours, read_dates, read_local_times, read_times, sorted_codes
from saferkc.privacy.strays import STRAY
from saferkc.privacy.tokens import Tokeniser

LONDON = "Europe/London"
_TEXT = "__text"
# all of the contract's columns of a row, as COPY reads them
COPIED = "=copied"
_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", SEPARATOR: f"\\{SEPARATOR}"}
FAULT = "@fault"
_MOST_NEW_CODES = 50
_INTEGER_LIMITS = {"integer": (-(2**31), 2**31 - 1), "bigint": (-(2**63), 2**63 - 1)}


@dataclass(frozen=True)
class Rule:
    """A rule that a row must keep. ``breaks`` is true where a row does not."""

    column: str
    name: str
    reason: str
    breaks: pl.Expr


@dataclass
class Typed:
    """Rows that kept their contract, typed; and those that did not."""

    frame: pl.DataFrame
    quarantined: list[QuarantinedRow] = field(default_factory=list)
    off_label: Counter[date] = field(default_factory=Counter)


@dataclass(frozen=True)
class LabelledPeriod:
    """What stretch a document's label speaks for: first days of its first and last period."""

    first: date
    last: date

    def periods(self, grain: str) -> list[date]:
        """First days of all its months or years."""
        return pl.date_range(self.first, self.last, "1mo" if grain == "month" else "1y", eager=True).to_list()


def scope_of(contract: Contract, label: Mapping[str, str]) -> str | None:
    """Return what a document speaks for beside its period, or None where its label does not say it."""
    try:
        return contract.delivery.scope.format(**{key: value.casefold() for key, value in label.items()})
    except KeyError:
        return None


def labelled_period(contract: Contract, label: Mapping[str, str]) -> LabelledPeriod | None:
    """Read the period that the document's name or headings say, or None where they say none.

    Raises ``Refused`` where what they say is no date.
    """
    period = contract.delivery.period
    said = period.fixed or (label.get(period.label) if period.label else None)
    if said is None:
        return None
    until = (label.get(period.label_to) if period.label_to else None) or said
    return LabelledPeriod(_first_day(said), _first_day(until))


def _first_day(said: str) -> date:
    digits = said.replace("-", "").replace("_", "")
    try:
        return date(int(digits[:4]), int(digits[4:6] or "1"), 1)
    except ValueError as error:
        raise Refused(f"its name says {said}, which is no month or year") from error


class Typer:
    """Turns frames of text into typed frames, for one document of one contract."""

    def __init__(
        self,
        contract: Contract,
        label: Mapping[str, str],
        named: LabelledPeriod | None,
        token_key: bytes,
        tokenise: Tokeniser | None = None,
    ) -> None:
        if tokenise is None and any(column.token for column in contract.columns):
            raise ValueError(f"{contract.id} has tokens, and no keys were given to make them")
        self._contract = contract
        self._label = label
        self._named = named
        self._token_key = token_key
        self._tokenise = tokenise
        self._new_codes: dict[str, set[str]] = {}
        self.odd_hours: dict[str, OddHours] = {}
        self._rules = [rule for column in contract.columns for rule in _rules(column)]
        self._rules += [
            Rule(name, "identity", "part of a person's identity stands in it", pl.col(STRAY) == name)
            for name in (tokenise.searched if tokenise else [])
        ]

    @property
    def new_codes(self) -> dict[str, list[str]]:
        """Values outside a code list, by column; hidden where the column is not public."""
        return {name: sorted(values) for name, values in self._new_codes.items() if values}

    def __call__(self, text: pl.DataFrame, *, is_bare: bool = False) -> Typed:
        """Type one frame of text (columns of the contract and ``line_number``); for ``is_bare`` see ``Batch``."""
        if self._tokenise:
            text = self._tokenise(text)  # before any rule, reason or hash sees the row
        text = text.with_columns(pl.col(pl.String).str.strip_chars())
        kept = ["line_number", *(name for name in (STRAY, FAULT) if name in text.columns)]
        frame = text.select(*kept, *(self._cleaned(column, text) for column in self._contract.columns))
        frame = frame.with_columns(self._typed(column) for column in self._contract.columns)
        frame = frame.with_columns(self._local_times(frame))
        frame = frame.with_columns(self._period().alias("period"))
        rules = [*_told(text), *self._rules, *self._period_rules()]
        frame, quarantined, off_label = self._judge(frame, rules)
        self._note_new_codes(frame)
        return Typed(self._hashed(frame, is_bare=is_bare), quarantined, off_label)

    def _cleaned(self, column: Column, text: pl.DataFrame) -> pl.Expr:
        origin = column.origin
        if origin.label:
            value = self._label.get(origin.label)
            expr = pl.lit(value, dtype=pl.String)
        elif column.name in text.columns:
            expr = pl.col(column.name)
        else:
            expr = pl.lit(None, dtype=pl.String)
        nulls = {"", *origin.null_values}
        missing = (expr == "") if len(nulls) == 1 else expr.is_in(sorted(nulls))
        expr = pl.when(missing).then(None).otherwise(expr)
        return expr.alias(column.name + _TEXT)

    def _typed(self, column: Column) -> pl.Expr:
        text = pl.col(column.name + _TEXT)
        if column.origin.thousands:
            # "1,234" is a number; "12,34" is not, and neither is "3.26", left of 3.260 by a spreadsheet
            mark = column.origin.thousands
            grouped = text.str.contains(rf"^[+-]?\d{{1,3}}(?:{re.escape(mark)}\d{{3}})+(?:[^{re.escape(mark)}]|$)")
            text = pl.when(grouped).then(text.str.replace_all(mark, "", literal=True)).otherwise(text)
        kind = column.physical_type
        if kind == "date":
            wide = self._contract.delivery.wide
            period_format = wide.period_format if wide and column.origin.cell == "period" else None
            formats = [period_format or column.options.format or "%Y-%m-%d", *column.origin.date_formats]
            expr = text.map_batches(lambda texts: read_dates(texts, formats), return_dtype=pl.Date())
        elif kind == "timestamptz" and not column.origin.timezone:
            times = [column.options.format, *column.origin.date_formats]
            expr = text.map_batches(lambda texts: read_times(texts, times), return_dtype=pl.Datetime("us", "UTC"))
        elif kind == "double precision":
            expr = text.cast(pl.Float64, strict=False)
            if column.origin.decimals is not None:
                expr = expr.round(column.origin.decimals)
        elif kind in _INTEGER_LIMITS:
            expr = text.cast(pl.Int64, strict=False)
        elif kind == "boolean":
            low = text.str.to_lowercase()
            yes, no = low.is_in(["true", "yes", "1", "t", "y"]), low.is_in(["false", "no", "0", "f", "n"])
            expr = pl.when(yes).then(True).when(no).then(False)
        elif column.origin.split:
            expr = sorted_codes(text, column.origin.split)
        else:
            expr = text
        return expr.alias(column.name)

    def _local_times(self, frame: pl.DataFrame) -> list[pl.Series]:
        """Columns of times by a clock, read as moments; those that the clock leaves in doubt are counted."""
        read = []
        for column in self._contract.columns:
            if column.origin.timezone:
                formats = [column.options.format, *column.origin.date_formats]
                times, odd = read_local_times(frame[column.name + _TEXT], formats, column.origin.timezone)
                self.odd_hours[column.name] = self.odd_hours.get(column.name, OddHours()) + odd
                read.append(times.alias(column.name))
        return read

    def _period(self) -> pl.Expr:
        period = self._contract.delivery.period
        if period.column is None:
            if self._named is None:
                raise Refused("its name does not say which period it covers")
            return pl.lit(self._named.first)
        column = self._contract.column(period.column)
        expr = pl.col(column.name)
        if column.physical_type == "timestamptz":
            expr = expr.dt.convert_time_zone(LONDON).dt.date()
        elif column.physical_type == "integer":
            expr = pl.date(expr, 1, 1)
        elif column.physical_type == "text":  # a financial year such as 2016-17 begins on 1 April
            expr = pl.date(expr.str.slice(0, 4).cast(pl.Int32, strict=False), 4, 1)
        return (
            expr if column.physical_type == "text" else expr.dt.truncate(f"1{'mo' if period.grain == 'month' else 'y'}")
        )

    def _period_rules(self) -> list[Rule]:
        period = self._contract.delivery.period
        if period.column is None:
            return []
        rules = [Rule(period.column, "period", "it has no period", pl.col("period").is_null())]
        if self._named:
            off = ~pl.col("period").is_between(self._named.first, self._named.last)
            rules.append(Rule(period.column, "label", "it is of another period than the document's name says", off))
        return rules

    def _judge(
        self, frame: pl.DataFrame, rules: list[Rule]
    ) -> tuple[pl.DataFrame, list[QuarantinedRow], Counter[date]]:
        """Part the rows that break a rule from the others; one entry a row, for the first rule it breaks."""
        if frame.is_empty() or not rules:
            return frame, [], Counter()
        broken = frame.select(rule.breaks.fill_null(False).any().alias(str(i)) for i, rule in enumerate(rules)).row(0)
        failing = [rule for rule, is_broken in zip(rules, broken, strict=True) if is_broken]
        if not failing:
            return frame, [], Counter()
        first = pl.coalesce(
            pl.when(rule.breaks.fill_null(False)).then(pl.lit(i, dtype=pl.Int32)) for i, rule in enumerate(failing)
        )
        frame = frame.with_columns(first.alias("@rule"))
        bad = frame.filter(pl.col("@rule").is_not_null())
        texts = [name for name in frame.columns if name.endswith(_TEXT)]
        keys = [column for column in self._contract.columns if column.primary_key]
        record_key = _hash(_copied(keys, is_bare=False)) if keys else pl.lit(None, dtype=pl.String)
        quarantined = [
            QuarantinedRow(
                row[0],
                failing[row[1]].column or None,
                failing[row[1]].name,
                failing[row[1]].reason,
                self._token(row[3:]),
                row[2],
            )
            for row in bad.select("line_number", "@rule", record_key.alias("@key"), *texts).iter_rows()
        ]
        off_label = Counter(
            period for row, period in zip(quarantined, bad["period"], strict=True) if row.rule == "label"
        )
        return frame.filter(pl.col("@rule").is_null()).drop("@rule"), quarantined, off_label

    def _token(self, values: tuple[str | None, ...]) -> str:
        """Keyed token of a row, so that the same faulty row can be recognised without being shown."""
        content = SEPARATOR.join(value or "" for value in values)
        return hmac.new(self._token_key, content.encode(), hashlib.sha256).hexdigest()[:32]

    def _note_new_codes(self, frame: pl.DataFrame) -> None:
        for column in self._contract.columns:
            for rule in column.quality:
                if rule.metric != "invalidValues" or rule.severity != "warning":
                    continue
                values = frame[column.name].unique().drop_nulls()
                if column.origin.split:
                    values = values.str.split(CODES_JOINED_BY).explode().unique()
                known = {fold_label(value) for value in rule.valid_values}
                strange = {value for value in values.to_list() if fold_label(value) not in known}
                if strange and column.classification != "public":
                    strange = {"(not shown: the column is not public)"}
                noted = self._new_codes.setdefault(column.name, set())
                noted.update(sorted(strange)[: max(0, _MOST_NEW_CODES - len(noted))])

    def _hashed(self, frame: pl.DataFrame, *, is_bare: bool) -> pl.DataFrame:
        columns = self._contract.columns
        keys = [column for column in columns if column.primary_key]
        is_bare &= not any(mark in value for value in self._label.values() for mark in _ESCAPES)
        frame = frame.with_columns(_copied(columns, is_bare=is_bare).alias(COPIED))
        # a column that is added at the end of a contract makes no new version of a record that lacks it
        frame = frame.with_columns(_hash(pl.col(COPIED).str.strip_chars_end(SEPARATOR)).alias("row_hash"))
        key = _hash(_copied(keys, is_bare=is_bare)) if keys else pl.col("row_hash")
        return frame.with_columns(key.alias("record_key")).select(
            "line_number", "record_key", "row_hash", "period", COPIED, *(column.name for column in columns)
        )


def _hash(text: pl.Expr) -> pl.Expr:
    """First 128 bits of the SHA-256 of the text, as 32 hexadecimal digits."""
    digest: pl.Expr = text.chash.sha2_256()  # type: ignore[attr-defined]
    return digest.str.head(32)


def _copied(columns: list[Column], *, is_bare: bool) -> pl.Expr:
    """The typed values as COPY reads them (``format text``), in the contract's order; nothing is a NULL.

    Written once, for COPY and for the row's hash: the same values are the same text.
    """
    return pl.concat_str([_as_text(column, is_bare=is_bare).fill_null("") for column in columns], separator=SEPARATOR)


def _as_text(column: Column, *, is_bare: bool) -> pl.Expr:
    expr = pl.col(column.name)
    if column.physical_type == "text":
        return expr if is_bare else escaped(expr)
    if column.physical_type == "double precision":
        return (expr + 0.0).cast(pl.String)  # minus nought is nought
    if column.physical_type == "timestamptz":
        return expr.dt.strftime("%Y-%m-%d %H:%M:%S%.6f+00")
    return expr.cast(pl.String)


def escaped(text: pl.Expr) -> pl.Expr:
    """Escape what COPY would read as its own: backslashes, line ends and the separator."""
    return text.str.replace_many(_ESCAPES)


def _told(text: pl.DataFrame) -> list[Rule]:
    """Rules for the faults that a reader has already found in rows whose other values are good."""
    rules = []
    for fault in text[FAULT].unique().drop_nulls().sort() if FAULT in text.columns else []:
        column, name, reason = fault.split(SEPARATOR)
        rules.append(Rule(column, name, reason, pl.col(FAULT) == fault))
    return rules


def fault_in(column: str | None, rule: str, reason: str) -> str:
    """Return what a reader writes in the column ``FAULT`` of a row that breaks a rule of its own.

    Such a row goes to quarantine like any other, with the key of its record: a full extract does hold that record.
    """
    return SEPARATOR.join((column or "", rule, reason))


def _rules(column: Column) -> list[Rule]:
    value, text, options = pl.col(column.name), pl.col(column.name + _TEXT), column.options
    kind = {"date": "date", "timestamptz": "time stamp", "boolean": "yes or no"}.get(column.physical_type, "number")
    rules = []
    if column.required:
        rules.append(Rule(column.name, "required", "it is empty", text.is_null()))
    if column.physical_type != "text":
        is_none = value.is_null()
        if column.physical_type == "double precision":
            is_none |= ~value.is_finite()  # "nan" and "inf" are read as numbers
        rules.append(Rule(column.name, "type", f"it is no {kind}", text.is_not_null() & is_none))
    low, high = options.minimum, options.maximum
    if column.physical_type in _INTEGER_LIMITS:
        smallest, largest = _INTEGER_LIMITS[column.physical_type]
        low, high = (
            max(smallest, low if low is not None else smallest),
            min(largest, high if high is not None else largest),
        )
    if low is not None or high is not None:
        reason = f"it is not between {low if low is not None else 'any'} and {high if high is not None else 'any'}"
        below = value < low if low is not None else pl.lit(False)
        above = value > high if high is not None else pl.lit(False)
        rules.append(Rule(column.name, "range", reason, below | above))
    if options.max_length is not None:
        too_long = text.str.len_chars() > options.max_length
        rules.append(Rule(column.name, "length", f"it is longer than {options.max_length} characters", too_long))
    if options.pattern is not None:
        rules.append(Rule(column.name, "pattern", "it is not written as agreed", ~text.str.contains(options.pattern)))
    for quality in column.quality:
        if quality.metric == "invalidValues" and quality.severity == "error":
            unknown = ~value.is_in(quality.valid_values)
            rules.append(Rule(column.name, quality.name, "it is not in the agreed code list", unknown))
    return rules
