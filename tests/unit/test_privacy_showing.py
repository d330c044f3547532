"""What stands for a code that may be somebody's name, and that nothing of it is left where people read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from saferkc.contracts import Contract, load_contracts
from saferkc.contracts.model import Column
from saferkc.privacy.showing import hidden_codes, without_hidden
from saferkc.settings import Settings

KEY = b"a key of a home"


@pytest.fixture(scope="module")
def contracts() -> dict[str, Contract]:
    return load_contracts(Settings.load().contracts_dir)


def column(contract: Contract, name: str) -> Column:
    return next(column for column in contract.columns if column.name == name)


def test_codes_on_the_list_and_codes_of_open_data_are_shown(contracts: dict[str, Contract]) -> None:
    closed = column(contracts["police_offences"], "minor_class")
    listed = closed.quality[0].valid_values[0]
    assert set(hidden_codes([closed], [listed, listed.upper(), "A Name"], KEY)) == {"A Name"}
    assert hidden_codes([closed], ["Golborne", "A Name"], KEY, also_known=["golborne"]).keys() == {"A Name"}
    assert hidden_codes([column(contracts["mps_recorded_crime"], "minor_category")], ["A Name"], KEY) == {}


def test_the_same_stands_for_a_code_on_every_night_and_another_in_another_home(contracts: dict[str, Contract]) -> None:
    closed = [column(contracts["police_offences"], "minor_class")]
    one = hidden_codes(closed, ["A Name"], KEY)
    assert one["A Name"] == hidden_codes(closed, ["Another", "A Name"], KEY)["A Name"]
    assert one["A Name"].startswith("new code ")
    assert one != hidden_codes(closed, ["A Name"], b"another key")


@given(st.text(st.characters(categories=["L"]), min_size=3, max_size=12), st.text(" .,“”", min_size=1, max_size=3))
def test_nothing_of_a_hidden_code_is_left(code: str, between: str) -> None:
    hidden = {code: "@", f"{code} {code}": "@@"}
    said: dict[str, Any] = {"a": f"{code}{between}{code} {code}{between}", "b": [code, {"c": (f"“{code}”",)}], "n": 3}
    assert code not in json.dumps(without_hidden(said, hidden), ensure_ascii=False)


def test_a_code_within_another_word_is_no_code() -> None:
    assert without_hidden("Arson and Ars", {"Ars": "@"}) == "Arson and @"
    assert without_hidden({"x": ("Ars",)}, {}) == {"x": ("Ars",)}
