"""What leaves as CSV is no formula in whoever's spreadsheet."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from saferkc.cli.query import as_spreadsheet_text


@pytest.mark.parametrize(
    "text",
    [
        "=cmd|' /C calc'!A0",
        "+44 20 7361 3000",
        "-2+3",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "\N{FULLWIDTH EQUALS SIGN}1",
    ],
)
def test_a_text_that_would_be_a_formula_gets_an_apostrophe(text: str) -> None:
    assert as_spreadsheet_text(text) == f"'{text}"


@pytest.mark.parametrize("value", ["Norland", "a=b", "", " x", None, -5, Decimal("-1.5"), date(2017, 4, 3), True])
def test_other_values_stay_as_they_are(value: Any) -> None:
    assert as_spreadsheet_text(value) is value
