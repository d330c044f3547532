"""Rows on their way: parts of identities go before any rule sees them; nothing that people read shows a value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from saferkc.contracts import Contract
from saferkc.loading.columns import Typed, Typer
from saferkc.privacy.keys import KeyRing
from saferkc.privacy.sensitivity import is_open, is_open_file
from saferkc.privacy.showing import file_name, new_heading
from saferkc.privacy.tokens import Tokeniser, canonical
from saferkc.settings import Settings
from small_contracts import column, small_contract

KEY = b"k" * 32
FORENAME, SURNAME, BIRTH = "Zebedee", "Nevershown", "3 April 1985"
_WARD_CODES = {
    "name": "ward_known", "metric": "invalidValues", "mustBe": 0, "severity": "warning", "description": "a list",
    "arguments": {"validValues": ["Golborne", "Colville"]},
}  # fmt: skip
_PARTS = [
    {"headings": ["Forename"], "as": "name"},
    {"headings": ["Surname"], "as": "name"},
    {"headings": ["Born"], "as": "date"},
]
_PERSON = {"token": {"purpose": "person", "parts": _PARTS}}


def contract_of_people(**more: Any) -> Contract:
    return small_contract(
        [
            column("person_token", origin=_PERSON, classification="pseudonymous"),
            column("age", "integer", classification="personal"),
            column("ward_name", quality=[_WARD_CODES], classification="official"),
            column("street_name", classification="official"),
        ],
        **more,
    )  # fmt: skip


PEOPLE = contract_of_people()
OPEN = small_contract([column("ward_name")])


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> KeyRing:
    home = tmp_path_factory.mktemp("home")
    return KeyRing(Settings(home=home, project_root=home, external_warehouse_url=None))


def typed(ring: KeyRing, *rows: dict[str, str]) -> Typed:
    row = {"@person_token.1": FORENAME, "@person_token.2": SURNAME, "@person_token.3": BIRTH, "age": "32",
           "ward_name": "Golborne", "street_name": "Golborne Road"}  # fmt: skip
    text = pl.DataFrame([{"line_number": n} | row | changed for n, changed in enumerate(rows, 2)])
    return Typer(PEOPLE, {}, None, KEY, Tokeniser(PEOPLE, ring))(text)


@pytest.fixture(autouse=True)
def fixed_period(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Typer, "_period", lambda _: pl.lit(None, dtype=pl.Date))


def test_a_token_stands_in_place_of_its_parts_and_carries_the_id_of_its_key(ring: KeyRing) -> None:
    frame = typed(
        ring, {}, {"@person_token.1": "ZEBEDEE", "@person_token.3": "1985-04-03"}, {"@person_token.3": ""}
    ).frame
    first, second, third = frame["person_token"].to_list()
    assert first == second
    assert first.startswith(f"{ring.current('person')[0]}:")
    assert third is None
    assert not [name for name in frame.columns if name.startswith("@")]
    assert FORENAME not in str(frame.rows())


def test_without_keys_nothing_is_loaded_rather_than_loaded_in_plain() -> None:
    with pytest.raises(ValueError, match="no keys were given"):
        Typer(PEOPLE, {}, None, KEY)


def test_a_column_that_a_document_lacks_makes_no_token(ring: KeyRing) -> None:
    frame = Tokeniser(PEOPLE, ring)(pl.DataFrame({"line_number": [2], "@person_token.1": [FORENAME]}))
    assert frame["person_token"].to_list() == [None]


@pytest.mark.parametrize(
    "stray",
    [
        {"ward_name": "Nevershown"},
        {"ward_name": "zebedee"},
        {"ward_name": "Mr Z. Nevershown"},
        {"ward_name": "03/04/1985"},
        {"street_name": "c/o Zebedee  NEVERSHOWN"},
        {"street_name": "Nevershown, Zebedee"},
        {"street_name": "1985-04-03"},
        {"street_name": "call 07700 900123"},
        {"street_name": "zebedee.n@example.org"},
        {"ward_name": "near w10 5pe"},
        {"street_name": "NI QQ 12 34 56 C"},
    ],
)
def test_an_identity_in_the_wrong_cell_is_held_back(ring: KeyRing, stray: dict[str, str]) -> None:
    result = typed(ring, {}, stray)
    assert result.frame["line_number"].to_list() == [2]
    (row,) = result.quarantined
    assert (row.line_number, row.column_name, row.rule) == (3, next(iter(stray)), "identity")
    assert row.reason == "part of a person's identity stands in it"


@pytest.mark.parametrize(
    "usual",
    [
        {"ward_name": "Earl's Court"},
        {"ward_name": "Golborne", "@person_token.2": "Golborne"},
        {"street_name": "Nevershown Road"},
        {"street_name": "A40 (M) junction 12"},
        {"street_name": "W10"},
        {"street_name": "Lee Road", "@person_token.1": "Jo", "@person_token.2": "Lee"},
        {"@person_token.1": "", "@person_token.2": "", "street_name": ""},
    ],
)
def test_a_street_that_is_called_like_somebody_is_none(ring: KeyRing, usual: dict[str, str]) -> None:
    assert not typed(ring, usual).quarantined


@given(
    identity=st.text(min_size=5, max_size=20).filter(lambda text: text.strip() and not text.strip().isdigit()),
    cell=st.sampled_from(["age", "ward_name", "street_name", "@person_token.1", "@person_token.3"]),
)
def test_no_text_in_any_cell_comes_out_of_a_quarantined_row(ring: KeyRing, identity: str, cell: str) -> None:
    result = typed(ring, {cell: identity, "age": "none"} if cell != "age" else {cell: identity})
    (row,) = result.quarantined
    assert row.reason in ("it is no number", "part of a person's identity stands in it")
    assert identity not in (row.row_token or "")


def test_new_headings_of_data_about_people_are_told_by_their_place() -> None:
    headings = ["Forename", "Zebedee Nevershown", "age"]
    name, meaning = new_heading(PEOPLE, headings[1], headings)
    assert "number 2" in name
    assert "Zebedee" not in name + meaning
    assert "Zebedee" not in "".join(new_heading(PEOPLE, "clients.Zebedee", []))
    assert new_heading(OPEN, "Crime subtype", ["Crime subtype"])[0] == "Crime subtype"


def test_file_names_that_nobody_agreed_are_not_shown() -> None:
    agreed = contract_of_people(patterns=[r"(?:^|[_/])people_\d+\.csv$"], examples=["people_1.csv"])
    for name in ("people_1.csv", "simulated_people_1.csv"):
        assert file_name([agreed], name, "abc") == name
    assert file_name([agreed], "Zebedee Nevershown_people_1.csv", "abc") == "people_1.csv"
    assert file_name([agreed], "simulated_Nevershown_people_1.csv", "abc") == "simulated_people_1.csv"
    assert file_name([agreed], "Referral of Zebedee Nevershown.docx", "abc") == "unknown_abc"
    assert file_name([agreed], "simulated Zebedee.XLSX", "abc") == "simulated_unknown_abc.xlsx"
    assert file_name([OPEN], "anything.csv", "abc") == "anything.csv"


def test_open_is_only_what_is_wholly_public_and_expected() -> None:
    assert is_open(OPEN)
    assert not is_open(PEOPLE)
    assert is_open_file([OPEN], "small_feed.csv")
    assert not is_open_file([OPEN], "clients.csv"), "a file that nobody expected may hold anything"
    assert not is_open_file([OPEN, PEOPLE], "small_feed.csv")
    assert not is_open_file([], "small_feed.csv")


def test_every_contract_keeps_identities_in_tokens_and_nothing_that_could_name_people_elsewhere() -> None:
    """A column that may hold any text for long enough to name somebody is searched, listed or has a tight pattern."""
    from saferkc.contracts import load_contracts  # noqa: PLC0415

    contracts = load_contracts(Path(__file__).resolve().parents[2] / "expectations" / "contracts")
    people = [contract for contract in contracts.values() if any(one.token for one in contract.columns)]
    assert len(people) >= 8
    for contract in people:
        for one in contract.columns:
            assert one.classification == "pseudonymous" if one.token else one.classification != "pseudonymous"
            if one.physical_type == "text" and not one.token and not one.origin.label:
                assert one.quality or one.options.pattern, f"{contract.id}.{one.name} may hold anything"


def test_the_same_identity_in_two_contracts_is_written_alike() -> None:
    """Tokens of one purpose are compared across agencies, so the same kinds go under the key in the same order."""
    parts = PEOPLE.columns[0].token.parts if PEOPLE.columns[0].token else []
    one = canonical(pl.DataFrame({"a": ["Zebedee"], "b": ["Nevershown"], "c": ["1985-04-03"]}), parts)
    assert one.to_list() == ["name=zebedeenevershown\x1fdate=1985-04-03"]
