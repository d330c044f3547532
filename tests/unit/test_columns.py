"""From text to typed columns: what a value becomes, which rule a row breaks, and hashes that never change."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from saferkc.contracts import Contract, label_of, load_contracts
from saferkc.loading.columns import LabelledPeriod, Typed, Typer, labelled_period
from saferkc.loading.document import Document
from saferkc.loading.faults import Refused
from saferkc.privacy.tokens import Tokeniser
from small_contracts import column, small_contract

CONTRACTS = load_contracts(Path(__file__).resolve().parents[2] / "expectations" / "contracts")
KEY = b"k" * 32
PERSON = "Zebedee Q. Never-Shown"


class Ring:
    """A key ring with one key, kept nowhere."""

    def current(self, purpose: str) -> tuple[str, bytes]:
        return "k1", purpose.encode()


def sent(contract: Contract) -> list[str]:
    """What a reader hands over of a contract: its columns, and the parts of its tokens in their place."""
    return [n for c in contract.columns if not c.origin.label for n in (c.part_names or [c.name])]


def typed(
    contract: Contract, *rows: Sequence[str | None], label: dict[str, str] | None = None, key: bytes = KEY
) -> Typed:
    """Type rows of text, one value a column (or part of a token) that does not come from the label."""
    names = sent(contract)
    text = pl.DataFrame(
        {"line_number": range(2, len(rows) + 2)} | {n: [row[i] for row in rows] for i, n in enumerate(names)},
        schema={"line_number": pl.Int64} | dict.fromkeys(names, pl.String),
    )
    tokenise = Tokeniser(contract, Ring()) if contract.token_columns else None  # type: ignore[arg-type]
    return Typer(contract, label or {}, labelled_period(contract, label or {}), key, tokenise)(text)


def one(kind: str, origin: dict[str, Any] | None = None, **more: Any) -> Contract:
    """A contract of one column, ``value``."""
    origin = {"headings": ["value"]} | (origin or {})
    return small_contract([column("value", kind, origin, **more)])


def values(contract: Contract, *texts: str | None) -> list[Any]:
    """What becomes of each text: its value, or the rule that it breaks."""
    result = typed(contract, *([text] for text in texts))
    found = dict(result.frame.select("line_number", "value").rows())
    found |= {row.line_number: f"breaks {row.rule}" for row in result.quarantined}
    return [found[line] for line in range(2, len(texts) + 2)]


def test_whole_numbers() -> None:
    assert values(one("integer"), "7", " -7 ", "", None) == [7, -7, None, None]
    assert values(one("integer"), "7.0", "seven", "1e3", "1,234") == ["breaks type"] * 4
    assert values(one("integer"), "2147483647", "2147483648", "-2147483649") == [
        2147483647,
        "breaks range",
        "breaks range",
    ]
    assert values(one("bigint"), "9223372036854775807", "9223372036854775808") == [2**63 - 1, "breaks type"]


def test_thousands_separators_stand_between_thousands_only() -> None:
    contract = one("integer", {"thousands": ","})
    assert values(contract, "1,234", "12,345,678", "-1,234", "999") == [1234, 12345678, -1234, 999]
    assert values(contract, "1,23", "12,34", ",123", "1,,234", "1234,567") == ["breaks type"] * 5
    ranks = one("integer", {"thousands": "."})
    assert values(ranks, "3.924", "32.844", "12") == [3924, 32844, 12]
    assert values(ranks, "3.26") == ["breaks type"], "what a spreadsheet left of 3.260 is not 326"
    assert values(one("double precision", {"thousands": ","}), "1,234.5", "1234.5") == [1234.5, 1234.5]


def test_numbers_that_are_none() -> None:
    assert values(one("double precision"), "0.5", "1e2", "-3") == [0.5, 100.0, -3.0]
    assert values(one("double precision"), "nan", "inf", "-inf", "x", "1_0") == ["breaks type"] * 5


def test_values_that_mean_none() -> None:
    contract = one("integer", {"null_values": ["n/a", "#N/A"]})
    assert values(contract, "n/a", "#N/A", "", "  ", "5", "N/A") == [None, None, None, None, 5, "breaks type"]


def test_dates_months_time_stamps_and_booleans() -> None:
    assert values(one("date"), "2017-04-30", "30/04/2017", "2017-02-30") == [
        date(2017, 4, 30),
        "breaks type",
        "breaks type",
    ]
    month = one("date", logicalTypeOptions={"format": "%Y-%m"})
    assert values(month, "2017-04", "2017-13", "2017-04-01") == [date(2017, 4, 1), "breaks type", "breaks type"]
    stamp = one("timestamptz", logicalTypeOptions={"format": "%Y-%m-%dT%H:%M:%S%z"})
    assert values(stamp, "2017-03-31T23:00:00+00:00", "2017-04-01T00:00:00+01:00", "2017-04-01T00:00:00") == [
        datetime(2017, 3, 31, 23, tzinfo=UTC),
        datetime(2017, 3, 31, 23, tzinfo=UTC),
        "breaks type",
    ]
    assert values(one("boolean"), "True", "no", "1", "F", "", "maybe") == [
        True, False, True, False, None, "breaks type",
    ]  # fmt: skip


def test_each_rule_sends_the_row_to_quarantine_with_its_name() -> None:
    assert values(one("text", required=True), "a", "", " ", None) == ["a"] + ["breaks required"] * 3
    assert values(one("text", logicalTypeOptions={"maxLength": 3}), "nét", "four") == ["nét", "breaks length"]
    assert values(one("text", logicalTypeOptions={"pattern": r"^E01\d{6}$"}), "E01000001", "E02000001") == [
        "E01000001",
        "breaks pattern",
    ]
    limits = {"minimum": 49, "maximum": 61}
    assert values(one("double precision", logicalTypeOptions=limits), "49", "61", "48.99", "61.01") == [
        49.0, 61.0, "breaks range", "breaks range",
    ]  # fmt: skip
    known = {"name": "known", "metric": "invalidValues", "mustBe": 0, "description": "a list"}
    code = known | {"severity": "error", "arguments": {"validValues": ["A", "B"]}}
    assert values(one("text", quality=[code]), "A", "C", "") == ["A", "breaks known", None]


def test_a_row_that_breaks_several_rules_has_one_entry_for_the_first() -> None:
    contract = small_contract([column("a", "integer", required=True), column("b", "integer")])
    result = typed(contract, ["", "x"], ["1", "x"], ["1", "2"])
    assert [(q.line_number, q.column_name, q.rule) for q in result.quarantined] == [
        (2, "a", "required"),
        (3, "b", "type"),
    ]
    assert result.frame.height == 1


def test_a_new_code_is_let_in_and_noted_whatever_its_case() -> None:
    rule = {"name": "known", "metric": "invalidValues", "mustBe": 0, "severity": "warning", "description": "a list"}
    known = rule | {"arguments": {"validValues": ["St Helen's & Dalgarno", "Drugs"]}}
    for classification, shown in (("public", ["Fraud"]), ("personal", ["(not shown: the column is not public)"])):
        contract = one("text", quality=[known], classification=classification)
        typer = Typer(contract, {}, labelled_period(contract, {}), KEY)
        texts = ["drugs", "St. Helen's and  Dalgarno", "Fraud", None]
        result = typer(pl.DataFrame({"line_number": range(4), "value": texts}))
        assert result.frame["value"].to_list() == texts
        assert typer.new_codes == {"value": shown}


@settings(deadline=None, max_examples=60)
@given(text=st.text(min_size=4, max_size=30).filter(lambda t: t.strip() and not t.strip().isdigit()))
def test_no_value_stands_in_a_reason(text: str) -> None:
    """Whatever a row holds, its reason is one of few sentences; its token does not show it and needs the key."""
    contract = small_contract(
        [column("a", "integer", classification="personal"), column("b", "date"), column("c", "boolean")]
    )
    result = typed(contract, [text, text, text])
    (row,) = result.quarantined
    assert row.reason == "it is no number"
    assert row.row_token is not None and text not in row.row_token
    assert row.row_token == typed(contract, [text, text, text]).quarantined[0].row_token
    assert row.row_token != typed(contract, [text, text, text], key=b"x" * 32).quarantined[0].row_token


def test_reasons_of_every_contract_hold_no_value() -> None:
    """A row of nonsense in every column of every feed: nothing of it comes back in the reasons."""
    for contract in CONTRACTS.values():
        label = label_of(contract, contract.delivery.examples[0]) or {}
        label |= {"year": "2015"} if "year" not in label else {}
        result = typed(contract, [PERSON] * len(sent(contract)), label=label)
        assert len(result.quarantined) == 1, contract.feed
        assert all("Zebedee" not in f"{q.reason}{q.rule}{q.row_token}" for q in result.quarantined)


# --- hashes -----------------------------------------------------------------------------------------------


def hashes(contract: Contract, *rows: Sequence[str | None], label: dict[str, str] | None = None) -> list[str]:
    result = typed(contract, *rows, label=label)
    assert not result.quarantined
    return result.frame["row_hash"].to_list()


STREET_ROW = [
    "a5c7f1249ba66e2e60183a8992044b236ff9ea25d28aae3ff8bb079348659ea4", "2017-04", "Metropolitan Police Service",
    "Metropolitan Police Service", "0.148434", "51.595164", "On or near Park/Open Space", "E01000027",
    "Barking and Dagenham 001A", "Burglary", "Investigation complete; no suspect identified", "",
]  # fmt: skip
STREET_LABEL = {"month": "2017-04", "force": "metropolitan"}


def test_hashes_are_what_they_always_were() -> None:
    """Were one to change (by an upgrade of a library, say), every record would seem to be restated."""
    assert hashes(CONTRACTS["police_open_street"], STREET_ROW, label=STREET_LABEL) == [
        "2d8214044b62bc19d9b90a3d78ee361d"
    ]
    searched = ["Person search", "2017-03-31T23:00:00+00:00", "False", "", "51.535893", "-0.102374", "Male", *[""] * 8]
    search_label = {"month": "2017-04", "force": "metropolitan"}
    assert hashes(CONTRACTS["police_open_stop_search"], searched, label=search_label) == [
        "573a26f3cfe596da9ea78d8d555a1bc0"
    ]
    everything = small_contract(
        [
            column("a"), column("b", "integer"), column("c", "double precision"), column("d", "date"),
            column("e", "timestamptz", logicalTypeOptions={"format": "%Y-%m-%dT%H:%M:%S%z"}), column("f", "boolean"),
        ]
    )  # fmt: skip
    row = ["Ä ß 漢", "-12", "0.1", "2016-02-29", "2016-02-29T12:30:01+00:00", "yes"]
    assert hashes(everything, row) == ["5901faff1368acf9bb134030b2c0b1fb"]
    cell = ["Kensington and Chelsea", None, None, "Burglary", "Burglary - Residential", "201704", "111"]
    result = typed(CONTRACTS["mps_recorded_crime"], cell, label={"geography_level": "borough"})
    assert result.frame["record_key"].to_list() == ["81d9fd0cb9ba85b352156dbd5c11f17c"]


@pytest.mark.parametrize(
    "written", [("0.148434", "51.595164"), ("0.1484340", "51.59516400"), ("0.14843399999999", "51.5951640001")]
)
def test_a_coordinate_written_with_more_places_is_the_same(written: tuple[str, str]) -> None:
    contract = CONTRACTS["police_open_street"]
    other = [*STREET_ROW[:4], *written, *STREET_ROW[6:]]
    assert hashes(contract, other, label=STREET_LABEL) == hashes(contract, STREET_ROW, label=STREET_LABEL)
    assert typed(contract, other, label=STREET_LABEL).frame["longitude"].to_list() == [0.148434]
    moved = [*STREET_ROW[:4], "0.148435", *STREET_ROW[5:]]
    assert hashes(contract, moved, label=STREET_LABEL) != hashes(contract, STREET_ROW, label=STREET_LABEL)


@settings(deadline=None, max_examples=100)
@given(micro=st.integers(min_value=-9_000_000, max_value=3_000_000))
def test_every_coordinate_keeps_its_hash_when_read_back(micro: int) -> None:
    """Six places written as they are, with zeros, or as the nearest double says it."""
    contract = one("double precision", {"decimals": 6})
    exact = f"{micro / 1e6:.6f}"
    found = hashes(contract, [exact], [exact + "000"], [repr(micro / 1e6)], [f"{micro / 1e6:.12f}"])
    assert len(set(found)) == 1


def test_a_column_added_at_the_end_keeps_the_hashes_of_rows_that_lack_it() -> None:
    before = small_contract([column("a", primaryKey=True), column("b")])
    after = small_contract([column("a", primaryKey=True), column("b"), column("c")])
    assert hashes(before, ["x", "y"], ["x", ""]) == hashes(after, ["x", "y", ""], ["x", "", None])
    assert hashes(before, ["x", "y"]) != hashes(after, ["x", "y", "z"])


def test_values_do_not_run_into_each_other() -> None:
    contract = small_contract([column("a"), column("b"), column("c")])
    found = hashes(contract, ["x", "y", ""], ["xy", "", ""], ["", "x", "y"], ["x", "", "y"], ["", "", "xy"])
    assert len(set(found)) == 5


def test_the_key_is_of_the_key_columns_and_else_the_whole_row() -> None:
    keyed = typed(small_contract([column("a", primaryKey=True), column("b")]), ["x", "1"], ["x", "2"])
    assert keyed.frame["record_key"].n_unique() == 1 and keyed.frame["row_hash"].n_unique() == 2
    whole = typed(small_contract([column("a"), column("b")]), ["x", "1"])
    assert whole.frame["record_key"].to_list() == whole.frame["row_hash"].to_list()


# --- labels and periods -----------------------------------------------------------------------------------


def search_at(*times: str, month: str = "2017-04") -> Typed:
    rows = [["Person search", time, *[""] * 13] for time in times]
    return typed(CONTRACTS["police_open_stop_search"], *rows, label={"month": month, "force": "metropolitan"})


def test_a_search_belongs_to_the_month_in_london() -> None:
    """UTC times: in summer the month begins at 23:00 the day before."""
    result = search_at(
        "2017-03-31T22:59:59+00:00", "2017-03-31T23:00:00+00:00", "2017-04-30T22:59:59+00:00",
        "2017-04-30T23:30:00+00:00",
    )  # fmt: skip
    assert result.frame["line_number"].to_list() == [3, 4]
    assert set(result.frame["period"].to_list()) == {date(2017, 4, 1)}
    assert [(q.line_number, q.rule) for q in result.quarantined] == [(2, "label"), (5, "label")]
    assert result.off_label == {date(2017, 3, 1): 1, date(2017, 5, 1): 1}
    winter = search_at("2017-01-01T00:00:00+00:00", "2016-12-31T23:30:00+00:00", month="2017-01")
    assert winter.frame["line_number"].to_list() == [2]


def test_the_label_is_held_against_the_content() -> None:
    contract = CONTRACTS["police_open_street"]
    other = [STREET_ROW[0], "2017-03", *STREET_ROW[2:]]
    result = typed(contract, STREET_ROW, other, label=STREET_LABEL)
    assert result.frame.height == 1
    assert [(q.line_number, q.column_name, q.rule) for q in result.quarantined] == [(3, "month", "label")]


def test_a_label_may_be_a_range_and_must_be_a_month() -> None:
    contract = CONTRACTS["mps_recorded_crime"]
    assert labelled_period(contract, {"from": "201703", "to": "201902"}) == LabelledPeriod(
        date(2017, 3, 1), date(2019, 2, 1)
    )
    assert labelled_period(contract, {"geography_level": "ward"}) is None
    with pytest.raises(Refused, match="201713"):
        labelled_period(contract, {"from": "201713", "to": "201902"})


def test_headings_that_contradict_the_name_are_refused() -> None:
    contract = CONTRACTS["reference_lsoa_ward"]
    heading = b"LSOA11CD,LSOA11NM,WD16CD,WD16NM,LAD16CD,LAD16NM\n"
    with pytest.raises(Refused, match="its name says 2015, its headings say 2016"):
        Document(contract, "lsoa11_to_ward2015.csv", io.BytesIO(heading + b"a,b,c,d,e,f\n"), KEY)
    assert Document(contract, "lsoa11_to_ward2016.csv", io.BytesIO(heading + b"a\n"), KEY).label == {"year": "2016"}


def test_a_column_from_the_label_is_the_same_in_every_row() -> None:
    row = ["E01000001", "City of London 001A", "E05009288", "Aldersgate", "E09000001", "City of London"]
    result = typed(CONTRACTS["reference_lsoa_ward"], row, label={"year": "2015"})
    assert result.frame.select("lookup_year", "period").rows() == [(2015, date(2015, 1, 1))]
