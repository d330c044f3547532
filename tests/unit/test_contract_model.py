"""What a partner feed's contract adds: extract kinds, withdrawals, tokens; and that mistakes in them are told."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError
from saferkc.contracts.model import Contract, Token
from saferkc.contracts.registry import ContractError, load_contracts, read_extract_date
from small_contracts import column, small_contract


def keyed(**delivery: Any) -> dict[str, Any]:
    """A feed with a record key and a token, as a dictionary to spoil; ``delivery`` replaces parts of it."""
    name = {"headings": ["Name"], "as": "name"}
    born = {"headings": ["Born"], "as": "date", "optional": True}
    token = {"token": {"purpose": "person", "parts": [name, born]}}
    contract = as_dictionary(
        [
            column("case_id", primaryKey=True),
            column("opened_date", "date", {"headings": ["Opened"], "date_formats": ["%d/%m/%Y"]}),
            column("status"),
            column("categories", origin={"headings": ["Categories"], "split": ";"}),
            column("person_token", origin=token, classification="pseudonymous"),
        ],
        patterns=[r"cases_(?P<extract>\d{8})\.csv$"],
        examples=["cases_20170403.csv"],
        extract="changes",
        extract_date="extract",
        withdrawal={"column": "status", "values": ["deleted"]},
    )
    delivery_of(contract).update(delivery)
    return contract


def as_dictionary(columns: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = small_contract(columns, **more).model_dump(mode="json", by_alias=True, exclude_none=True)
    return made


def delivery_of(contract: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = contract["customProperties"][0]["value"]
    return made


def columns_of(contract: dict[str, Any]) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = contract["schema"][0]["properties"]
    return made


def origin_of(contract: dict[str, Any], place: int) -> dict[str, Any]:
    made: dict[str, Any] = columns_of(contract)[place]["customProperties"][0]["value"]
    return made


def test_a_partner_feed_says_what_absence_means_and_what_never_enters() -> None:
    contract = Contract.model_validate(keyed())
    assert contract.delivery.extract == "changes"
    assert contract.delivery.withdrawal and contract.delivery.withdrawal.values == ["deleted"]
    assert [c.name for c in contract.token_columns] == ["person_token"]
    token = contract.column("person_token").token
    assert token and [part.kind for part in token.parts] == ["name", "date"]
    assert contract.column("person_token").part_names == ["@person_token.1", "@person_token.2"]
    assert contract.column("status").part_names == []


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda c: delivery_of(c).update(source="Fire Brigade"), "String should match pattern"),
        (lambda c: delivery_of(c).update(extract="all"), "'period', 'full' or 'changes'"),
        (lambda c: delivery_of(c).pop("extract_date"), "an extract of kind changes needs `extract_date`"),
        (lambda c: delivery_of(c).update(extract_date="day"), "names day, which is no named group of every pattern"),
        (lambda c: delivery_of(c).update(patterns=["cases_(.csv$"]), "is no regular expression"),
        (lambda c: columns_of(c)[0].update(primaryKey=False), "of kind changes needs a record key"),
        (
            lambda c: (columns_of(c)[0].update(primaryKey=False), delivery_of(c).update(extract="period")),
            "`withdrawal` is for extracts of kind full or changes",
        ),
        (lambda c: delivery_of(c)["withdrawal"].update(column="state"), "state is named in `delivery` (withdrawal)"),
        (lambda c: delivery_of(c)["withdrawal"].update(values=[]), "at least 1 item"),
        (lambda c: c.update(slaProperties=[]), "slaProperties must say `frequency` once"),
        (lambda c: delivery_of(c).update(format="workbook"), "the format workbook needs `workbook`"),
        (lambda c: delivery_of(c).update(workbook={"sheet": "Cases"}), "the format workbook needs `workbook`"),
        (lambda c: delivery_of(c).update(format="workbook", workbook={"totals": "(Total"}), "is no regular expression"),
        (lambda c: delivery_of(c).update(encodings=["utf-8", "utf-8x"]), "utf-8x is no encoding"),
        (lambda c: delivery_of(c).update(records_path="items"), "`records_path` is for the formats json"),
        (
            lambda c: delivery_of(c).update(format="json_lines"),
            "case_id: the format json_lines has paths, not headings",
        ),
        (lambda c: columns_of(c)[4].update(classification="personal"), "a token is classified pseudonymous"),
        (lambda c: columns_of(c)[2].update(classification="pseudonymous"), "a token is classified pseudonymous"),
        (
            lambda c: columns_of(c)[4].update(logicalType="integer", physicalType="bigint"),
            "are kept as text, not bigint",
        ),
        (lambda c: origin_of(c, 1).update(split=";"), "are kept as text, not date"),
        (lambda c: origin_of(c, 2).update(date_formats=["%d/%m/%Y"]), "date_formats are for a date"),
        (lambda c: origin_of(c, 1).update(timezone="Europe/London"), "a timezone is for a timestamp"),
        (lambda c: origin_of(c, 2).update(timezone="Europe/Kensington"), "Europe/Kensington is no time zone"),
        (lambda c: origin_of(c, 2).update(token=origin_of(c, 4)["token"]), "exactly one of headings, label"),
        (lambda c: origin_of(c, 4)["token"].update(purpose="A person"), "String should match pattern"),
        (lambda c: origin_of(c, 4)["token"].update(parts=[]), "at least 1 item"),
        (lambda c: origin_of(c, 4)["token"]["parts"][0].update(optional=True), "must not be optional"),
        (lambda c: origin_of(c, 4)["token"]["parts"][0].update({"as": "surname"}), "Input should be 'name'"),
        (lambda c: origin_of(c, 4)["token"]["parts"][0].pop("headings"), "exactly one of headings and path"),
        (
            lambda c: origin_of(c, 2).update(headings=["status", "NAME "]),
            "person_token: its part 'name' must not be kept",
        ),
        (lambda c: delivery_of(c).update(ignored_headings=["Born"]), "person_token: its part 'born' must not be kept"),
    ],
)
def test_a_mistake_in_what_a_partner_feed_adds_is_told(spoil: Callable[[dict[str, Any]], object], message: str) -> None:
    contract = keyed()
    spoil(contract)
    with pytest.raises(ValidationError, match=re.escape(message)):
        Contract.model_validate(contract)


def test_a_name_in_one_field_and_in_two_makes_tokens_of_the_same_kinds() -> None:
    """One agency writes a name in one field, another in two: both must be able to give the same token."""
    name, born = {"headings": ["n"], "as": "name"}, {"headings": ["b"], "as": "date"}
    one, two = (Token.model_validate({"purpose": "person", "parts": [*names, born]}) for names in ([name], [name] * 2))
    assert one.kinds == two.kinds == ("name", "date")


def test_tokens_of_one_purpose_that_could_never_be_equal_are_refused(tmp_path: Path) -> None:
    for feed, kind in (("one_feed", "name"), ("two_feed", "phone")):
        token = {"token": {"purpose": "person", "parts": [{"headings": ["Who"], "as": kind}]}}
        made = as_dictionary([column("token", origin=token, classification="pseudonymous")], feed=feed)
        (tmp_path / f"{feed}.yaml").write_text(yaml.safe_dump(made), encoding="utf-8")
    with pytest.raises(ContractError, match=r"two_feed.token: a token of purpose person is made of name \(see"):
        load_contracts(tmp_path)


def test_an_example_whose_day_is_no_day_is_told(tmp_path: Path) -> None:
    contract = keyed(examples=["cases_20170231.csv"])
    (tmp_path / "small_feed.yaml").write_text(yaml.safe_dump(contract), encoding="utf-8")
    with pytest.raises(ContractError, match=r"cases_20170231.csv: '20170231' is no day"):
        load_contracts(tmp_path)


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("20170403", date(2017, 4, 3)),
        ("2017-04-03", date(2017, 4, 3)),
        ("20170403T0630", date(2017, 4, 3)),
        ("2017-03", date(2017, 3, 31)),
        ("201602", date(2016, 2, 29)),
    ],
)
def test_the_day_of_an_extract_is_read_however_it_is_written(said: str, day: date) -> None:
    assert read_extract_date(said) == day


@pytest.mark.parametrize("said", ["", "2017", "20171303", "20170431", "3 April 2017", "20170403T06"])
def test_what_is_no_day_of_an_extract_is_told(said: str) -> None:
    with pytest.raises(ValueError, match="is no day of an extract"):
        read_extract_date(said)
