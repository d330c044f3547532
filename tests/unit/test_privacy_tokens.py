"""Normalisation and tokens: one person written two usual ways is one token; two people are two."""

# ruff: noqa: RUF001  (letters that look alike are what this is about)

from __future__ import annotations

import re
import string
from collections.abc import Sequence
from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from saferkc.contracts.origin import TokenPart
from saferkc.privacy import normalise
from saferkc.privacy.normalise import NORMALISERS, address, name, phone, postcode, text, uprn
from saferkc.privacy.normalise import date as date_of
from saferkc.privacy.tokens import canonical, token_column

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
PERSON = ("name", "name", "date")

_LETTERS = st.sampled_from(string.ascii_lowercase + "éèêëñöüçåøłßœægiioaeu" + "иеклоо" + "αειο")
_NO_NAME = r"mr|mrs|miss|ms|mx|dr|prof\w*|rev\w*|sir|dame|lord|lady|master|esq|nk|unk|unknown|tbc|none|null"
_NO_NAME += r"|anon|anonymous|refused|withheld|nfa"
_WORDS = st.text(_LETTERS, min_size=2, max_size=9).filter(lambda word: not re.fullmatch(_NO_NAME, word))
_NAMES = st.lists(_WORDS, min_size=1, max_size=3)
_BIRTHS = st.dates(date(1930, 1, 1), date(2029, 12, 31)).filter(lambda day: day != date(1900, 1, 1))


def parts(*kinds: str, optional: Sequence[int] = ()) -> list[TokenPart]:
    return [
        TokenPart.model_validate({"headings": [f"h{n}"], "as": kind, "optional": n in optional})
        for n, kind in enumerate(kinds)
    ]


def tokens(kinds: Sequence[str], *rows: Sequence[str | None], key: bytes = KEY, **more: Any) -> list[str | None]:
    """The tokens of rows of texts, one text a part."""
    frame = pl.DataFrame({str(n): [row[n] for row in rows] for n in range(len(kinds))}, schema_overrides={})
    frame = frame.cast(pl.String)
    return token_column(frame, parts(*kinds, **more), "k1", key).to_list()


def the_same(kinds: Sequence[str], *rows: Sequence[str | None]) -> bool:
    found = tokens(kinds, *rows)
    return None not in found and len(set(found)) == 1


# --- the same, written two usual ways ---------------------------------------------------------------------


@st.composite
def ways_of_writing_a_name(draw: st.DrawFn, forenames: list[str], surnames: list[str]) -> str:
    """A name as one clerk or another types it."""
    fore = draw(st.sampled_from([" ", "  ", "-"])).join(forenames)
    sur = draw(st.sampled_from([" ", "-", "'", "’", ""])).join(surnames)
    title = draw(st.sampled_from(["", "Mr ", "MRS. ", "Dr ", "miss "]))
    whole = f"{sur}, {title}{fore}" if draw(st.booleans()) else f"{title}{fore} {sur}"
    whole = draw(st.sampled_from([str.upper, str.title, str.lower, str]))(whole)
    return draw(st.sampled_from(["", " ", "\t"])) + whole + draw(st.sampled_from(["", " ", "."]))


def birth_as_written(day: date, way: int) -> str:
    return [
        f"{day:%Y-%m-%d}",
        f"{day:%d/%m/%Y}",
        f"{day.day}/{day.month}/{day.year}",
        f"{day:%d-%m-%Y}",
        f"{day:%d.%m.%Y}",
        f"{day:%d %B %Y}",
        f"{day:%d-%b-%Y}".upper(),
        f"{day.day}th {day:%b} {day.year}",
        f"{day:%Y%m%d}",
        f"{day:%Y-%m-%d}T00:00:00",
        f"{day:%d/%m/%Y} 00:00",
        f"{day:%d/%m/%y}",
        f"{day:%B} {day.day}, {day.year}",
    ][way]


@given(data=st.data(), forenames=_NAMES, surnames=_NAMES, birth=_BIRTHS)
def test_a_person_written_two_usual_ways_has_one_token(
    data: st.DataObject, forenames: list[str], surnames: list[str], birth: date
) -> None:
    rows = [
        (
            data.draw(ways_of_writing_a_name(forenames, surnames)),
            birth_as_written(birth, data.draw(st.integers(0, 12))),
        )
        for _ in range(2)
    ]
    assert the_same(("name", "date"), *rows)


@given(forenames=_NAMES, surnames=_NAMES, birth=_BIRTHS)
def test_a_name_in_one_column_and_in_two_is_one_person(forenames: list[str], surnames: list[str], birth: date) -> None:
    fore, sur = " ".join(forenames), " ".join(surnames)
    in_two = tokens(PERSON, (fore, sur, str(birth)))
    assert in_two == tokens(("name", "date"), (f"{sur.upper()}, {fore}", str(birth)))
    assert in_two != [None]


@given(one=st.tuples(_NAMES, _BIRTHS), other=st.tuples(_NAMES, _BIRTHS))
def test_different_people_have_different_tokens(one: tuple[list[str], date], other: tuple[list[str], date]) -> None:
    """They differ in the letters of the name or in the day of birth: what the rule can tell apart."""
    plain = name(pl.Series(["".join(one[0]), "".join(other[0])]))
    assume(plain[0] != plain[1] or one[1] != other[1])
    first, second = tokens(("name", "date"), *((" ".join(words), str(birth)) for words, birth in (one, other)))
    assert None not in (first, second)
    assert first != second


@given(numbers=st.integers(0, 999_999), way=st.integers(0, 8))
def test_a_telephone_number_written_any_usual_way(numbers: int, way: int) -> None:
    rest = f"{numbers:06}"
    written = [
        f"07700{rest}",
        f"07700 {rest}",
        f"+44 7700 {rest}",
        f"+44 (0)7700 {rest}",
        f"0044 7700{rest}",
        f"447700{rest}",
        f"07700-{rest[:3]}-{rest[3:]}",
        f"7700 {rest}",
        f"(07700) {rest[:3]} {rest[3:]}",
    ][way]
    assert phone(pl.Series([written])).to_list() == [f"+447700{rest}"]


@given(st.one_of(st.from_regex(r"[+0-9 ()-]{6,16}", fullmatch=True), st.text(max_size=20)))
def test_the_short_way_for_telephones_says_what_the_library_says(written: str) -> None:
    quick, usual = phone(pl.Series([written]))[0], normalise._known(pl.Series([written]))[0]
    slow = normalise._e164(usual) if usual else None
    assert quick == slow


def test_what_is_one_name_and_what_is_not() -> None:
    def folded(*values: str) -> list[str | None]:
        return name(pl.Series(values)).to_list()

    assert folded("O'Brien", "O’BRIEN", "O Brien", "OBrien") == ["obrien"] * 4
    assert folded("José", "JOSE", "Jose\u0301") == ["jose"] * 3
    assert folded("Smith-Jones", "SMITH JONES", "Smith – Jones") == ["smithjones"] * 3
    assert folded("Strauß", "STRAUSS", "Łukasz", "Lukasz") == ["strauss"] * 2 + ["lukasz"] * 2
    assert folded("Lord", "Smith, Lord", "Mr J. Smith Esq.") == ["lord", "smith", "jsmith"]
    assert folded("Liz", "Elizabeth") == ["liz", "elizabeth"], "nicknames are left alone"
    assert folded("", " ", "Unknown", "N/K", "-", "Not known") == [None] * 6
    assert folded("山田太郎", "محمد", "Иван") == ["山田太郎", "محمد", "иван"]


def test_dates_that_are_none() -> None:
    def read(*values: str) -> list[str | None]:
        return date_of(pl.Series(values)).to_list()

    assert read("31/02/1985", "03/25/1985", "1900-01-01", "00/00/0000", "12345", "soon", "", "85") == [None] * 8
    assert read("1/2/03", "1/2/30", "1 Feb 29") == ["2003-02-01", "1930-02-01", "2029-02-01"]


def test_addresses_postcodes_and_property_references() -> None:
    ways = [
        "Flat 3, 12 Golborne Road, London W10 5PE",
        "FLAT 3 12 GOLBORNE RD W105PE",
        "Flat 3, 12 Golborne Rd., London, W10  5pe",
        "Apt 3\n12 Golborne Road\nLondon\nW10 5PE",
    ]
    assert len(set(address(pl.Series(ways)).to_list())) == 1
    others = ["Flat 31, 2 Golborne Road, W10 5PE", "Flat 3, 12 Golborne Road, W10 5PF", "12 Golborne Road, W10 5PE"]
    assert len(set(address(pl.Series([*ways, *others])).to_list())) == 4
    saints = address(pl.Series(["1 St Ann's Villas", "1 Saint Anns Villas", "1 High St", "1 High Street, London"]))
    assert saints.to_list() == ["1 saint anns villas"] * 2 + ["1 high street"] * 2
    assert (
        postcode(pl.Series(["w10 5pe", "W105PE", " W10  5PE ", "W10", "no"])).to_list() == ["w105pe"] * 3 + [None] * 2
    )
    assert uprn(pl.Series(["217000123", "000217000123", "217000123.0", "2.17E+08", "12 High St", "0"])).to_list() == [
        *["217000123"] * 3, None, None, None,
    ]  # fmt: skip
    assert text(pl.Series(["Custody  No 12", "custody no 12", "n/a"])).to_list() == ["custody no 12"] * 2 + [None]


@given(
    kind=st.sampled_from(sorted(NORMALISERS)), values=st.lists(st.one_of(st.none(), st.text(max_size=12)), max_size=6)
)
def test_whatever_is_written_has_one_normal_form_that_is_its_own(kind: Any, values: list[str | None]) -> None:
    """Nothing raises, rows keep their places, and normalising again changes nothing."""
    once = NORMALISERS[kind](pl.Series("x", values, dtype=pl.String))
    assert once.len() == len(values)
    assert "" not in once.to_list()
    if kind not in ("name", "text", "address"):  # "mr-unknown": what a second reading would take for a gap
        assert NORMALISERS[kind](once).to_list() == once.to_list()
    alone = [NORMALISERS[kind](pl.Series("x", [value], dtype=pl.String))[0] for value in values]
    assert once.to_list() == alone


# --- tokens -----------------------------------------------------------------------------------------------


def test_tokens_never_change() -> None:
    """Known tokens of a known key. Where this fails, every token in every warehouse has changed: docs/privacy.md."""
    assert tokens(PERSON, ("José", "O’Brien-Smith", "3 April 1985")) == ["k1:224c35d8939a0735a22b3bd75b1c7429"]
    assert canonical(pl.DataFrame({"a": ["Jo"], "b": ["Bo"], "c": ["1/2/1990"]}), parts(*PERSON)).to_list() == [
        "name=jobo\x1fdate=1990-02-01"
    ]
    assert tokens(("phone",), ("07700 900123",)) == ["k1:e318a4dd51eeb3b04c9dd414a409e818"]
    assert tokens(("uprn",), ("217000123",)) == ["k1:5117e3ff4c35371f0a8496ea07197376"]


def test_a_token_needs_its_key_and_shows_nothing() -> None:
    row = ("Zebedee", "Nevershown", "1985-04-03")
    (token,) = tokens(PERSON, row)
    assert token is not None
    assert re.fullmatch(r"k1:[0-9a-f]{32}", token)
    assert tokens(PERSON, row, key=OTHER_KEY) != [token]


def test_half_an_identity_is_none() -> None:
    rows: list[tuple[str | None, ...]] = [
        ("Ann", "Smith", None), ("Ann", None, "1985-04-03"), ("Ann", "Smith", "not known"), (None, None, None),
    ]  # fmt: skip
    assert tokens(PERSON, *rows) == [None] * 4
    given_all, lacking = tokens(PERSON, ("Ann", "Smith", "1985-04-03"), ("Ann", "Smith", None), optional=[2])
    assert None not in (given_all, lacking)
    assert given_all != lacking
    assert tokens(("phone",), ("0",), ("withheld",), ("ext 12",)) == [None] * 3


def test_as_many_columns_as_parts() -> None:
    with pytest.raises(ValueError, match="2 columns were given for 1 parts"):
        token_column(pl.DataFrame({"a": ["x"], "b": ["y"]}), parts("name"), "k1", KEY)


def test_an_empty_block_has_no_tokens() -> None:
    assert tokens(PERSON) == []


def test_an_address_with_its_postcode_in_a_column_of_its_own() -> None:
    kinds = ("address", "postcode")
    rows = [
        ("12 Golborne Road", "W10 5PE"),
        ("12 GOLBORNE RD, W10 5PE", None),
        ("12 Golborne Rd W105PE", "w10 5pe"),
    ]
    assert the_same(kinds, *rows)
    without, other = tokens(kinds, ("12 Golborne Road", None), ("12 Golborne Road", "W10 5PF"), optional=[1])
    assert len({without, other, *tokens(kinds, *rows)}) == 3
