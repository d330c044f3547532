"""The real files: every row of them accounted for against an independent reading, in whatever order they come."""

from __future__ import annotations

import csv
import io
import json
import shutil
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from loading_helpers import (
    API,
    OUTCOMES,
    RECORDED,
    SEARCHES,
    STREET,
    Delivery,
    assert_accounts,
    deliver,
    deliveries,
    drop,
    load,
    one,
    query,
    shuffled,
)
from saferkc.contracts import load_contracts
from saferkc.landing import receive
from saferkc.loading import load_arrivals
from saferkc.settings import Settings

RATES = "mps_borough_crime_rates"
OTHER = "mps_other_crime"
SOURCES = {
    "police_uk/*.zip": "police_open",
    "police_uk/api/*.json": "police_open",
    "mps/*.csv": "mps",
    "geography/*.*": "reference",
}


def real_files(real_data: Path) -> list[tuple[Path, str]]:
    """Every real file that a feed takes, and its source."""
    return [(path, source) for pattern, source in SOURCES.items() for path in sorted(real_data.glob(pattern))]


def put(settings: Settings, files: Iterable[tuple[Path, str]]) -> None:
    for path, source in files:
        folder = settings.inbox / source
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, folder / path.name)


def load_everything(settings: Settings) -> None:
    for feed in load_contracts(settings.contracts_dir):
        load_arrivals(settings, feed, receive(settings, feed))


@pytest.fixture(scope="session")
def clean(
    new_warehouse: Any, template_database: str, real_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """A warehouse into which every real file was delivered once. Tests only read it."""
    with new_warehouse(tmp_path_factory.mktemp("real"), template_database) as settings:
        put(settings, real_files(real_data))
        load_everything(settings)
        yield settings


@pytest.fixture
def copy(new_warehouse: Any, clean: Settings, tmp_path: Path) -> Iterator[Settings]:
    """A copy of that warehouse, with its landing, to deliver more into."""
    with new_warehouse(tmp_path, clean.warehouse_url.rsplit("/", 1)[1]) as settings:
        shutil.copytree(clean.landing, settings.landing)
        yield settings


def by_feed(found: list[Delivery]) -> dict[str, list[Delivery]]:
    feeds: dict[str, list[Delivery]] = {}
    for delivery in found:
        feeds.setdefault(delivery.feed, []).append(delivery)
    return feeds


def test_every_real_file_is_admitted_but_the_one_with_published_errors(clean: Settings) -> None:
    assert_accounts(clean)
    found = by_feed(deliveries(clean))
    assert {feed: Counter(d.state for d in of_feed) for feed, of_feed in found.items()} == {
        STREET: {"admitted": 24},
        OUTCOMES: {"admitted": 24},
        SEARCHES: {"admitted": 6},
        API: {"admitted": 18},
        RECORDED: {"admitted": 3},
        OTHER: {"admitted": 1},
        RATES: {"refused": 1},
        "reference_boundaries": {"admitted": 3},
        "reference_deprivation": {"admitted": 2},
        "reference_lsoa_2001_2011": {"admitted": 1},
        "reference_lsoa_population": {"admitted": 1},
        "reference_lsoa_ward": {"admitted": 5},
    }
    assert query(clean, "select feed, line_number, column_name, rule from quality.quarantine") == []
    assert [d.flags for d in deliveries(clean) if d.flags] == [], "no column and no code that the contracts lack"
    assert not any(d.is_simulated for d in deliveries(clean))


def test_the_rates_are_refused_for_reasons_that_a_person_understands(clean: Settings) -> None:
    (rates,) = by_feed(deliveries(clean))[RATES]
    assert rates.reason is not None and rates.rows_refused == 6660
    assert "2016-17 holds 10 months and is called a year" in rates.reason
    assert "the Robbery figures of 2016-17 stand one borough too low from Hillingdon on" in rates.reason
    assert "the Sexual Offences figures of 2016-17 stand one borough too low from Hillingdon on" in rates.reason
    assert one(clean, f"select count(*) from raw.{RATES}") == 0
    assert query(clean, "select title from quality.alert where dedup_key like %s", f"refused:{RATES}:%") != []


# --- an independent reading -------------------------------------------------------------------------------


def read_csv(content: bytes, delimiter: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=delimiter))


def members(real_data: Path, kind: str) -> dict[str, list[dict[str, str]]]:
    """Rows of every archive's CSV of one kind, by the archive's month."""
    found = {}
    for path in sorted(real_data.glob("police_uk/*.zip")):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name.endswith(f"-{kind}.csv"):
                    found[path.stem] = read_csv(archive.read(name))
    return found


def settled(row: dict[str, str]) -> tuple[str, ...]:
    """The row's values, coordinates to six places."""
    return tuple(
        f"{float(value):.6f}" if name in ("Longitude", "Latitude") and value else value.strip()
        for name, value in row.items()
    )


@pytest.mark.parametrize(("feed", "kind"), [(STREET, "street"), (OUTCOMES, "outcomes"), (SEARCHES, "stop-and-search")])
def test_police_files_month_by_month(clean: Settings, real_data: Path, feed: str, kind: str) -> None:
    months = members(real_data, kind)
    assert months
    expected = {}
    for month, rows in months.items():
        copies = Counter(map(settled, rows))
        # exact copies with an ID are one record; without one, and of searches, each is a record
        records = sum(1 if row[0] and feed != SEARCHES else n for row, n in copies.items())
        expected[month] = (len(rows), records, len(rows) - records, 0)
    found = {
        f"{d.covers_from:%Y-%m}": (d.rows_in, d.rows_admitted, d.rows_unchanged, d.rows_quarantined)
        for d in deliveries(clean)
        if d.feed == feed
    }
    assert found == expected
    standing = dict(
        query(
            clean,
            f"select to_char(period, 'YYYY-MM'), count(*) from raw.{feed}"
            " where withdrawn_delivery_id is null group by 1",
        )
    )
    assert standing == {month: records for month, (_, records, _, _) in expected.items()}


def test_every_cell_of_recorded_crime(clean: Settings, real_data: Path) -> None:
    expected: dict[tuple[Any, ...], int] = {}
    files = [
        ("borough", "borough_level_crime_200801_201612.csv"),
        ("borough", "borough_level_crime_201701_201812.csv"),
        ("ward", "ward_level_crime_201703_201902.csv"),
    ]
    for level, name in files:
        for row in read_csv((real_data / "mps" / name).read_bytes()):
            borough = row.get("Borough") or row["LookUp_BoroughName"]
            place = (level, borough.strip(), row.get("WardCode"))
            major, minor = row.get("Major Category") or row["MajorText"], row.get("Minor Category") or row["MinorText"]
            for heading, count in row.items():
                if heading.isdigit():
                    expected[(*place, major.strip(), minor.strip(), heading)] = int(count)
    found = {
        key[:-1]: key[-1]
        for key in query(
            clean,
            "select geography_level, borough_name, ward_code, major_category, minor_category,"
            f" to_char(month, 'YYYYMM'), offence_count from raw.{RECORDED} where withdrawn_delivery_id is null",
        )
    }
    assert len(found) == sum(d.rows_admitted for d in deliveries(clean) if d.feed == RECORDED) == 677_760
    assert found == expected


def test_other_files_row_by_row(clean: Settings, real_data: Path) -> None:
    def lines(name: str, delimiter: str = ",") -> list[dict[str, str]]:
        return read_csv((real_data / name).read_bytes(), delimiter)

    flags = lines("mps/other_crime_borough_level_201004_202105.csv")
    months = [heading for heading in flags[0] if heading.isdigit()]
    assert one(clean, f"select count(*) from raw.{OTHER}") == len(flags) * len(months)
    assert one(clean, f"select sum(offence_count) from raw.{OTHER}") == sum(int(f[m]) for f in flags for m in months)

    ranks = {
        2015: {row["LSOA code (2011)"]: int(row["var "]) for row in lines("geography/imd2015.csv", ";")},
        2019: {
            row["lsoa11cd"] if "lsoa11cd" in row else row["LSOA11CD"]: int(row["IMD19"])
            for row in lines("geography/imd2019.csv")
        },
    }
    for year, expected in ranks.items():
        found = query(clean, "select lsoa_code, imd_rank from raw.reference_deprivation where index_year = %s", year)
        assert dict(found) == expected, "ranks with a dot between the thousands are the ranks without it"
    for year in range(2015, 2020):
        wards = lines(f"geography/lsoa11_to_ward{year}.csv")
        code = f"WD{year % 100}CD"
        found = query(clean, "select lsoa_code, ward_code from raw.reference_lsoa_ward where lookup_year = %s", year)
        assert dict(found) == {row["LSOA11CD"]: row[code] for row in wards}
    pairs = lines("geography/lsoa01_to_lsoa11.csv")
    assert set(query(clean, "select lsoa_2001_code, lsoa_2011_code from raw.reference_lsoa_2001_2011")) == {
        (row["LSOA01CD"], row["LSOA11CD"]) for row in pairs
    }
    for name, year, code in (("lsoa", 2011, "LSOA11"), ("lsoa", 2021, "LSOA21"), ("wards", 2014, "WD25")):
        features = json.loads((real_data / f"geography/rbkc_{name}_{year}.geojson").read_text())["features"]
        outlines = query(
            clean,
            "select area_code, area_name, coordinates::jsonb from raw.reference_boundaries"
            " where area_type = %s and boundary_year = %s", name, year,
        )  # fmt: skip
        assert {row[0]: row[1:] for row in outlines} == {
            one["properties"][f"{code}CD"]: (one["properties"][f"{code}NM"], one["geometry"]["coordinates"])
            for one in features
        }
    people = lines("geography/lsoa_population_mid2019.csv")
    assert one(clean, "select sum(persons_count) from raw.reference_lsoa_population") == sum(
        int(row["Persons_All-Ages"].replace(",", "")) for row in people
    )


# --- labels that lie --------------------------------------------------------------------------------------


def test_api_answers_under_another_month_are_refused(copy: Settings, real_data: Path) -> None:
    """The folder that they came from was labelled 2018-01; every record says 2018-06."""
    answers = sorted(real_data.glob("police_uk/api/*.json"))
    assert len(answers) == 18
    before = standing(copy)
    for path in answers:
        # other bytes than those that were admitted, or it would be recognised as the same
        drop(copy, path.name.replace("2018-06", "2018-01"), path.read_bytes() + b"\n")
    found = load(copy, API)
    assert len(found) == 18
    for lying in found:
        assert lying.state == "refused" and lying.reason is not None and lying.rows_refused > 60
        assert "its name says 2018-01" in lying.reason and "of them of 2018-06" in lying.reason
    path = answers[0]
    same = deliver(copy, API, path.name.replace("2018-06", "2018-01"), path.read_bytes())
    assert same.state == "refused" and same.reason is not None and "2018-06" in same.reason
    assert standing(copy) == before


# --- twice, in another order, one cut ---------------------------------------------------------------------


def standing(settings: Settings) -> dict[str, tuple[Any, ...]]:
    """A digest of the records that stand now, for each feed: what they are and how many."""
    return {
        feed: query(
            settings,
            "select count(*), sum(('x' || left(row_hash::text, 8))::bit(32)::bigint * occurrence),"
            " md5(string_agg(record_key::text || row_hash || occurrence, '' order by record_key, row_hash, occurrence))"
            f" from raw.{feed} where withdrawn_delivery_id is null",
        )[0]
        for feed in load_contracts(settings.contracts_dir)
    }


def half(path: Path, by_lines: bool) -> bytes:
    content = path.read_bytes()
    lines = content.splitlines(keepends=True)
    return b"".join(lines[: len(lines) // 2]) if by_lines else content[: len(content) // 2]


def cut_files(real_data: Path) -> list[tuple[str, str, bytes]]:
    """Files cut in half, of every kind: name, source and bytes."""
    archive = real_data / "police_uk" / "2017-04.zip"
    with zipfile.ZipFile(archive) as whole:
        street = whole.read("2017-04/2017-04-metropolitan-street.csv")
        searches = whole.read("2017-04/2017-04-metropolitan-stop-and-search.csv")
    lines, stops = street.splitlines(keepends=True), searches.splitlines(keepends=True)
    borough = real_data / "mps" / "borough_level_crime_201701_201812.csv"
    return [
        ("2017-04.zip", "police_open", half(archive, by_lines=False)),
        ("2017-04-metropolitan-street.csv", "police_open", b"".join(lines[: len(lines) // 2])),
        ("2017-04-metropolitan-stop-and-search.csv", "police_open", b"".join(stops[: len(stops) // 2])),
        (borough.name, "mps", half(borough, by_lines=True)),
        (
            "ward_level_crime_201703_201902.csv",
            "mps",
            half(real_data / "mps/ward_level_crime_201703_201902.csv", False),
        ),
        ("lsoa11_to_ward2016.csv", "reference", half(real_data / "geography/lsoa11_to_ward2016.csv", True)),
    ]


def put_cut(settings: Settings, real_data: Path) -> None:
    for name, source, content in cut_files(real_data):
        folder = settings.inbox / source
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def assert_cut_files_are_accounted_for(settings: Settings, real_data: Path, earlier: int, but: str = "") -> None:
    """Each cut file was refused (an archive for each feed in it), with what it held; ``but`` is one that was not."""
    refused = [d for d in deliveries(settings) if d.delivery_id > earlier and d.state == "refused" and d.feed != RATES]
    names = Counter(d.source_name for d in refused)
    cut = {name: 3 if name.endswith(".zip") else 1 for name, _, _ in cut_files(real_data) if name != but}
    assert names == cut
    assert all(d.reason for d in refused)
    assert all(d.rows_refused > 2000 for d in refused if not d.source_name.endswith(".zip"))


def test_everything_again_and_cut_files_after_it_change_nothing(
    copy: Settings, real_data: Path, clean: Settings
) -> None:
    """The very bytes are duplicates; a cut one after the whole one is refused."""
    earlier = max(d.delivery_id for d in deliveries(copy))
    put(copy, real_files(real_data))
    load_everything(copy)
    again = [d for d in deliveries(copy) if d.delivery_id > earlier and d.feed != RATES]
    assert {d.state for d in again} == {"duplicate"} and len(again) == 88
    earlier = max(d.delivery_id for d in deliveries(copy))
    put_cut(copy, real_data)
    load_everything(copy)
    assert_cut_files_are_accounted_for(copy, real_data, earlier)
    assert_accounts(copy)
    assert standing(copy) == standing(clean)


def test_in_another_order_with_a_cut_file_first_ends_the_same(
    new_warehouse: Any, template_database: str, real_data: Path, clean: Settings, tmp_path: Path
) -> None:
    """Nights in a wild order: late months first, a cut file before its whole one, every row order reversed."""
    with new_warehouse(tmp_path, template_database) as settings:
        files = real_files(real_data)
        by_name = {path.name: (path, source) for path, source in files}
        order = shuffled(sorted(by_name), 20170401)
        late = ["2017-04.zip", "borough_level_crime_201701_201812.csv", "ward_level_crime_201703_201902.csv"]
        late += ["lsoa11_to_ward2016.csv"]
        nights = [[n for n in order if n not in late][start::3] for start in range(3)]
        for night in nights:
            put(settings, [by_name[name] for name in night])
            load_everything(settings)
        earlier = max(d.delivery_id for d in deliveries(settings))
        put_cut(settings, real_data)
        load_everything(settings)
        # searches fall and rise so much from year to year that half a month is no proof of a cut file
        half_known = "2017-04-metropolitan-stop-and-search.csv"
        assert_cut_files_are_accounted_for(settings, real_data, earlier, but=half_known)
        (half_month,) = [d for d in deliveries(settings) if d.source_name == half_known]
        assert half_month.state == "admitted" and half_month.rows_admitted < 6000
        put(settings, [by_name[name] for name in late])
        load_everything(settings)
        assert_accounts(settings)
        assert standing(settings) == standing(clean)


def test_every_street_file_reversed_adds_nothing(copy: Settings, real_data: Path, clean: Settings) -> None:
    """Other bytes, the same records: nothing is admitted, nothing withdrawn, whatever the order of the rows."""
    for month in ("2016-02", "2017-04", "2017-11"):
        for kind, feed in (("street", STREET), ("outcomes", OUTCOMES), ("stop-and-search", SEARCHES)):
            with zipfile.ZipFile(real_data / "police_uk" / f"{month}.zip") as archive:
                name = f"{month}-metropolitan-{kind}.csv"
                if f"{month}/{name}" not in archive.namelist():
                    continue
                heading, *lines = archive.read(f"{month}/{name}").splitlines(keepends=True)
            again = deliver(copy, feed, name, heading + b"".join(reversed(lines)))
            assert again.counts == (len(lines), 0, len(lines), 0, 0)
    assert standing(copy) == standing(clean)
