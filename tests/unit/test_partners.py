"""What the simulated partner agencies deliver: by the contracts, the same every time, adding up night by night."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from datetime import date, timedelta
from pathlib import Path

import openpyxl
import polars as pl
import pytest
from saferkc.contracts.registry import load_contracts, takes
from saferkc.settings import Settings
from saferkc.simulation import PARTNER_FEEDS, PARTNER_SCENARIOS, SCENARIOS, deliver_partners, simulate_all
from saferkc.simulation.agencies import council, police, tmo
from saferkc.simulation.agencies.versions import SEEN
from saferkc.simulation.partner_faults import FAULTS
from saferkc.simulation.partners import nights_of
from saferkc.simulation.world import people
from saferkc.simulation.world.places import lsoa_codes

PROJECT = Path(__file__).resolve().parents[2]
CONTRACTS = load_contracts(PROJECT / "expectations" / "contracts")
LAST = date(2017, 4, 4)
FIRST = LAST - timedelta(days=2)
SCALE = 0.4


def settings_of(home: Path) -> Settings:
    return Settings(home=home, project_root=PROJECT, external_warehouse_url=None)


def deliver(folder: Path, first: date = FIRST, last: date = LAST, **asked: object) -> dict[str, Path]:
    """Files by ``source/name`` that are delivered into ``folder/out``."""
    options: dict[str, object] = {"scale": SCALE, "truth": False} | asked
    home = settings_of(folder / "home")
    files = deliver_partners(home, date_from=first, date_to=last, out=folder / "out", **options)  # type: ignore[arg-type]
    return {f"{path.parent.name}/{path.name}": path for path in files}


def digests(files: dict[str, Path]) -> dict[str, str]:
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}


def table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text()), delimiter="|" if path.suffix == ".txt" else ","))


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Three nights without the history."""
    return deliver(tmp_path_factory.mktemp("nights"), history=False)


@pytest.fixture(scope="module")
def last_night(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return deliver(tmp_path_factory.mktemp("last"), LAST, LAST, history=False)


def test_every_feed_delivers_every_night_under_its_contracts_name(nights: dict[str, Path]) -> None:
    taken = {}
    for name in nights:
        feeds = [
            feed for feed, contract in CONTRACTS.items()
            if contract.delivery.source == name.split("/")[0] and takes(contract, name.split("/")[1])
        ]  # fmt: skip
        assert len(feeds) == 1, name
        taken.setdefault(feeds[0], []).append(name)
    # Rahab delivers at the end of a month
    assert set(taken) == set(PARTNER_FEEDS) - {"rahab_clients"}
    assert {len(names) for names in taken.values()} == {3}


def test_every_file_says_that_it_is_simulated(nights: dict[str, Path]) -> None:
    assert all(name.split("/")[1].startswith("simulated_") for name in nights)


@pytest.mark.parametrize("feed", [feed for feed in PARTNER_FEEDS if feed != "council_enforcement_actions"])
def test_the_headings_are_exactly_the_contracts(feed: str, tmp_path: Path) -> None:
    files = deliver(tmp_path, date(2017, 3, 31), date(2017, 3, 31), feeds=[feed], history=False)
    (path,) = files.values()
    if path.suffix == ".xlsx":
        rows = openpyxl.load_workbook(path)[{"angelou": "Referrals", "rahab": "Clients"}[path.parent.name]]
        (headings,) = [row for row in rows.iter_rows(values_only=True) if row[1:2] and row[4]][:1]
        found = [heading for heading in headings if heading]
    else:
        found = list(table(path)[0])
    agreed = []
    for column in CONTRACTS[feed].columns:
        origin = column.origin
        groups = [part.headings for part in origin.token.parts] if origin.token else [origin.headings]
        agreed += [heading[0] for heading in groups if heading]
    assert sorted(found) == sorted(agreed)


def test_a_nights_files_are_the_same_whichever_range_they_are_made_in(nights: dict[str, Path], tmp_path: Path) -> None:
    longer = deliver(tmp_path, FIRST - timedelta(days=2), LAST, history=False)
    wanted = digests(nights)
    assert {name: digest for name, digest in digests(longer).items() if name in wanted} == wanted
    assert len(longer) > len(nights)


def test_the_history_is_the_same_whichever_range_it_begins(tmp_path: Path) -> None:
    feeds = ["police_victims", "angelou_referrals"]
    one, other = (
        deliver(tmp_path / str(days), FIRST - timedelta(days=days), FIRST, feeds=feeds, scale=0.02, nights=1)
        for days in (0, 300)
    )
    assert digests(one) == digests(other)


def test_another_seed_delivers_other_records(nights: dict[str, Path], tmp_path: Path) -> None:
    other = deliver(tmp_path, history=False, seed=5)
    assert set(other) == set(nights)
    same = [name for name, digest in digests(other).items() if digests(nights)[name] == digest]
    # but for what brought nothing
    assert all(nights[name].read_text().count("\n") <= 1 for name in same)


@pytest.mark.parametrize("feed", [*police.FEEDS, tmo.FEED, council.FEED], ids=lambda feed: feed.name)
def test_the_history_with_the_nights_after_it_is_the_later_history(feed) -> None:  # type: ignore[no-untyped-def]
    states = pl.concat([feed.states(2017, year, 0, 0.3) for year in (2015, 2016, 2017)]).sort(SEEN, maintain_order=True)
    first, last = date(2017, 2, 20), date(2017, 5, 20)
    known = {tuple(row[key] for key in feed.key): row for row in feed.standing(states, first).to_dicts()}
    for night in range(1, (last - first).days + 1):
        changed = feed.changed(states, first + timedelta(days=night)).to_dicts()
        known |= {tuple(row[key] for key in feed.key): row for row in changed}
    later = feed.standing(states, last).to_dicts()
    assert known == {tuple(row[key] for key in feed.key): row for row in later}


def test_the_police_withdraw_what_was_no_offence(tmp_path: Path) -> None:
    path = deliver(tmp_path, LAST, LAST, feeds=["police_offences"], scale=0.2)[
        f"police/simulated_offences_{LAST:%Y%m%d}.csv"
    ]
    status = [row["Record Status"] for row in table(path)]
    assert 0.005 < status.count("Deleted") / len(status) < 0.02
    assert set(status) == {"Live", "Deleted"}


def test_the_tenant_management_organisation_sends_open_cases_again_every_night(nights: dict[str, Path]) -> None:
    sent = [table(nights[f"tmo/simulated_tmo_asb_cases_{FIRST + timedelta(days=n):%Y%m%d}.txt"]) for n in range(3)]
    first, second = ({row["CASE_REF"]: row for row in rows} for rows in sent[:2])
    still_open = {case for case, row in first.items() if row["STAGE"] != "Closed"}
    assert still_open <= set(second)
    assert not {case for case, row in first.items() if row["STAGE"] == "Closed"} & set(second)


def test_the_council_sends_json_objects_that_say_utc(nights: dict[str, Path]) -> None:
    lines = nights[f"council/simulated_enforcement_actions_{LAST:%Y%m%d}.jsonl"].read_text().splitlines()
    records = [json.loads(line) for line in lines]
    assert records
    assert all(record["actionAt"].endswith("+00:00") for record in records)
    assert {record["status"] for record in records} <= {"active", "void"}


def test_angelous_workbook_is_as_people_send_it(nights: dict[str, Path]) -> None:
    book = openpyxl.load_workbook(nights[f"angelou/simulated_Angelou referrals {LAST:%Y-%m-%d}.xlsx"])
    sheet = book["Referrals"]
    assert book.sheetnames == ["Referrals", "Lists"]
    assert sorted(str(cells) for cells in sheet.merged_cells.ranges) == ["A1:F1", "A2:F2"]
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[0][0].startswith("Angelou Partnership")
    assert rows[3][0] == "Referral No"
    assert rows[-1][0] == "Total"
    days = [row[1] for row in rows[4 : 4 + rows[-1][1]]]
    typed = [day for day in days if isinstance(day, str)]
    assert 0.1 < len(typed) / len(days) < 0.35
    assert {row[5] for row in rows[4 : 4 + rows[-1][1]]} == {
        "Kensington and Chelsea",
        "Hammersmith and Fulham",
        "Westminster",
    }


def test_rahab_sends_the_month_that_ended_and_with_the_history_the_one_before(tmp_path: Path) -> None:
    files = deliver(tmp_path, date(2017, 3, 30), date(2017, 4, 1), feeds=["rahab_clients"])
    assert sorted(files) == ["rahab/simulated_Rahab clients 2017-02.xlsx", "rahab/simulated_Rahab clients 2017-03.xlsx"]


def test_no_delivery_knows_what_has_not_happened_yet(nights: dict[str, Path]) -> None:
    for row in table(nights[f"police/simulated_offences_{FIRST:%Y%m%d}.csv"]):
        day, month, year = (int(part) for part in row["Recorded Date"].split("/"))
        assert date(year, month, day) <= FIRST


def test_names_are_put_together_and_places_lie_where_none_are() -> None:
    who = people.person_frame(people.meet(*(pl.Series([0] * 500).to_numpy() for _ in range(3)), *_age_and_day(500), 1))
    assert set(who["surname"].str.to_lowercase().str.contains(r"^(o'|de )?[a-z-]+$")) == {True}
    assert set(lsoa_codes(pl.Series([0, 2849]).to_numpy()).str.slice(0, 4)) == {"E019"}


def _age_and_day(size: int):  # type: ignore[no-untyped-def]
    return pl.Series([30] * size).to_numpy(), pl.Series([date(2017, 1, 1)] * size).to_numpy()


def test_the_truth_lies_beside_the_deliveries_and_names_their_people(tmp_path: Path) -> None:
    files = deliver(tmp_path, LAST, LAST, feeds=["police_victims"], history=False, truth=True, scale=0.3)
    truth = tmp_path / "out" / "truth"
    assert all(path.name.startswith("simulated") for path in truth.iterdir())
    known = pl.read_parquet(truth / "simulated_people_201*.parquet")
    born = set(known["born_on"].dt.strftime("%d/%m/%Y")) | set(known["born_on"].cast(pl.String))
    rows = table(files[f"police/simulated_victims_{LAST:%Y%m%d}.csv"])
    assert rows
    assert {row["Victim Date of Birth"] for row in rows} <= born


def test_what_lies_in_the_inbox_is_deliveries_only(tmp_path: Path) -> None:
    home = settings_of(tmp_path)
    deliver_partners(home, date_from=LAST, date_to=LAST, scale=0.02, history=False, scenarios=["partner_late"])
    kept = {path.relative_to(home.inbox).parts[0] for path in home.inbox.rglob("*") if path.is_file()}
    assert kept == {"police", "angelou", "tmo", "council"}
    assert (home.home / "truth" / "simulated.json").exists()
    assert list((home.home / "held_back").rglob("simulated_offences_*"))


def test_only_new_deliveries_come_a_second_time(tmp_path: Path) -> None:
    home = settings_of(tmp_path)
    options = {"date_from": FIRST, "scale": 0.02, "only_new": True, "truth": False, "feeds": ["police_asb_incidents"]}
    first = deliver_partners(home, date_to=LAST, **options)  # type: ignore[arg-type]
    assert len(first) == 3
    assert deliver_partners(home, date_to=LAST, **options) == []  # type: ignore[arg-type]
    (new,) = deliver_partners(home, date_to=LAST + timedelta(days=1), **options)  # type: ignore[arg-type]
    assert new.name == "simulated_asb_incidents_20170405.csv"


def test_twice_the_scale_brings_another_borough(tmp_path: Path) -> None:
    (path,) = deliver(tmp_path, LAST, LAST, feeds=["police_offences"], scale=1.5, history=False).values()
    boroughs = [row["Borough"] for row in table(path)]
    assert set(boroughs) == {"Kensington and Chelsea", "Barking and Dagenham"}
    assert boroughs.count("Kensington and Chelsea") > boroughs.count("Barking and Dagenham")


def test_a_long_range_ends_with_its_last_nights() -> None:
    assert nights_of(date(2016, 1, 1), LAST, 2) == (LAST - timedelta(days=1), LAST)
    assert nights_of(LAST, LAST) == (LAST,)
    assert len(nights_of(date(2016, 1, 1), LAST)) == 7


@pytest.mark.parametrize("scenario", sorted(PARTNER_SCENARIOS))
def test_a_fault_is_in_one_feed_of_the_last_night_and_nowhere_else(
    scenario: str, last_night: dict[str, Path], tmp_path: Path
) -> None:
    files = deliver(tmp_path, LAST, LAST, history=False, scenarios=[scenario])
    clean, spoilt = digests(last_night), digests(files)
    changed = {name for name in clean | spoilt if clean.get(name) != spoilt.get(name)}
    assert changed
    (done,) = json.loads((tmp_path / "out" / "truth" / "simulated_faults.json").read_text())
    assert {name.split("/")[0] for name in changed} == {CONTRACTS[done["feed"]].delivery.source}
    assert all("simulated" in name for name in files)


def test_every_scenario_has_one_meaning() -> None:
    assert not set(SCENARIOS) & set(PARTNER_SCENARIOS)
    assert all("; must: " in text for text in PARTNER_SCENARIOS.values())


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"scenarios": ["partner_nonsense"]}, "unknown scenario partner_nonsense; known are"),
        ({"date_from": date(2001, 1, 1)}, "begins on 2006-04-01"),
        ({"date_from": LAST, "date_to": FIRST}, "before it begins"),
        ({"feeds": ["police_dogs"]}, "no simulation of police_dogs"),
        ({"scale": 0}, "scale must be more than 0"),
    ],
)
def test_what_cannot_be_made_is_refused(asked: dict[str, object], message: str, tmp_path: Path) -> None:
    options = {"date_from": FIRST, "date_to": LAST} | asked
    with pytest.raises(ValueError, match=message):
        deliver_partners(settings_of(tmp_path), **options)  # type: ignore[arg-type]


def test_all_agencies_deliver_together_and_each_side_has_its_own_faults(tmp_path: Path) -> None:
    files = simulate_all(
        settings_of(tmp_path / "home"),
        date_from=LAST,
        date_to=LAST,
        scale=0.02,
        out=tmp_path / "out",
        history=False,
        scenarios=["new_code", "partner_new_code"],
    )
    sources = {path.parent.name for path in files}
    assert {"police", "police_open", "mps", "reference", "angelou", "tmo", "council"} <= sources
    with pytest.raises(ValueError, match="unknown scenario nonsense"):
        simulate_all(settings_of(tmp_path), date_from=LAST, date_to=LAST, scenarios=["nonsense"])


def test_the_page_about_the_simulation_names_every_scenario() -> None:
    page = (PROJECT / "docs" / "simulation.md").read_text()
    for name, fault in FAULTS.items():
        assert f"| `{name}` | {fault.feed} | {fault.does} | {fault.must} |" in page
