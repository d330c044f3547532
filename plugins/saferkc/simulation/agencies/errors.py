"""What people do to data when they write it down, at stated rates.

Most of it says the same in another way, and normalises to the same; ``MISSPELT`` and what is missing do not. What
is done to a record follows from its number and the field, so it is the same in every extract.
"""

from __future__ import annotations

import polars as pl

from saferkc.simulation.world.people import share
from saferkc.simulation.world.quotas import Ints

IN_CAPITALS, IN_SMALL, SPACED, WITHOUT_ACCENTS = 0.09, 0.03, 0.04, 0.5
MISSPELT = 0.004
POSTCODE_MISSING, POSTCODE_CLOSED, POSTCODE_SMALL = 0.04, 0.12, 0.05
UPRN_MISSING = 0.05
AGE_UNKNOWN, SEX_UNKNOWN, APPEARANCE_UNKNOWN = 0.02, 0.01, 0.06
DATE_OTHER_WAY = 0.06

RATES: dict[str, float] = {
    "a name in capitals": IN_CAPITALS,
    "a name in small letters": IN_SMALL,
    "a name with spaces around or doubled": SPACED,
    "an accent left out, where there is one": WITHOUT_ACCENTS,
    "a name misspelt (another person to any computer)": MISSPELT,
    "no postcode": POSTCODE_MISSING,
    "a postcode without its space": POSTCODE_CLOSED,
    "a postcode in small letters": POSTCODE_SMALL,
    "no property reference": UPRN_MISSING,
    "an age not known, written 0 (not where the plan's figures count ages)": AGE_UNKNOWN,
    "a sex not known (as above)": SEX_UNKNOWN,
    "an appearance not known (as above)": APPEARANCE_UNKNOWN,
    "a date of birth as year-month-day": DATE_OTHER_WAY,
}
_ACCENTS = {"é": "e", "ö": "o"}


def chance(numbers: Ints, field: int) -> pl.Series:
    """A number from 0 to 1 of each record's field."""
    return pl.Series(share(numbers, 1000 + field))


def name(names: pl.Series, numbers: Ints, field: int, *, may_misspell: bool = True) -> pl.Series:
    """Names as they were typed."""
    drawn, other, odd = (chance(numbers, field + n) for n in (0, 50, 90))
    plain = names.str.replace_many(list(_ACCENTS), list(_ACCENTS.values()))
    without = pl.select(pl.when(other < WITHOUT_ACCENTS).then(plain).otherwise(names)).to_series()
    # two letters change places, as they do
    wrong = without.str.replace(r"^(..)(.)(.)", "${1}${3}${2}")
    typed = pl.select(
        pl.when(odd < (MISSPELT if may_misspell else 0)).then(wrong)
        .when(drawn < IN_CAPITALS).then(without.str.to_uppercase())
        .when(drawn < IN_CAPITALS + IN_SMALL).then(without.str.to_lowercase())
        .when(drawn < IN_CAPITALS + IN_SMALL + SPACED).then(" " + without.str.replace(" ", "  ") + " ")
        .otherwise(without)
    )  # fmt: skip
    return typed.to_series()


def born(days: pl.Series, numbers: Ints, field: int) -> pl.Series:
    """Days of birth as they were typed: mostly day/month/year."""
    other = chance(numbers, field) < DATE_OTHER_WAY
    return pl.select(
        pl.when(other).then(days.dt.strftime("%Y-%m-%d")).otherwise(days.dt.strftime("%d/%m/%Y"))
    ).to_series()


def phone(numbers: pl.Series, records: Ints, field: int) -> pl.Series:
    """Telephone numbers (01632 and six digits) as callers and computers give them."""
    drawn = chance(records, field)
    area, rest = numbers.str.slice(0, 5), numbers.str.slice(5)
    return pl.select(
        pl.when(drawn < 0.45).then(numbers)
        .when(drawn < 0.65).then(area + " " + rest)
        .when(drawn < 0.8).then("+44" + numbers.str.slice(1))
        .when(drawn < 0.9).then("+44 (0)1632 " + rest.str.slice(0, 3) + " " + rest.str.slice(3))
        .when(drawn < 0.96).then("(01632) " + rest)
        .otherwise("0044 1632 " + rest)
    ).to_series()  # fmt: skip


def postcode(codes: pl.Series, records: Ints, field: int) -> pl.Series:
    """Postcodes as they were typed, where they were."""
    drawn = chance(records, field)
    return pl.select(
        pl.when(drawn < POSTCODE_MISSING).then(None)
        .when(drawn < POSTCODE_MISSING + POSTCODE_CLOSED).then(codes.str.replace(" ", ""))
        .when(drawn < POSTCODE_MISSING + POSTCODE_CLOSED + POSTCODE_SMALL).then(codes.str.to_lowercase())
        .otherwise(codes)
    ).to_series()  # fmt: skip


def unless(values: pl.Series, is_missing: pl.Series, instead: str | None = None) -> pl.Series:
    """The values, with ``instead`` where they are missing."""
    return pl.select(pl.when(is_missing).then(pl.lit(instead)).otherwise(values)).to_series()
