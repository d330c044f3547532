"""The contracts of the feeds: that they parse, what names they take, and that mistakes in them are told."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
import yaml
from saferkc.contracts.model import Contract
from saferkc.contracts.registry import ContractError, label_of, load_contracts, read_contract, read_label, takes

PROJECT = Path(__file__).resolve().parents[2]
CONTRACTS = PROJECT / "expectations" / "contracts"
REAL_DATA = Path(os.environ.get("SAFERKC_REAL_DATA") or PROJECT.parent / "shared" / "data")
FEEDS = sorted(path.stem for path in CONTRACTS.glob("*.yaml"))
POLICE_NIGHT = ["police_accused", "police_asb_incidents", "police_offences", "police_outcomes", "police_victims"]
POLICE_MONTH = ["police_open_outcomes", "police_open_stop_search", "police_open_street"]


def takers(source: str, name: str) -> list[str]:
    """Feeds of ``source`` that take a file of this name, as it is or as an archive."""
    return [
        contract.feed
        for contract in load_contracts(CONTRACTS).values()
        if contract.delivery.source == source
        and (takes(contract, name) or any(re.search(p, name, re.IGNORECASE) for p in contract.delivery.archives))
    ]


def as_dictionary(feed: str) -> dict[str, object]:
    text = (CONTRACTS / f"{feed}.yaml").read_text(encoding="utf-8")
    loaded: dict[str, object] = yaml.safe_load(text)
    return loaded


def test_there_is_a_contract_for_every_feed() -> None:
    assert FEEDS == [
        "angelou_referrals",
        "council_enforcement_actions",
        "mps_borough_crime_rates",
        "mps_other_crime",
        "mps_recorded_crime",
        "police_accused",
        "police_asb_incidents",
        "police_offences",
        "police_open_outcomes",
        "police_open_stop_search",
        "police_open_street",
        "police_open_street_api",
        "police_outcomes",
        "police_victims",
        "rahab_clients",
        "reference_boundaries",
        "reference_deprivation",
        "reference_lsoa_2001_2011",
        "reference_lsoa_population",
        "reference_lsoa_ward",
        "tmo_asb_cases",
    ]


def test_all_contracts_parse_and_no_two_take_the_same_file() -> None:
    assert list(load_contracts(CONTRACTS)) == FEEDS


@pytest.mark.parametrize("feed", FEEDS)
def test_every_column_says_what_it_means(feed: str) -> None:
    contract = read_contract(CONTRACTS / f"{feed}.yaml")
    for column in contract.columns:
        assert len(column.description) > 10, column.name
        assert column.description.endswith("."), column.name
    assert contract.table.description.startswith("One row")


@pytest.mark.parametrize("feed", FEEDS)
def test_every_feed_says_when_it_is_due_and_what_to_beware_of(feed: str) -> None:
    contract = read_contract(CONTRACTS / f"{feed}.yaml")
    assert contract.operation.due
    assert len(contract.description.limitations) > 40


@pytest.mark.parametrize("feed", FEEDS)
def test_code_lists_never_send_a_row_to_quarantine(feed: str) -> None:
    """A new code is the first sign of a recording change, so it must arrive."""
    for column in read_contract(CONTRACTS / f"{feed}.yaml").columns:
        for rule in column.quality:
            assert rule.severity == "warning", f"{column.name}.{rule.name}"
            assert len(set(rule.valid_values)) == len(rule.valid_values), f"{column.name}.{rule.name}"


@pytest.mark.parametrize(
    ("source", "name", "feeds"),
    [
        ("mps", "MPS Borough Level Crime (most recent 24 months).csv", ["mps_recorded_crime"]),
        ("mps", "MPS Borough Level Crime (Historical).csv", ["mps_recorded_crime"]),
        ("mps", "MPS Ward Level Crime (most recent 24 months).csv", ["mps_recorded_crime"]),
        ("mps", "MPS Ward Level Crime (most recent 24 months) (1).csv", ["mps_recorded_crime"]),
        ("mps", "simulated_borough_level_crime_201601_201612.csv", ["mps_recorded_crime"]),
        ("mps", "simulated_other_crime_borough_level_201601_201712.csv", ["mps_other_crime"]),
        ("mps", "MPS Borough Level Other Crime (Historical).csv", ["mps_other_crime"]),
        ("mps", "MPS LSOA Level Crime (Historical).csv", []),
        ("police_open", "simulated_2017-04.zip", POLICE_MONTH),
        ("police_open", "2017-04-metropolitan-street.csv.gz", ["police_open_street"]),
        ("police_open", "2017-04-city-of-london-stop-and-search.csv", ["police_open_stop_search"]),
        ("police_open", "2017-04-metropolitan-street.csv.part", []),
        ("reference", "LSOA11_WD18_LAD18_EW_LU.csv", ["reference_lsoa_ward"]),
        ("police", "simulated_offences_20170403.csv", ["police_offences"]),
        ("police", "simulated_asb_incidents_20170403T0430.csv", ["police_asb_incidents"]),
        ("police", "simulated_police_20170403.zip", POLICE_NIGHT),
        ("police", "simulated_offences_20170403.csv.filepart", []),
        ("police", "offences.csv", []),
        ("angelou", "simulated_Angelou referrals 2017-04-03.xlsx", ["angelou_referrals"]),
        ("rahab", "simulated_Rahab clients 2017-03.xlsx", ["rahab_clients"]),
        ("tmo", "simulated_tmo_asb_cases_20170403.txt", ["tmo_asb_cases"]),
        ("council", "simulated_enforcement_actions_20170403.jsonl", ["council_enforcement_actions"]),
    ],
)
def test_a_name_is_taken_by_the_feed_it_belongs_to(source: str, name: str, feeds: list[str]) -> None:
    assert takers(source, name) == feeds


def test_a_level_is_read_from_the_name_whatever_its_capitals() -> None:
    contract = load_contracts(CONTRACTS)["mps_recorded_crime"]
    assert label_of(contract, "MPS Ward Level Crime (Historical).csv") == {"geography_level": "ward"}
    assert label_of(contract, "borough_level_crime_200801_201612.csv") == {
        "geography_level": "borough",
        "from": "200801",
        "to": "201612",
    }


def test_headings_tell_a_ward_file_from_a_borough_file() -> None:
    """A name alone is not believed: the level in the name must agree with the one in the headings."""
    contract = load_contracts(CONTRACTS)["mps_recorded_crime"]

    def said(name: str, heading: str) -> dict[str, str]:
        patterns = [h[1:-1] for h in contract.column(name).origin.headings or [] if h.startswith("/")]
        found = [re.fullmatch(pattern, heading, re.IGNORECASE) for pattern in patterns]
        return next((read_label(match) for match in found if match), {})

    assert said("ward_code", "WardCode") == said("ward_code", "Ward Code") == {"geography_level": "ward"}
    assert said("borough_name", "Borough") == {"geography_level": "borough"}
    assert said("borough_name", "LookUp_BoroughName") == {}, "stands in files of both levels"


def test_a_year_of_two_digits_and_one_of_four_are_the_same_label() -> None:
    contract = load_contracts(CONTRACTS)["reference_lsoa_ward"]
    assert label_of(contract, "LSOA11_WD18_LAD18_EW_LU.csv") == label_of(contract, "lsoa11_to_ward2018.csv")


def test_codes_in_a_name_keep_their_capitals() -> None:
    contract = load_contracts(CONTRACTS)["police_open_street_api"]
    assert label_of(contract, "2018-06_E05009400_0.json") == {"month": "2018-06", "ward": "E05009400"}


@pytest.mark.skipif(not REAL_DATA.is_dir(), reason=f"no published files at {REAL_DATA}; set SAFERKC_REAL_DATA")
@pytest.mark.parametrize(
    ("folder", "source", "suffixes"),
    [
        ("mps", "mps", {".csv"}),
        ("geography", "reference", {".csv"}),
        ("police_uk", "police_open", {".zip"}),
        ("police_uk/api", "police_open", {".json"}),
    ],
)
def test_every_published_file_is_taken_by_exactly_one_feed_and_an_archive_by_three(
    folder: str, source: str, suffixes: set[str]
) -> None:
    names = [path.name for path in (REAL_DATA / folder).iterdir() if path.suffix in suffixes]
    assert names
    for name in names:
        feeds = takers(source, name)
        assert feeds == POLICE_MONTH if name.endswith(".zip") else len(feeds) == 1, (name, feeds)


@pytest.mark.parametrize(
    ("misspell", "message"),
    [
        (lambda c: c.update(versoin="1.0.0"), "versoin"),
        (lambda c: c["schema"][0]["properties"][1].update(requird=True), "requird"),
        (lambda c: c["customProperties"][0]["value"].update(ends_with_new_line=True), "ends_with_new_line"),
        (lambda c: c["customProperties"][0]["value"]["limits"].update(minimum_row=1), "minimum_row"),
        (lambda c: c["customProperties"][0]["value"]["period"].update(column="mnoth"), "mnoth"),
        (lambda c: c["customProperties"][0]["value"]["examples"].append("street.csv"), "street.csv"),
        (lambda c: c["schema"][0].update(name="police_open_streets"), "police_open_street"),
    ],
)
def test_a_mistake_in_a_contract_is_an_error_that_names_it(tmp_path: Path, misspell, message: str) -> None:  # type: ignore[no-untyped-def]
    contract = as_dictionary("police_open_street")
    misspell(contract)
    path = tmp_path / "police_open_street.yaml"
    path.write_text(yaml.safe_dump(contract), encoding="utf-8")
    with pytest.raises(ContractError, match=re.escape(message)):
        read_contract(path)


def test_a_contract_is_called_by_its_id(tmp_path: Path) -> None:
    path = tmp_path / "police_open_streets.yaml"
    path.write_text((CONTRACTS / "police_open_street.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(ContractError, match="called by its id"):
        read_contract(path)


def test_two_contracts_that_take_the_same_file_are_refused(tmp_path: Path) -> None:
    original = as_dictionary("mps_other_crime")
    twin = as_dictionary("mps_other_crime") | {"id": "mps_twin"}
    twin["schema"][0]["name"] = "mps_twin"  # type: ignore[index]
    for contract in (original, twin):
        (tmp_path / f"{contract['id']}.yaml").write_text(yaml.safe_dump(contract), encoding="utf-8")
    with pytest.raises(ContractError, match="would be taken by mps_other_crime and mps_twin"):
        load_contracts(tmp_path)


def test_keys_are_what_the_publisher_tells_records_apart_by() -> None:
    contracts: dict[str, Contract] = load_contracts(CONTRACTS)
    assert contracts["mps_recorded_crime"].key_columns == [
        "geography_level",
        "borough_name",
        "ward_code",
        "major_category",
        "minor_category",
        "month",
    ]
    # a Crime ID repeats, so a whole record is its own key
    for feed in POLICE_MONTH:
        assert contracts[feed].key_columns == []


PARTNERS = [feed for feed in FEEDS if feed.split("_")[0] in ("angelou", "council", "rahab", "tmo")] + POLICE_NIGHT


@pytest.mark.parametrize("feed", PARTNERS)
def test_a_partner_feed_says_what_absence_means_and_of_what_day_it_is(feed: str) -> None:
    delivery = load_contracts(CONTRACTS)[feed].delivery
    assert delivery.extract == ("full" if feed in ("angelou_referrals", "rahab_clients") else "changes")
    assert delivery.extract_date == "extract"
    # what only tells of changes must say openly that a record no longer holds
    assert (delivery.extract == "changes") == (delivery.withdrawal is not None)


@pytest.mark.parametrize("feed", PARTNERS)
def test_no_column_of_a_partner_feed_has_room_for_an_identity(feed: str) -> None:
    """Who somebody is becomes a token or is left out by name; what is kept is a code, a number, a date, a place."""
    contract = load_contracts(CONTRACTS)[feed]
    assert contract.token_columns or feed == "police_outcomes"
    for column in contract.columns:
        assert column.classification != "public", column.name
        if column.physical_type == "text" and not column.token:
            assert column.options.pattern, f"{column.name} takes any text"
            short = column.options.max_length and column.options.max_length <= 200
            assert short or column.options.pattern.endswith("$"), f"{column.name} takes text of any length"
            kept = " ".join([*(column.origin.headings or []), column.origin.path or ""]).casefold()
            for word in ("forename", "surname", "birth", "dob", "phone", "address", "postcode", "uprn", "e-mail"):
                assert word not in kept, column.name


def test_clients_of_the_services_for_survivors_can_be_compared_with_no_police_record() -> None:
    purposes: dict[str, set[str]] = {}
    for contract in load_contracts(CONTRACTS).values():
        for column in contract.token_columns:
            purposes.setdefault(column.token.purpose if column.token else "", set()).add(contract.delivery.source)
    assert purposes == {
        "person": {"police", "tmo", "council"},
        "vawg_client": {"angelou", "rahab"},
        "caller": {"police"},
        "premises": {"police", "tmo", "council"},
        "address": {"police", "council"},
        "house": {"tmo"},
    }


@pytest.mark.parametrize("feed", FEEDS)
def test_the_staging_model_of_a_feed_holds_and_describes_every_column(feed: str) -> None:
    contract = load_contracts(CONTRACTS)[feed]
    source = contract.delivery.source
    model = f"stg_{source}__{feed.removeprefix(f'{source}_')}"
    folder = PROJECT / "dbt_project" / "models" / "staging" / source
    described = yaml.safe_load((folder / f"{model}.yml").read_text(encoding="utf-8"))["models"][0]
    assert described["name"] == model
    selected = (folder / f"{model}.sql").read_text(encoding="utf-8")
    for column in contract.columns:
        assert re.search(rf"\brecord\.{column.name}\b", selected), column.name
        assert column.name in {one["name"] for one in described["columns"]}, column.name
