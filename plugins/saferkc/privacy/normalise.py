"""One person, one premises, one telephone: the same text however it was written, whole columns at a time.

Each function takes a column of text and returns one of normalised text, with null where nothing usable was given.
Nothing is guessed: nicknames, initials and misspellings stay what they are, so two ways of writing that these
rules do not know become two tokens and never the other way round.

What these rules make of a text goes into tokens that are kept. **A change here is a change of every token**: it
needs new keys (docs/privacy.md), and the test of known tokens fails until somebody has thought of it.
"""

# ruff: noqa: RUF001  (letters that look alike are what this is about)

from __future__ import annotations

import re
from collections.abc import Callable

import phonenumbers
import polars as pl

from saferkc.contracts.origin import PartKind

# what agencies write where they know nothing; it must never join the strangers of a whole year into one person
_UNKNOWN = {
    "-", "--", ".", "?", "n/a", "n/k", "n.k.", "nk", "unk", "unknown", "not known", "not given", "not stated",
    "not recorded", "not provided", "not supplied", "none", "none given", "null", "refused", "withheld",
    "number withheld", "anonymous", "anon", "tbc", "unknown male", "unknown female", "unknown unknown",
    "no fixed address", "no fixed abode", "nfa",
}  # fmt: skip
# letters that Unicode does not take apart into a plain letter and a mark
_PLAIN = {
    "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h", "ı": "i",
    "ŧ": "t", "ς": "σ",
}  # fmt: skip
_MARKS = "[\u0300-\u036f]"  # of Latin, Greek and Cyrillic letters; the vowel signs of other scripts are no accents
_NO_LETTER = r"[^\p{Lu}\p{Ll}\p{Lt}\p{Lo}\p{M}\p{N}]+"
_APOSTROPHES = r"['’‘`´ʼ]"
_TITLES = r"mr|mrs|miss|ms|mx|dr|prof|professor|rev|revd|reverend|sir|dame|lord|lady|master"
_TITLES_BEHIND = r"mr|mrs|miss|ms|mx|dr|esq"

_PLAIN_PHONE = r"^(?:\+44|0044|0)([1-9]\d{9})$"
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
# 00 to 29 are of this century: fixed, so that a token does not depend on the day when it was made
_CENTURY_BREAK = 30
_ROAD_WORDS = {
    "rd": "road", "ave": "avenue", "av": "avenue", "gdns": "gardens", "gdn": "garden", "gds": "gardens",
    "sq": "square", "ct": "court", "crt": "court", "cres": "crescent", "cresc": "crescent", "ter": "terrace",
    "terr": "terrace", "pl": "place", "ln": "lane", "est": "estate", "hse": "house", "ho": "house", "mans": "mansions",
    "bldgs": "buildings", "bldg": "building", "grn": "green", "gr": "grove", "gro": "grove", "mws": "mews",
    "wk": "walk", "cl": "close", "pk": "park", "twr": "tower",
}  # fmt: skip
_POSTCODE = r"[a-z]{1,2}\d[a-z\d]?\d[a-z]{2}"


def name(values: pl.Series) -> pl.Series:
    """A person's name, or a part of it, as its letters in the usual order.

    Case, accents, spaces, hyphens, apostrophes and titles do not count; "SMITH, John" is "John Smith".
    """
    text = _known(values)
    words = _words(text.str.split(",").list.reverse().list.join(" "))
    # a title goes where something else stays: "Lord" alone is a surname
    words = words.str.replace(rf"^(?:(?:{_TITLES}) )+", "").str.replace(rf"(?: (?:{_TITLES_BEHIND}))+$", "")
    return _given(words.str.replace_all(" ", ""))


def words_of(values: pl.Series) -> pl.Series:
    """The words of a text, each as ``name`` would write it; a list a row."""
    return _words(_known(values)).str.split(" ")


def date(values: pl.Series) -> pl.Series:
    """A date as ``YYYY-MM-DD``; the day stands before the month, as everywhere in Britain.

    Null where it is no date that ever was, or the 1 January 1900 that systems fill in for an unknown one.
    """
    text = _known(values).alias("text")
    ways = [
        (r"^(?<y>\d{4})[-/. ](?<m>\d{1,2})[-/. ](?<d>\d{1,2})(?:[t ]\d.*)?$"),
        (r"^(?<y>\d{4})(?<m>\d{2})(?<d>\d{2})$"),
        (r"^(?<d>\d{1,2})[-/. ](?<m>\d{1,2})[-/. ](?<y>\d{4}|\d{2})(?:[t ]\d.*)?$"),
        (r"^(?<d>\d{1,2})(?:st|nd|rd|th)?[-/. ]*(?<m>[a-z]{3})[a-z]*[-/., ]*(?<y>\d{4}|\d{2})$"),
        (r"^(?<m>[a-z]{3})[a-z]*[. ]*(?<d>\d{1,2})(?:st|nd|rd|th)?[, ]+(?<y>\d{4})$"),
    ]
    read = pl.coalesce(_date_of(pl.col("text").str.extract_groups(way)) for way in ways)
    found = text.to_frame().select(read.alias("date"))["date"]
    return found.set(found.is_in(["1900-01-01"]), None).rename(values.name)


def phone(values: pl.Series) -> pl.Series:
    """A telephone number in E.164; one without a country is British. Null where it can be none."""
    text = _known(values)
    bare = text.str.replace_all(r"[\s().\-/]", "").str.replace(r"^(\+44|0044)0", "${1}")
    # most are written so; the library is asked for the others
    plain = bare.str.replace(_PLAIN_PHONE, "+44${1}").set(~bare.str.contains(_PLAIN_PHONE), None)
    plain = plain.set(plain.is_in([f"+44{digit * 10}" for digit in "123456789"]), None)
    rare = {value: _e164(value) for value in text.filter(plain.is_null()).unique().drop_nulls()}
    return pl.Series(
        values.name,
        [usual if usual is not None else rare.get(value or "") for usual, value in zip(plain, text, strict=True)],
        dtype=pl.String,
    )


def postcode(values: pl.Series) -> pl.Series:
    """A whole British postcode without its space; null where it is none."""
    bare = _known(values).str.replace_all(r"[\s.\-]", "")
    return bare.str.extract(rf"^({_POSTCODE})$").rename(values.name)


def uprn(values: pl.Series) -> pl.Series:
    """A unique property reference number as digits without leading zeros; null where it is none.

    A number that a spreadsheet has rounded ("1.00023E+11") is none: its last digits are gone.
    """
    return _known(values).str.extract(r"^0*([1-9]\d{0,11})(?:\.0+)?$").rename(values.name)


def address(values: pl.Series) -> pl.Series:
    """An address as its postcode, where it has one, and its words, the usual short forms written out."""
    text = _known(values)
    found = text.str.extract(r"\b([a-z]{1,2}\d[a-z\d]?\s*\d[a-z]{2})\b").str.replace_all(r"\s", "")
    rest = text.str.replace_all(r"\b[a-z]{1,2}\d[a-z\d]?\s*\d[a-z]{2}\b", " ")
    rest = rest.str.replace_all(_APOSTROPHES, "")
    # "St Ann's" is a saint; "High St" and "High St," is a street
    rest = rest.str.replace_all(r"\bst\b\.?(\s*(?:$|,|\n))", "street${1}").str.replace_all(r"\bst\b\.?", "saint")
    rest = rest.str.replace_all(_NO_LETTER, " ").str.strip_chars(" ")
    rest = rest.str.replace_all(r"\b(?:flat|apartment|apt|no|number|london|england|uk|united kingdom)\b", " ")
    rest = rest.str.split(" ").list.eval(pl.element().replace(_ROAD_WORDS)).list.join(" ")
    rest = rest.str.replace_all(r"\b(\d+) +([a-z])\b", "${1}${2}").str.replace_all(r"\s+", " ").str.strip_chars(" ")
    whole = pl.select(pl.concat_str(found, rest, separator=" ", ignore_nulls=True)).to_series().str.strip_chars(" ")
    return _given(whole.set(text.is_null(), None)).rename(values.name)


def text(values: pl.Series) -> pl.Series:
    """Anything else: case, accents and spacing do not count."""
    return _given(_known(values).str.replace_all(r"\s+", " ")).rename(values.name)


NORMALISERS: dict[PartKind, Callable[[pl.Series], pl.Series]] = {
    "name": name,
    "date": date,
    "phone": phone,
    "postcode": postcode,
    "address": address,
    "uprn": uprn,
    "text": text,
}


def _known(values: pl.Series) -> pl.Series:
    """Fold case, accents and compatibility forms; null where the text says that nothing is known."""
    folded = values.cast(pl.String).str.normalize("NFKD").str.to_lowercase().str.replace_all(_MARKS, "")
    folded = folded.str.replace_many(list(_PLAIN), list(_PLAIN.values())).str.strip_chars()
    return _given(folded.set(folded.is_in(list(_UNKNOWN)), None))


def _words(values: pl.Series) -> pl.Series:
    return values.str.replace_all(_APOSTROPHES, "").str.replace_all(_NO_LETTER, " ").str.strip_chars(" ")


def _given(values: pl.Series) -> pl.Series:
    return values.set(values == "", None)


def _date_of(parts: pl.Expr) -> pl.Expr:
    """The date of the groups d, m and y, as ISO text, or null."""
    year = parts.struct.field("y").cast(pl.Int32, strict=False)
    short = parts.struct.field("y").str.len_chars() == 2
    year = pl.when(short).then(year + pl.when(year < _CENTURY_BREAK).then(2000).otherwise(1900)).otherwise(year)
    said = parts.struct.field("m")
    month = pl.coalesce(
        said.cast(pl.Int32, strict=False), said.replace_strict(_MONTHS, list(range(1, 13)), default=None)
    )
    written = pl.format("{}-{}-{}", year, month, parts.struct.field("d").cast(pl.Int32, strict=False))
    real = written.str.to_date("%Y-%m-%d", strict=False)
    return pl.when(year.is_between(1850, 2100)).then(real).dt.to_string("%Y-%m-%d")


def _e164(value: str) -> str | None:
    try:
        number = phonenumbers.parse(value, "GB")
    except phonenumbers.NumberParseException:
        return None
    national = phonenumbers.national_significant_number(number)
    if not phonenumbers.is_possible_number(number) or re.fullmatch(r"(\d)\1*", national):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
