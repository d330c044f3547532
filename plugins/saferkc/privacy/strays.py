"""Identities in the wrong cell: a name typed where the ward stands would go past the tokens into the warehouse.

A row's own identity is known while its tokens are made, so the cells that are kept are searched for it: the whole
name in either order, the telephone number, the day of birth, the address and the reference of the house. In a
column with a code list only values that are not on the list are looked at, and there one part of the name is enough.
What tells of a person by its shape (a telephone number, a mail address, a whole postcode, a National Insurance number)
is held back whoever's it is. The name of somebody whom the row does not know can't be told from that of a street.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import polars as pl

from saferkc.contracts import Contract
from saferkc.contracts.labels import fold_label
from saferkc.contracts.model import Column
from saferkc.contracts.origin import PartKind
from saferkc.privacy import normalise

STRAY = "@stray"
_A_PERSON = "Zebedee Nevershown"  # a column whose pattern lets this through lets any name through
_SHORTEST = {"name": 6, "phone": 9, "date": 10, "address": 8, "uprn": 6, "text": 5, "postcode": 5}
_SHORTEST_WORD = 3
_SHAPES = (
    r"(?i)(?:\+44|\b0)[\s().-]*[1-9](?:[\s().-]*\d){8,9}\b"
    r"|[\w.+-]+@[\w-]+\.\w"
    r"|\b[a-z]{1,2}\d[a-z\d]?\s*\d[a-z]{2}\b"
    r"|\b[a-z]{2}\s?(?:\d{2}\s?){3}[a-d]\b"
)


class Strays:
    """Finds the rows of a contract in which part of the identity stands where it does not belong."""

    def __init__(self, contract: Contract) -> None:
        self._identities = [_kinds(column) for column in contract.columns if column.token]
        self._columns = {column.name: _codes(column) for column in contract.columns if _may_hold_a_name(column)}

    @property
    def columns(self) -> list[str]:
        """The columns that are searched."""
        return list(self._columns)

    def __call__(self, text: pl.DataFrame) -> pl.Series:
        """Return for each row the column in which part of its identity stands, or null."""
        found = pl.Series(STRAY, [None] * text.height, dtype=pl.String)
        identities: pl.DataFrame | None = None  # made where there is anything to compare them with
        for name in self.columns:
            places = self._strange(name, text)
            if places.is_empty():
                continue
            if identities is None:
                identities = self._made(text)
            has_codes = bool(self._columns[name][0])
            places = places.filter(self._hits(text[name].gather(places), identities[places], has_codes))
            found = found.scatter(places, [name] * places.len())
        return found

    def _strange(self, name: str, text: pl.DataFrame) -> pl.Series:
        """Places of the rows whose value of the column is on no code list."""
        if name not in text.columns:
            return pl.Series([], dtype=pl.UInt32)
        codes, split = self._columns[name]
        values = text[name].unique().drop_nulls()
        if codes:
            strange = [value for value in values if any(fold_label(one) not in codes for one in _split(value, split))]
            values = pl.Series(strange, dtype=pl.String)
        return text[name].is_in(values.implode()).arg_true()

    def _made(self, text: pl.DataFrame) -> pl.DataFrame:
        """The normalised parts of all identities, under the names of the parts."""
        parts = [pl.Series("@row", range(text.height))]
        for names, others in self._identities:
            for kind, name in [*(("name", name) for name in names), *others]:
                given = text[name] if name in text.columns else pl.Series([None] * text.height, dtype=pl.String)
                parts.append(normalise.NORMALISERS[kind](given).alias(name))
        return pl.DataFrame(parts)

    def _hits(self, cells: pl.Series, identities: pl.DataFrame, has_codes: bool) -> pl.Series:
        hits = cells.str.contains(_SHAPES)
        if not self._identities:
            return hits
        letters, digits = _folded(normalise.name, cells), cells.str.replace_all(r"\D", "")
        for names, others in self._identities:
            for order in (names, names[::-1]) if names else ():
                whole = identities.select(pl.concat_str(order, ignore_nulls=False).alias("whole"))["whole"]
                hits |= _contains(letters, whole, "name")
            for name in names if has_codes else []:
                hits |= _has_word(normalise.words_of(cells), identities[name])
            for kind, name in others:
                if kind in ("phone", "uprn"):
                    hits |= _contains(digits, identities[name].str.slice(-9 if kind == "phone" else 0), kind)
                else:
                    hits |= _contains(_folded(normalise.NORMALISERS[kind], cells), identities[name], kind)
        return hits


def _kinds(column: Column) -> tuple[list[str], list[tuple[PartKind, str]]]:
    """The parts of a token: those that are names, and the others with their kinds."""
    parts = list(zip(column.token.parts if column.token else [], column.part_names, strict=True))
    names = [name for part, name in parts if part.kind == "name"]
    return names, [(part.kind, name) for part, name in parts if part.kind != "name"]


def _codes(column: Column) -> tuple[set[str], str | None]:
    lists = [rule.valid_values for rule in column.quality if rule.metric == "invalidValues"]
    return {fold_label(value) for values in lists for value in values}, column.origin.split


def _may_hold_a_name(column: Column) -> bool:
    origin, pattern = column.origin, column.options.pattern
    if column.physical_type != "text" or not (origin.headings or origin.path):
        return False
    is_closed = any(rule.metric == "invalidValues" and rule.severity == "error" for rule in column.quality)
    return not is_closed and (pattern is None or re.search(pattern, _A_PERSON) is not None)


def _split(value: str, mark: str | None) -> list[str]:
    return [part for part in value.split(mark) if part.strip()] if mark else [value]


def _folded(fold: Callable[[pl.Series], pl.Series], cells: pl.Series) -> pl.Series:
    """Fold each value of a column once: wards and streets repeat."""
    values = cells.unique()
    return cells.replace_strict(values, fold(values), default=None, return_dtype=pl.String)


def _contains(cells: pl.Series, identities: pl.Series, kind: str) -> pl.Series:
    """Whether a cell holds the row's identity; one too short to mean anything is not looked for."""
    both = pl.DataFrame([cells.alias("cell"), identities.alias("identity")])
    long_enough = pl.col("identity").str.len_chars() >= _SHORTEST[kind]
    held = long_enough & pl.col("cell").str.contains(pl.col("identity"), literal=True)
    return both.select(held.fill_null(False).alias("held"))["held"]


def _has_word(words: pl.Series, part: pl.Series) -> pl.Series:
    both = pl.DataFrame([words.alias("words"), part.alias("part")])
    held = (pl.col("part").str.len_chars() >= _SHORTEST_WORD) & pl.col("words").list.contains(pl.col("part"))
    return both.select(held.fill_null(False).alias("held"))["held"]
