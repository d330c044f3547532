"""Simulated deliveries: the same from the same seed, in the publishers' layouts, with the traps of the real ones."""

from __future__ import annotations

import csv
import hashlib
import io
import re
import zipfile
from collections import Counter
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from saferkc.contracts.registry import load_contracts, takes
from saferkc.settings import Settings
from saferkc.simulation import FEEDS, SCENARIOS, simulate
from saferkc.simulation.chance import months_between, months_later
from saferkc.simulation.mps import recorded_crime_files
from saferkc.simulation.places import CITY, HOME_BOROUGH, london
from saferkc.simulation.police import outcomes, stop_search, street
from saferkc.simulation.reference import reference_files

PROJECT = Path(__file__).resolve().parents[2]
CONTRACTS = PROJECT / "expectations" / "contracts"
FIRST, LAST = date(2017, 3, 1), date(2017, 4, 30)
POLICE_MONTH = {"police_open_outcomes", "police_open_stop_search", "police_open_street"}


def settings_of(home: Path) -> Settings:
    return Settings(home=home, project_root=PROJECT, external_warehouse_url=None)


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def whole(frames: object) -> pl.DataFrame:
    return pl.concat(list(frames))  # type: ignore[call-overload,no-any-return]


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("delivered")
    simulate(settings_of(folder / "home"), date_from=FIRST, date_to=LAST, out=folder / "out")
    return folder / "out"


def street_of(tmp_path: Path, *scenarios: str) -> dict[str, bytes]:
    """Street members of the last of two months, delivered with faults."""
    files = simulate(
        settings_of(tmp_path), date_from=FIRST, date_to=LAST, scenarios=scenarios, feeds=["police_open_street"]
    )
    return members(files[-1])


LAST_STREET = "2017-04/simulated_2017-04-metropolitan-street.csv"


def test_the_same_arguments_give_the_same_bytes(delivered: Path, tmp_path: Path) -> None:
    simulate(settings_of(tmp_path / "home"), date_from=FIRST, date_to=LAST, out=tmp_path / "out")
    assert digests(tmp_path / "out") == digests(delivered)


def test_another_seed_gives_other_figures_under_the_same_names(delivered: Path, tmp_path: Path) -> None:
    simulate(settings_of(tmp_path / "home"), date_from=FIRST, date_to=LAST, out=tmp_path / "out", seed=5)
    ours, theirs = digests(tmp_path / "out"), digests(delivered)
    assert set(ours) == set(theirs)
    same = {name for name in ours if ours[name] == theirs[name]}
    assert same == {name for name in same if "lsoa11_to_ward" in name or "lsoa01" in name}, "places keep their names"


def test_a_month_is_the_same_whichever_range_it_was_made_in(delivered: Path, tmp_path: Path) -> None:
    simulate(
        settings_of(tmp_path / "home"), date_from=date(2017, 4, 1), date_to=date(2017, 6, 30), out=tmp_path / "out"
    )
    name = "police_open/simulated_2017-04.zip"
    assert digests(tmp_path / "out")[name] == digests(delivered)[name]


def test_every_file_says_that_it_is_simulated_and_is_taken_by_its_feed(delivered: Path) -> None:
    contracts = load_contracts(CONTRACTS)
    taken = Counter[str]()
    for path in (p for p in delivered.rglob("*") if p.is_file()):
        documents = [Path(name).name for name in members(path)] if path.suffix == ".zip" else [path.name]
        for name in [path.name, *documents]:
            assert "simulated" in name
        for name in documents:
            feeds = [c.feed for c in contracts.values() if c.delivery.source == path.parent.name and takes(c, name)]
            assert len(feeds) == 1, (name, feeds)
            taken.update(feeds)
    assert set(taken) == set(FEEDS)


def test_every_file_has_the_columns_of_its_contract(delivered: Path) -> None:
    contracts = load_contracts(CONTRACTS)
    for path in (p for p in delivered.rglob("*") if p.is_file()):
        documents = members(path) if path.suffix == ".zip" else {path.name: path.read_bytes()}
        for name, content in documents.items():
            contract = next(c for c in contracts.values() if takes(c, Path(name).name))
            line = content.splitlines()[0].decode()
            delimiter = max(contract.delivery.delimiters, key=line.count)
            headings = [heading.strip() for heading in next(csv.reader([line], delimiter=delimiter))]
            wide = contract.delivery.wide
            unknown = {h for h in headings if not (wide and re.fullmatch(wide.period_heading, h))}
            for column in contract.columns:
                accepted = column.origin.headings or []
                found = {
                    h
                    for h in headings
                    for a in accepted
                    if (re.fullmatch(a[1:-1], h) if a.startswith("/") else a.lower() == h.lower())
                }
                assert found or not accepted or column.origin.optional, (name, column.name)
                unknown -= found
            ignored = contract.delivery.ignored_headings
            unknown = {h for h in unknown if not any(re.fullmatch(i.strip("/"), h, re.IGNORECASE) for i in ignored)}
            assert not unknown, (name, unknown)


def test_the_default_range_is_about_a_hundred_thousand_records_and_takes_seconds(tmp_path: Path) -> None:
    started = datetime.now()
    files = simulate(
        settings_of(tmp_path / "home"), date_from=date(2016, 1, 1), date_to=date(2017, 12, 31), out=tmp_path / "out"
    )
    assert (datetime.now() - started).total_seconds() < 20
    rows = 0
    for path in files:
        documents = members(path).values() if path.suffix == ".zip" else [path.read_bytes()]
        for content in documents:
            lines = content.splitlines()
            months = len(re.findall(rb"\b20\d{4}\b", lines[0])) if path.parent.name == "mps" else 1
            rows += (len(lines) - 1) * months
    assert 80_000 < rows < 250_000


# --- street-level crime ---------------------------------------------------------------------------------------


def test_street_records_have_the_traps_of_the_real_ones() -> None:
    records = whole(street(2017, date(2017, 4, 1), 40_000))
    assert records.height == 40_000
    is_asb = pl.col("Crime type") == "Anti-social behaviour"
    assert records.filter(is_asb)["Crime ID"].null_count() == records.filter(is_asb).height > 5000
    crimes = records.filter(~is_asb)
    assert crimes["Crime ID"].null_count() == 0
    assert crimes["Crime ID"].str.contains(r"^[0-9a-f]{64}$").all()
    distinct = crimes.unique()
    assert 0.003 < 1 - distinct.height / crimes.height < 0.02, "exact duplicates that carry an ID"
    assert distinct.height > distinct["Crime ID"].n_unique(), "the same ID with several outcomes or types"
    nowhere = records.filter(pl.col("Location") == "No Location")
    assert nowhere.height > 50
    assert (
        nowhere.select("Longitude", "Latitude", "LSOA code", "LSOA name").null_count().row(0) == (nowhere.height,) * 4
    )
    assert records["LSOA name"].str.starts_with("Epping Forest").any(), "points outside London"
    assert records.filter(is_asb).unique().height < records.filter(is_asb).height, "identical rows without an ID"
    assert records["Crime type"].n_unique() == 14


@hypothesis_settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**31), months=st.integers(0, 200), rows=st.integers(100, 3000))
def test_any_street_month_has_its_rows_its_month_and_every_borough(seed: int, months: int, rows: int) -> None:
    month = months_later(date(2010, 12, 1), months)
    records = whole(street(seed, month, rows))
    assert records.height == rows
    assert set(records["Month"]) == {f"{month:%Y-%m}"}
    names = {name.rsplit(" ", 1)[0] for name in records["LSOA name"].drop_nulls()}
    assert {b.name for b in london().boroughs if b.name != CITY} <= names


def test_a_large_month_comes_in_chunks() -> None:
    heights = [frame.height for frame in street(1, date(2016, 1, 1), 250_000)]
    assert heights == [100_000, 100_000, 50_000]


def test_outcomes_belong_to_crimes_of_the_month_or_older_ones() -> None:
    month = date(2017, 4, 1)
    found = whole(outcomes(2017, month, 20_000))
    crimes = set(whole(street(2017, month, 20_000))["Crime ID"].drop_nulls())
    known = sum(identifier in crimes for identifier in found["Crime ID"])
    assert 0.5 < known / found.height < 0.95
    assert found.unique().height < found.height, "the same outcome said twice"
    assert found.unique().height > found["Crime ID"].n_unique(), "several outcomes of a crime"
    assert not (found["Location"] == "No Location").any()
    assert (found["Location"] == "No location").any()


# --- stop and search ------------------------------------------------------------------------------------------


@hypothesis_settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(months=st.integers(0, 120), rows=st.integers(20, 2000))
def test_searches_lie_in_the_local_month_though_printed_in_utc(months: int, rows: int) -> None:
    month = months_later(date(2014, 12, 1), months)
    times = [datetime.fromisoformat(text) for text in whole(stop_search(7, month, rows))["Date"]]
    assert len(times) == rows
    local = {
        (t.astimezone(ZoneInfo("Europe/London")).year, t.astimezone(ZoneInfo("Europe/London")).month) for t in times
    }
    assert local == {(month.year, month.month)}


def test_a_month_of_summer_time_begins_on_the_day_before() -> None:
    assert min(whole(stop_search(2017, date(2017, 4, 1), 400))["Date"]) == "2017-03-31T23:00:00+00:00"
    assert min(whole(stop_search(2017, date(2017, 3, 1), 400))["Date"]) == "2017-03-01T00:00:00+00:00"


def test_some_searches_are_identical_and_some_have_no_place() -> None:
    records = whole(stop_search(2017, date(2017, 4, 1), 10_000))
    assert records.unique().height < 0.99 * records.height
    assert 0.05 < records["Latitude"].null_count() / records.height < 0.12
    vehicles = records.filter(pl.col("Type") == "Vehicle search")
    assert vehicles["Gender"].null_count() == vehicles.height > 0


# --- Metropolitan Police ---------------------------------------------------------------------------------------


def burglary(folder: Path, borough: str | None = None) -> dict[str, tuple[int, int]]:
    """Month to (dwelling or residential, other or business) from all borough files in a folder."""
    figures: dict[str, list[int]] = {}
    for path in folder.glob("simulated_borough_level_crime_*.csv"):
        for row in csv.DictReader(path.open(encoding="utf-8", newline="")):
            minor = row["Minor Category"]
            if row["Major Category"] != "Burglary" or (borough and row["Borough"] != borough):
                continue
            place = 0 if minor in ("Burglary in a Dwelling", "Burglary - Residential") else 1
            for heading, value in row.items():
                if heading.isdigit():
                    figures.setdefault(heading, [0, 0])[place] += int(value)
    return {month: (a, b) for month, (a, b) in figures.items()}


@pytest.fixture(scope="module")
def two_years(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("two_years")
    simulate(
        settings_of(folder / "home"),
        date_from=date(2016, 1, 1),
        date_to=date(2017, 12, 31),
        out=folder / "out",
        feeds=["mps_recorded_crime", "mps_other_crime"],
    )
    return folder / "out" / "mps"


def test_burglary_labels_change_with_the_file_and_shares_with_the_rule(two_years: Path) -> None:
    figures = burglary(two_years)
    share = {month: a / (a + b) for month, (a, b) in figures.items()}
    total = {month: a + b for month, (a, b) in figures.items()}
    assert abs(share["201703"] - share["201612"]) < 0.03, "no step at the boundary of the files"
    assert share["201704"] - share["201703"] > 0.08, "the step of the rule"
    year = [
        sum(v for m, v in total.items() if start <= m <= end)
        for start, end in (("201604", "201612"), ("201704", "201712"))
    ]
    assert abs(year[1] / year[0] - 1) < 0.03, "all burglary stays level"
    old = (two_years / "simulated_borough_level_crime_201601_201612.csv").read_text(encoding="utf-8")
    new = (two_years / "simulated_borough_level_crime_201701_201712.csv").read_text(encoding="utf-8")
    assert "Burglary in a Dwelling" in old and "Burglary - Residential" not in old
    assert "Burglary - Residential" in new and "Burglary in a Dwelling" not in new


def test_carnival_shows_in_august_in_this_borough_only(two_years: Path) -> None:
    path = two_years / "simulated_borough_level_crime_201601_201612.csv"
    theft: dict[str, dict[str, int]] = {}
    for row in csv.DictReader(path.open(encoding="utf-8", newline="")):
        if row["Minor Category"] == "Other Theft Person":
            theft[row["Borough"]] = {month: int(row[month]) for month in ("201607", "201608")}
    home = theft.pop(HOME_BOROUGH)
    assert home["201608"] > 1.7 * home["201607"]
    others = [sum(cells[month] for cells in theft.values()) for month in ("201607", "201608")]
    assert 0.9 < others[1] / others[0] < 1.1


def test_wards_add_up_to_less_than_their_borough_and_zero_rows_are_absent(two_years: Path) -> None:
    (path,) = two_years.glob("simulated_ward_level_crime_*.csv")
    rows = list(csv.DictReader(path.open(encoding="utf-8", newline="")))
    months = [heading for heading in rows[0] if heading.isdigit()]
    assert all(any(int(row[month]) for month in months) for row in rows)
    assert months[0] == "201703"
    wards = sum(int(r["201706"]) for r in rows if r["LookUp_BoroughName"] == HOME_BOROUGH)
    borough = 0
    for row in csv.DictReader((two_years / "simulated_borough_level_crime_201701_201712.csv").open(encoding="utf-8")):
        if row["Borough"] == HOME_BOROUGH:
            borough += int(row["201706"])
    assert 0.95 < wards / borough < 1
    assert len({r["WardCode"] for r in rows if r["LookUp_BoroughName"] == HOME_BOROUGH}) == 18


def test_labels_have_the_double_spaces_and_cuts_of_the_real_ones(two_years: Path) -> None:
    (path,) = two_years.glob("simulated_ward_level_crime_*.csv")
    minors = {row["MinorText"] for row in csv.DictReader(path.open(encoding="utf-8", newline=""))}
    assert "Possession of  Drugs" in minors
    assert "Racially or Religiously Aggravated Public Fear, Al" in minors
    assert max(map(len, minors)) == 50


def test_line_ends_differ_from_file_to_file_as_in_the_real_ones(two_years: Path) -> None:
    ends = {p.name[10:14]: b"\r\n" in p.read_bytes() for p in two_years.iterdir()}
    assert ends == {"boro": True, "ward": False, "othe": True}


def test_the_newest_month_is_completed_by_the_next_file(tmp_path: Path) -> None:
    totals = []
    for last in (date(2017, 5, 1), date(2017, 6, 1)):
        simulate(
            settings_of(tmp_path / "home"),
            date_from=date(2017, 3, 1),
            date_to=last,
            out=tmp_path / f"{last:%m}",
            feeds=["mps_recorded_crime"],
        )
        (path,) = (tmp_path / f"{last:%m}" / "mps").glob("simulated_borough*")
        totals.append(sum(int(row["201705"]) for row in csv.DictReader(path.open(encoding="utf-8", newline=""))))
    assert 0.97 < totals[0] / totals[1] < 0.99


@given(first=st.integers(0, 180), length=st.integers(1, 180))
def test_files_of_any_range_cover_each_month_once_and_never_mix_labels(first: int, length: int) -> None:
    start = months_later(date(2008, 1, 1), first)
    end = months_later(start, length - 1)
    files = recorded_crime_files(start, end)
    borough = [month for file in files if file.kind == "borough" for month in file.months]
    assert borough == months_between(start, end)
    for file in files:
        if file.kind == "borough":
            assert len({(m >= date(2017, 1, 1)) + (m >= date(2019, 3, 1)) for m in file.months}) == 1


# --- look-ups --------------------------------------------------------------------------------------------------


def test_lookups_and_street_records_speak_of_the_same_lsoas(delivered: Path) -> None:
    rows = list(
        csv.DictReader(
            (delivered / "reference" / "simulated_lsoa11_to_ward2017.csv").open(encoding="utf-8", newline="")
        )
    )
    names = {row["LSOA11CD"]: row["LSOA11NM"] for row in rows}
    assert len(names) == len(rows) == 4835
    street_rows = csv.DictReader(
        io.StringIO(members(delivered / "police_open" / "simulated_2017-04.zip")[LAST_STREET].decode())
    )
    inside = [r for r in street_rows if r["LSOA code"] and not r["LSOA code"].startswith("E0199")]
    assert inside
    assert all(names[row["LSOA code"]] == row["LSOA name"] for row in inside)
    home = {row["WD17CD"]: row["WD17NM"] for row in rows if row["LAD17NM"] == HOME_BOROUGH}
    assert len(home) == 18
    assert home["E05009404"] == "St. Helen's", "the look-ups spell wards in their own way"


def test_ranks_of_2015_have_dots_between_the_thousands(delivered: Path) -> None:
    rows = list(
        csv.reader(
            (delivered / "reference" / "simulated_imd2015.csv").open(encoding="utf-8", newline=""), delimiter=";"
        )
    )
    ranks = [int(row[4].replace(".", "")) for row in rows[1:]]
    assert ranks == [int(row[6]) for row in rows[1:]]
    assert len(set(ranks)) == 4835
    assert min(ranks) >= 1 and max(ranks) <= 32_844


@pytest.mark.parametrize("seed", [1, 2, 2017])
def test_the_borough_has_the_plans_number_of_most_deprived_lsoas_whatever_the_seed(tmp_path: Path, seed: int) -> None:
    file = next(f for f in reference_files(seed, FIRST, LAST) if f.name == "simulated_imd2015.csv")
    file.write(tmp_path / file.name)
    with (tmp_path / file.name).open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream, delimiter=";"))[1:]
    home = [int(row[6]) for row in rows if row[3] == HOME_BOROUGH]
    assert len(home) == 103
    assert sum(rank <= 3_284 for rank in home) == 11
    assert len({row[6] for row in rows}) == len(rows), "no rank is given twice"


# --- only what is new -------------------------------------------------------------------------------------------


def test_a_home_is_given_only_what_it_was_not_given_before(tmp_path: Path) -> None:
    home = settings_of(tmp_path)
    first = simulate(home, date_from=FIRST, date_to=LAST, only_new=True)
    assert first
    assert simulate(home, date_from=FIRST, date_to=LAST, only_new=True) == []
    names = {path.name for path in simulate(home, date_from=FIRST, date_to=date(2017, 5, 1), only_new=True)}
    assert names == {
        "simulated_2017-05.zip",
        "simulated_borough_level_crime_201703_201705.csv",
        "simulated_ward_level_crime_201703_201705.csv",
        "simulated_other_crime_borough_level_201703_201705.csv",
    }


def test_what_went_elsewhere_counts_as_not_given(tmp_path: Path) -> None:
    home = settings_of(tmp_path / "home")
    simulate(home, date_from=FIRST, date_to=LAST, out=tmp_path / "out")
    assert simulate(home, date_from=FIRST, date_to=LAST, only_new=True)


def test_progress_counts_the_files(tmp_path: Path) -> None:
    seen: list[tuple[int, int, str]] = []
    files = simulate(settings_of(tmp_path), date_from=FIRST, date_to=LAST, progress=lambda *args: seen.append(args))
    assert [(done, total) for done, total, _ in seen] == [(n + 1, len(files)) for n in range(len(files))]
    assert not list(tmp_path.rglob("*.part"))


# --- faults ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return street_of(tmp_path_factory.mktemp("sound"))[LAST_STREET]


@pytest.mark.parametrize("scenario", sorted(SCENARIOS))
def test_a_scenario_spoils_the_last_month_only(scenario: str, tmp_path: Path, sound: bytes) -> None:
    files = simulate(
        settings_of(tmp_path / "spoilt"),
        date_from=FIRST,
        date_to=LAST,
        scenarios=[scenario],
        feeds=["police_open_street"],
    )
    clean = simulate(settings_of(tmp_path / "clean"), date_from=FIRST, date_to=LAST, feeds=["police_open_street"])
    assert files[0].read_bytes() == clean[0].read_bytes()
    assert files[1].read_bytes() != clean[1].read_bytes()
    if scenario != "restated_month":
        assert members(files[1])[LAST_STREET] != sound


def test_a_truncated_file_ends_in_the_middle_of_a_line(tmp_path: Path, sound: bytes) -> None:
    content = street_of(tmp_path, "truncated_file")[LAST_STREET]
    assert sound.startswith(content)
    assert not content.endswith(b"\n")


def test_a_wrong_label_holds_the_month_before(tmp_path: Path) -> None:
    content = street_of(tmp_path, "wrong_label")[LAST_STREET]
    assert content.count(b",2017-03,") == len(content.splitlines()) - 1


def test_columns_come_and_go(tmp_path: Path, sound: bytes) -> None:
    fewer = street_of(tmp_path / "a", "missing_column")[LAST_STREET].splitlines()
    more = street_of(tmp_path / "b", "new_column")[LAST_STREET].splitlines()
    assert b"LSOA code" not in fewer[0]
    assert more[0].endswith(b",Crime subtype")
    for lines, width in ((fewer, 11), (more, 13)):
        assert {line.count(b",") + 1 for line in lines} == {width}
        assert len(lines) == len(sound.splitlines())


def test_bad_rows_are_one_in_a_hundred(tmp_path: Path, sound: bytes) -> None:
    spoilt = street_of(tmp_path, "bad_rows")[LAST_STREET].splitlines()
    changed = sum(a != b for a, b in zip(spoilt, sound.splitlines(), strict=True))
    assert changed == 12


def test_a_wrong_encoding_is_no_utf_8(tmp_path: Path) -> None:
    with pytest.raises(UnicodeDecodeError):
        street_of(tmp_path, "wrong_encoding")[LAST_STREET].decode()


def test_an_incomplete_month_has_half_its_rows_and_whole_lines(tmp_path: Path, sound: bytes) -> None:
    content = street_of(tmp_path, "incomplete_month")[LAST_STREET]
    assert content.endswith(b"\n")
    assert (len(content.splitlines()) - 1) / (len(sound.splitlines()) - 1) == pytest.approx(0.55, abs=0.01)


def test_a_restated_month_comes_in_a_later_archive_with_changes(tmp_path: Path, sound: bytes) -> None:
    found = street_of(tmp_path, "restated_month")
    assert found[LAST_STREET] == sound
    again = found["2017-01/simulated_2017-01-metropolitan-street.csv"]
    before = b"".join(frame.write_csv().encode() for frame in street(2017, date(2017, 1, 1), 1200))
    kept = set(again.splitlines()) & set(before.splitlines())
    assert 0.9 < len(kept) / len(set(before.splitlines())) < 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"date_to": date(2017, 2, 1)}, "ends .2017-02. before it begins"),
        ({"scenarios": ["flood"]}, "unknown scenario flood"),
        ({"feeds": ["mps_borough_crime_rates"]}, "no simulation of mps_borough_crime_rates"),
        ({"scale": 0}, "scale must be more than 0"),
    ],
)
def test_what_can_not_be_made_is_said(tmp_path: Path, arguments: dict[str, object], message: str) -> None:
    asked = {"date_from": FIRST, "date_to": LAST} | arguments
    with pytest.raises(ValueError, match=message):
        simulate(settings_of(tmp_path), **asked)  # type: ignore[arg-type]
    assert not (tmp_path / "inbox").exists()
