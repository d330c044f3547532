"""Landing and loading, from the inbox to raw: every row accounted for, every version kept, nothing twice."""

from __future__ import annotations

import dataclasses
import gzip
import io
import shutil
import threading
import tracemalloc
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
import saferkc.loading.loader
import yaml
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from loading_helpers import (
    API,
    BOROUGHS,
    OUTCOME_HEADING,
    OUTCOMES,
    RECORDED,
    SEARCH_HEADING,
    SEARCHES,
    STREET,
    STREET_HEADING,
    Delivery,
    alerts,
    assert_accounts,
    csv_of,
    current,
    deliver,
    deliveries,
    disturbance,
    drop,
    load,
    month_after,
    offence,
    one,
    outcome,
    query,
    search,
    shuffled,
    street,
    street_name,
    wide,
    wipe,
    zipped,
)
from saferkc.contracts import load_contracts
from saferkc.landing import feeds_with_work, receive, replay
from saferkc.landing.inbox import inbox_files
from saferkc.landing.store import landing_path
from saferkc.loading import load_arrivals, reader
from saferkc.loading.account import Quarantine
from saferkc.loading.ahead import ahead
from saferkc.loading.faults import QuarantinedRow
from saferkc.settings import Settings
from saferkc.warehouse.connection import connect
from saferkc.warehouse.migrate import migrate

APRIL = street_name("2017-04")
OFFENCES = [offence(n) for n in range(100)]


@pytest.fixture(scope="module")
def shared_warehouse(
    new_warehouse: Any, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """One database for the whole module: emptying it is quicker than making another."""
    with new_warehouse(tmp_path_factory.mktemp("loading"), template_database) as own:
        yield own


@pytest.fixture
def settings(shared_warehouse: Settings, tmp_path: Path) -> Settings:
    """Settings of a new home with an empty warehouse."""
    wipe(shared_warehouse)
    own = dataclasses.replace(shared_warehouse, home=tmp_path / "home")
    own.remember(**shared_warehouse.runtime())
    return own


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read in blocks of a few lines, so that what belongs together is parted."""
    monkeypatch.setattr(reader, "BLOCK_BYTES", 500)


# --- accounts and versions --------------------------------------------------------------------------------


def test_a_first_delivery_is_admitted_whole(settings: Settings) -> None:
    delivery = deliver(settings, STREET, APRIL, street(OFFENCES))
    assert (delivery.state, delivery.counts) == ("admitted", (100, 100, 0, 0, 0))
    assert (delivery.covers_from, delivery.covers_to) == (date(2017, 4, 1), date(2017, 4, 30))
    assert not inbox_files(settings, "police_open")
    lines = query(settings, f"select min(line_number), max(line_number), count(distinct line_number) from raw.{STREET}")
    assert lines == [(2, 101, 100)]
    assert query(settings, "select scope, period, is_current from quality.delivery_coverage") == [
        ("city-of-london", date(2017, 4, 1), True)
    ]


def test_the_same_bytes_twice_are_one_delivery(settings: Settings) -> None:
    content = street(OFFENCES)
    deliver(settings, STREET, APRIL, content)
    before = current(settings, STREET)
    again = deliver(settings, STREET, APRIL, content)
    assert (again.state, again.counts) == ("duplicate", (100, 0, 100, 0, 0))
    assert current(settings, STREET) == before
    assert one(settings, "select count(*) from quality.landed_file") == 1


def test_a_copy_in_another_order_and_spelling_adds_nothing(settings: Settings) -> None:
    """Other row order, quotes around everything, CRLF, a BOM, zeros after the coordinates, gzipped."""
    deliver(settings, STREET, APRIL, street(OFFENCES))
    finer = [line.replace("51.51", "51.5100") for line in shuffled(OFFENCES, 1)]
    quoted = [",".join(f'"{value}"' for value in line.split(",")) for line in finer]
    content = b"\xef\xbb\xbf" + street(quoted).replace(b"\n", b"\r\n")
    again = deliver(settings, STREET, f"{APRIL}.gz", gzip.compress(content))
    assert (again.state, again.counts) == ("admitted", (100, 0, 100, 0, 0))
    assert one(settings, f"select count(*) from raw.{STREET}") == 100


ODD_TEXTS = ["\\", "\\N", "\\.", "a\\", "a\\nb", "a\tb", "a\x1fb", "\\\x1f", "a\x1f", "@", "Zoë's", "x\x0by", "\\\\x41"]
QUOTED_TEXTS = [*ODD_TEXTS, "two\nlines", "two\\\nlines", "a, b", '"', "old\rline", "x\n\\.\n\\"]


@pytest.mark.parametrize(("texts", "mark"), [(ODD_TEXTS, ""), (QUOTED_TEXTS, '"')])
def test_characters_that_mean_something_to_copy_arrive_as_they_were_sent(
    settings: Settings, texts: list[str], mark: str
) -> None:
    lines = []
    for number, text in enumerate(texts):
        fields = offence(number).split(",")
        fields[6] = mark + (text.replace('"', '""') if mark else text) + mark
        lines.append(",".join(fields))
    delivery = deliver(settings, STREET, APRIL, street([*lines, *OFFENCES[50:]]))
    assert (delivery.state, delivery.counts[3]) == ("admitted", 0)
    found = query(settings, f"select location from raw.{STREET}")
    assert set(texts) <= {row[0] for row in found}
    hashes = query(settings, f"select count(*), count(distinct row_hash) from raw.{STREET}")
    assert hashes == [(len(texts) + 50, len(texts) + 50)]


def test_a_changed_record_is_a_new_version_and_the_old_one_stays(settings: Settings) -> None:
    first = deliver(settings, STREET, APRIL, street(OFFENCES))
    changed = [*OFFENCES[:90], *(offence(n, outcome="Local resolution") for n in range(90, 100))]
    second = deliver(settings, STREET, APRIL, street([*changed, offence(500)]))
    assert second.counts == (101, 11, 90, 0, 10)
    versions = query(
        settings,
        f"select last_outcome_category, delivery_id, withdrawn_delivery_id from raw.{STREET}"
        f" where crime_id_police = %s order by delivery_id",
        f"{95:064x}",
    )
    assert versions == [
        ("Under investigation", first.delivery_id, second.delivery_id),
        ("Local resolution", second.delivery_id, None),
    ]
    assert sum(current(settings, STREET).values()) == 101


def test_a_record_that_returns_is_a_version_of_its_own(settings: Settings) -> None:
    deliver(settings, STREET, APRIL, street(OFFENCES))
    deliver(settings, STREET, APRIL, street(OFFENCES[1:]))
    back = deliver(settings, STREET, APRIL, street([*OFFENCES[1:], OFFENCES[0]]))
    assert back.counts == (100, 1, 99, 0, 0)
    assert one(settings, f"select count(*) from raw.{STREET} where crime_id_police = %s", f"{0:064x}") == 2


def test_a_month_whose_outcomes_are_nearly_all_restated_is_no_cut_file(settings: Settings) -> None:
    """A record without a key that changes is one gone and one come; only their number can tell a cut file."""
    deliver(settings, STREET, APRIL, street(OFFENCES))
    restated = [offence(n, outcome="Unable to prosecute suspect") for n in range(100)]
    assert deliver(settings, STREET, APRIL, street(restated)).counts == (100, 100, 0, 0, 100)
    assert deliver(settings, STREET, APRIL, street(restated[:70])).state == "refused"


# --- identical rows ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("block", [150, 500, 1 << 20])
def test_identical_rows_without_an_id_are_separate_incidents(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    """In whatever block they fall, and when another delivery holds fewer or more of them."""
    monkeypatch.setattr(reader, "BLOCK_BYTES", block)

    def account(copies: int, seed: int) -> tuple[int, ...]:
        lines = [*OFFENCES[:30], *[disturbance()] * copies, *[disturbance("On or near Gresham Street")] * 2]
        delivery = deliver(settings, STREET, APRIL, street(shuffled(lines, seed)))
        standing = query(
            settings,
            f"select occurrence from raw.{STREET} where withdrawn_delivery_id is null"
            " and location = 'On or near Poultry' order by 1",
        )
        assert standing == [(n,) for n in range(1, copies + 1)]
        return delivery.counts

    assert account(7, 1) == (39, 39, 0, 0, 0)
    assert account(7, 2) == (39, 0, 39, 0, 0)
    assert account(5, 3) == (37, 0, 37, 0, 2)
    assert account(9, 4) == (41, 4, 37, 0, 0)


@pytest.mark.parametrize("block", [150, 500, 1 << 20])
@pytest.mark.parametrize("fresh", [True, False])
def test_identical_rows_with_an_id_are_one_record(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, block: int, fresh: bool
) -> None:
    """The same whether rows go straight to raw or by the stage; the same ID with other values stays several."""
    monkeypatch.setattr(reader, "BLOCK_BYTES", block)
    if not fresh:
        deliver(settings, STREET, APRIL, street(OFFENCES[:50]))
    lines = [*OFFENCES[:50], *OFFENCES[:3], *OFFENCES[:3], offence(4, crime_type="Robbery"), *[disturbance()] * 3]
    delivery = deliver(settings, STREET, APRIL, street(lines))
    assert delivery.counts == ((60, 54, 6, 0, 0) if fresh else (60, 4, 56, 0, 0))
    standing = current(settings, STREET)
    assert sum(standing.values()) == 54
    assert sorted(occurrence for _, _, occurrence in standing) == [1] * 52 + [2, 3]


def test_the_same_id_with_several_outcomes_stays_several(settings: Settings) -> None:
    lines = [outcome(n, "Suspect charged") for n in range(30)]
    lines += [outcome(1, "Defendant found not guilty"), outcome(1, "Offender sent to prison"), lines[2]]
    delivery = deliver(settings, OUTCOMES, "2017-04-city-of-london-outcomes.csv", csv_of(OUTCOME_HEADING, lines))
    assert delivery.counts == (33, 32, 1, 0, 0)
    assert one(settings, f"select count(*) from raw.{OUTCOMES} where crime_id_police = %s", f"{1:064x}") == 3


@pytest.mark.usefixtures("small_blocks")
def test_identical_searches_are_all_kept(settings: Settings) -> None:
    lines = [search()] * 40 + [search(gender="Female")] * 5
    name = "2017-04-city-of-london-stop-and-search.csv"
    assert deliver(settings, SEARCHES, name, csv_of(SEARCH_HEADING, lines)).counts == (45, 45, 0, 0, 0)
    again = deliver(
        settings, SEARCHES, name, csv_of(SEARCH_HEADING, [*lines[5:], *lines[:3], search("2017-04-30T22:30:00+00:00")])
    )
    assert again.counts == (44, 1, 43, 0, 2)
    assert sorted(occurrence for _, _, occurrence in current(settings, SEARCHES)) == sorted(
        [*range(1, 39), *range(1, 6), 1]
    )


@pytest.mark.parametrize("block", [60, 1 << 20])
def test_a_key_that_is_given_two_values_is_quarantined_the_second_time(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(reader, "BLOCK_BYTES", block)
    twice = "Barnet,Burglary,Burglary in a Dwelling,1,2,3,4,5,6,7,8"
    other = "Barnet,Burglary,Burglary in a Dwelling,1,2,3,4,5,6,7,9"
    content = wide(date(2017, 1, 1), 8, lambda b, _, m: m.month if b == "Barnet" else 3, [twice, other])
    delivery = deliver(settings, RECORDED, "borough_level_crime_201701_201708.csv", content, "mps")
    assert delivery.counts == (66 * 8, 64 * 8, 15, 1, 0)
    assert query(settings, "select line_number, rule from quality.quarantine") == [(67, "record_key")]
    assert query(
        settings,
        f"select offence_count from raw.{RECORDED} where borough_name = 'Barnet' and major_category = 'Burglary'"
        " and month = '2017-08-01'",
    ) == [(8,)]


# --- quarantine -------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("small_blocks")
def test_a_row_that_breaks_the_contract_is_quarantined_and_the_others_go_on(settings: Settings) -> None:
    lines = OFFENCES.copy()
    lines[10] = offence(10, latitude="99")
    lines[50] = lines[50] + ",one field more"
    delivery = deliver(settings, STREET, APRIL, street(lines))
    assert delivery.counts == (100, 98, 0, 2, 0)
    assert query(
        settings, "select line_number, column_name, rule, reason from quality.quarantine order by line_number"
    ) == [
        (12, "latitude", "range", "it is not between 49.0 and 61.0"),
        (52, None, "column_count", "it has 13 fields where the heading has 12"),
    ]
    (title,) = alerts(settings).values()
    assert title.startswith(f"{STREET}: 2 rows of {APRIL} are in quarantine")


@pytest.mark.parametrize("small", [True, False])
def test_too_many_broken_rows_are_a_fault_of_the_whole_delivery(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, small: bool
) -> None:
    monkeypatch.setattr(reader, "BLOCK_BYTES", 500 if small else 1 << 20)
    lines = [offence(n, latitude="99") if n < 3 else offence(n) for n in range(100)]
    delivery = deliver(settings, STREET, APRIL, street(lines))
    assert (delivery.state, delivery.counts, delivery.rows_refused) == ("refused", (0, 0, 0, 0, 0), 100)
    assert delivery.reason == (
        "3 of its 100 rows break the contract; more than 2.0% is taken for a fault of the whole delivery."
        " Most often: latitude: it is not between 49.0 and 61.0 (3)"
    )


def test_a_document_of_which_every_row_is_broken_is_refused(settings: Settings) -> None:
    for fault in ({"latitude": "north"}, {"month": "April"}):
        delivery = deliver(settings, STREET, APRIL, street(offence(n, **fault) for n in range(20)))
        assert (delivery.state, delivery.rows_refused) == ("refused", 20)
    ragged = deliver(settings, STREET, APRIL, street(["a,b"] * 20))
    assert (ragged.state, ragged.rows_refused) == ("refused", 20)


def test_a_document_with_a_heading_and_nothing_else_is_refused(settings: Settings) -> None:
    delivery = deliver(settings, STREET, APRIL, street([]))
    assert (delivery.state, delivery.reason) == ("refused", "it holds 0 rows; a whole delivery has at least 1")
    simulated = deliver(settings, STREET, f"simulated_{APRIL}", street([]))
    assert simulated.state == "refused"


def test_a_value_that_only_the_database_finds_wrong_refuses_the_document_and_not_the_feed(settings: Settings) -> None:
    """Year 0 is a year to the parser and none to PostgreSQL; the next document must still be loaded."""
    drop(settings, "0000-01-city-of-london-street.csv", street(offence(n, month="0000-01") for n in range(5)))
    drop(settings, APRIL, street(OFFENCES))
    found = {d.source_name: d for d in load(settings, STREET)}
    assert found[APRIL].state == "admitted"
    year_zero = found["0000-01-city-of-london-street.csv"]
    assert (year_zero.state, year_zero.rows_refused) == ("refused", 5)


# --- labels -----------------------------------------------------------------------------------------------


def test_a_file_under_another_months_name_is_refused(settings: Settings) -> None:
    delivery = deliver(settings, STREET, street_name("2018-01"), street(OFFENCES))
    assert (delivery.state, delivery.rows_refused) == ("refused", 100)
    assert delivery.reason is not None
    assert "its name says 2018-01" in delivery.reason and "2017-04" in delivery.reason
    assert f"refused:{STREET}:{street_name('2018-01')}" in alerts(settings)


def test_the_bytes_of_an_admitted_month_under_another_name_are_refused(settings: Settings) -> None:
    """Not a duplicate: the month that the name promises is still missing."""
    deliver(settings, STREET, APRIL, street(OFFENCES))
    lying = deliver(settings, STREET, street_name("2017-05"), street(OFFENCES))
    assert lying.state == "refused" and lying.reason is not None
    assert "2017-05" in lying.reason and "2017-04" in lying.reason
    elsewhere = deliver(settings, STREET, street_name("2017-04", "north-wales"), street(OFFENCES))
    assert elsewhere.state == "refused"


def test_a_few_rows_of_another_month_are_quarantined(settings: Settings) -> None:
    lines = [*OFFENCES, offence(200, month="2017-03"), offence(201, month="2017-05")]
    delivery = deliver(settings, STREET, APRIL, street(lines))
    assert delivery.counts == (102, 100, 0, 2, 0)
    assert query(settings, "select line_number, column_name, rule from quality.quarantine order by 1") == [
        (102, "month", "label"),
        (103, "month", "label"),
    ]
    assert query(settings, "select period from quality.delivery_coverage") == [(date(2017, 4, 1),)]


def test_a_wide_file_whose_name_says_other_months_is_refused(settings: Settings) -> None:
    content = wide(date(2017, 1, 1), 8, lambda *_: 1)
    delivery = deliver(settings, RECORDED, "borough_level_crime_201801_201808.csv", content, "mps")
    assert delivery.state == "refused" and delivery.reason is not None
    assert "2018-01 to 2018-08" in delivery.reason and "2017-" in delivery.reason
    assert delivery.rows_refused == 64 * 8


def test_a_borough_file_called_a_ward_file_is_refused(settings: Settings) -> None:
    content = wide(date(2017, 1, 1), 8, lambda *_: 1)
    delivery = deliver(settings, RECORDED, "ward_level_crime_201701_201708.csv", content, "mps")
    assert delivery.state == "refused"
    assert delivery.rows_refused == 64, "its months were not yet known: counted by lines"


# --- columns and codes ------------------------------------------------------------------------------------


def test_a_new_column_and_a_new_code_are_let_in_and_flagged(settings: Settings) -> None:
    lines = [*(f"{line},x" for line in OFFENCES), offence(300, crime_type="Cyber crime") + ",x"]
    content = csv_of(f"{STREET_HEADING},Severity", lines)
    delivery = deliver(settings, STREET, APRIL, content)
    assert delivery.counts == (101, 101, 0, 0, 0)
    assert [(flag["flag"], flag["name"]) for flag in delivery.flags] == [
        ("new_column", "Severity"),
        ("new_code", "crime_type=Cyber crime"),
    ]
    open_alerts = alerts(settings)
    assert "'Severity'" in open_alerts[f"new_column:{STREET}:Severity"]
    assert "'Cyber crime'" in open_alerts[f"new_code:{STREET}:crime_type=Cyber crime"]


def test_a_missing_column_refuses_the_delivery(settings: Settings) -> None:
    content = csv_of(STREET_HEADING.replace("Crime type", "Type of crime"), OFFENCES)
    delivery = deliver(settings, STREET, APRIL, content)
    assert (delivery.state, delivery.reason) == ("refused", "it lacks the column Crime type")
    assert delivery.rows_refused == 100
    assert f"refused:{STREET}:{APRIL}" in alerts(settings)
    deliver(settings, STREET, APRIL, street(OFFENCES))
    assert f"refused:{STREET}:{APRIL}" not in alerts(settings), "the whole file came: the alert is closed"


def test_an_optional_column_may_be_missing(settings: Settings) -> None:
    without = csv_of(STREET_HEADING.removesuffix(",Context"), (line.removesuffix(",") for line in OFFENCES))
    assert deliver(settings, STREET, APRIL, without).counts == (100, 100, 0, 0, 0)
    assert deliver(settings, STREET, APRIL, street(OFFENCES)).counts == (100, 0, 100, 0, 0)


# --- cut files --------------------------------------------------------------------------------------------


def cut_by_bytes(content: bytes) -> bytes:
    return content[: len(content) // 2 + 7]


def cut_by_lines(content: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    return b"".join(lines[: len(lines) // 2])


@pytest.mark.parametrize("cut", [cut_by_bytes, cut_by_lines])
@pytest.mark.parametrize("cut_first", [True, False])
def test_a_cut_file_is_refused_and_leaves_what_the_whole_one_says(
    settings: Settings, cut: Callable[[bytes], bytes], cut_first: bool
) -> None:
    def earlier(months: int) -> None:
        for month in ("2017-01", "2017-02", "2017-03")[:months]:
            deliver(settings, STREET, street_name(month), street(offence(n, month=month) for n in range(100)))

    # three deliveries say what is usual; with the whole one there, it alone is enough
    earlier(3 if cut_first else 0)
    whole = street(OFFENCES)
    order = [cut(whole), whole] if cut_first else [whole, cut(whole)]
    found = [deliver(settings, STREET, APRIL, content) for content in order]
    broken = found[0] if cut_first else found[1]
    assert broken.state == "refused" and broken.reason is not None
    assert broken.rows_refused == (50 if cut is cut_by_bytes else 49)
    if cut is cut_by_bytes:
        assert "cut short" in broken.reason
    elif cut_first:
        assert "about 100: it seems to be cut short" in broken.reason
    else:
        assert "more than 25% is taken for a cut file" in broken.reason
    standing = current(settings, STREET)
    wipe(settings)
    earlier(3 if cut_first else 0)
    deliver(settings, STREET, APRIL, whole)
    assert current(settings, STREET) == standing


def test_a_cut_month_of_the_metropolitan_police_lacks_boroughs(settings: Settings) -> None:
    """Known for cut although nothing was delivered before."""
    lines = [offence(n, lsoa_name=f"{borough} 001A") for n, borough in enumerate(BOROUGHS)]
    name = street_name("2017-04", "metropolitan")
    broken = deliver(settings, STREET, name, street(lines[:20]))
    assert broken.reason is not None and "no record for Lambeth" in broken.reason
    assert deliver(settings, STREET, name, street(lines)).state == "admitted"


# --- vintages ---------------------------------------------------------------------------------------------


def archive_of(lines: list[str], month: str = "2017-04") -> bytes:
    return zipped({f"{month}/{street_name(month)}": street(lines)})


def test_an_older_vintage_that_comes_later_is_history_only(settings: Settings) -> None:
    newer = [*OFFENCES[:95], *(offence(n, outcome="Local resolution") for n in range(95, 100))]
    drop(settings, "2017-08.zip", archive_of(newer))
    (new,) = load(settings, STREET)
    standing = current(settings, STREET)
    drop(settings, "2017-06.zip", archive_of([*OFFENCES, offence(700)]))
    (old,) = load(settings, STREET)
    assert (old.vintage, new.vintage) == (date(2017, 6, 1), date(2017, 8, 1))
    assert old.counts == (101, 6, 95, 0, 0)
    assert current(settings, STREET) == standing
    assert query(
        settings, f"select distinct withdrawn_delivery_id from raw.{STREET} where delivery_id = %s", old.delivery_id
    ) == [(new.delivery_id,)]
    # a plain copy has the vintage of its month: older than any archive that came after it
    plain = deliver(settings, STREET, APRIL, street([*OFFENCES[1:], offence(800)]))
    assert plain.state == "admitted"
    assert current(settings, STREET) == standing


def test_arrivals_of_one_night_are_loaded_oldest_vintage_first(settings: Settings) -> None:
    drop(settings, "2017-08.zip", archive_of(OFFENCES[:98]))
    drop(settings, "2017-06.zip", archive_of(OFFENCES))
    drop(settings, APRIL, street(OFFENCES[:99]))
    drop(settings, "2017-99.zip", archive_of(OFFENCES[:97]))
    found = load(settings, STREET)
    assert [d.source_name.split("!")[0] for d in found][-2:] == ["2017-06.zip", "2017-08.zip"]
    assert sum(current(settings, STREET).values()) == 98


@pytest.mark.parametrize("order", [(4, 5, 6), (4, 6, 5), (5, 4, 6), (5, 6, 4), (6, 4, 5), (6, 5, 4)])
def test_a_later_archive_that_takes_a_change_back_wins_in_every_order(
    settings: Settings, order: tuple[int, ...]
) -> None:
    """The archives of April and June hold the same bytes, that of May others: June has the last word."""
    said = [*OFFENCES[:99], offence(99, outcome="Local resolution")]
    otherwise = OFFENCES
    for month in order:
        drop(settings, f"2017-0{month}.zip", archive_of(otherwise if month == 5 else said))
        load(settings, STREET)
    assert (
        one(
            settings,
            f"select last_outcome_category from raw.{STREET}"
            " where withdrawn_delivery_id is null and crime_id_police = %s",
            f"{99:064x}",
        )
        == "Local resolution"
    )
    assert sum(current(settings, STREET).values()) == 100


_MONTHS = [date(2016, 1, 1)]
_MONTHS += [month_after(_MONTHS[0], n) for n in range(1, 16)]


@hypothesis_settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)
@given(data=st.data())
def test_overlapping_windows_give_the_same_cells_in_any_order(settings: Settings, data: st.DataObject) -> None:
    """Wide files: of each month stands what the file with the latest last month says, and only that."""
    wipe(settings)
    lasts = data.draw(st.lists(st.integers(8, 15), min_size=2, max_size=4, unique=True), label="last months")
    windows = [(data.draw(st.integers(0, last - 7)), last) for last in lasts]
    with_theft = [data.draw(st.sets(st.sampled_from(BOROUGHS[:6]), max_size=3)) for _ in windows]

    def value(number: int, borough: str, major: str, month: date) -> int:
        return (len(borough) + month.month + (number if major == "Robbery" else 0)) % 9

    expected: dict[tuple[str, str, date], int] = {}
    for number in sorted(range(len(windows)), key=lambda n: lasts[n]):
        first, last = windows[number]
        covered = _MONTHS[first : last + 1]
        expected = {key: count for key, count in expected.items() if key[2] not in covered}
        for borough in BOROUGHS:
            majors = ["Burglary", "Robbery", *(["Theft"] if borough in with_theft[number] else [])]
            expected |= {(borough, m, month): value(number, borough, m, month) for m in majors for month in covered}

    files = []
    for number, (first, last) in enumerate(windows):
        covered = _MONTHS[first : last + 1]
        extra = [
            ",".join([b, "Theft", "Other Theft", *(str(value(number, b, "Theft", m)) for m in covered)])
            for b in sorted(with_theft[number])
        ]
        content = wide(covered[0], len(covered), lambda b, m, month, n=number: value(n, b, m, month), extra)  # type: ignore[misc]
        files.append((f"MPS Borough Level Crime (copy {number}).csv", content))

    for number in data.draw(st.permutations(range(len(files))), label="order"):
        drop(settings, *files[number], source="mps")
        if data.draw(st.booleans(), label="load now"):
            load(settings, RECORDED)
    load(settings, RECORDED)
    standing = query(
        settings,
        f"select borough_name, major_category, month, offence_count from raw.{RECORDED}"
        " where withdrawn_delivery_id is null",
    )
    assert len(standing) == len(expected)
    assert {(borough, major, month): count for borough, major, month, count in standing} == expected


@hypothesis_settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)
@given(data=st.data())
def test_any_order_of_vintages_ends_with_the_latest(settings: Settings, data: st.DataObject) -> None:
    """Archives of one month, with and without IDs, delivered in any order, some twice: the latest one stands."""
    wipe(settings)
    pool = [*(offence(n) for n in range(12)), *(offence(n, outcome="Local resolution") for n in range(4))]
    months = data.draw(st.lists(st.integers(4, 12), min_size=2, max_size=4, unique=True), label="vintages")
    texts = {}
    for month in months:
        chosen = data.draw(st.sets(st.integers(0, 15), min_size=14, max_size=16))
        copies = data.draw(st.integers(8, 11))
        lines = [*(pool[n] for n in sorted(chosen)), *[disturbance()] * copies, pool[min(chosen)]]
        texts[month] = shuffled(lines, month)
    sequence = data.draw(st.permutations([*months, *months[:1]]), label="order")
    for month in sequence:
        drop(settings, f"2017-{month:02}.zip", archive_of(texts[month]))
        load(settings, STREET)
    last = max(months)
    standing = query(
        settings,
        f"select crime_id_police, last_outcome_category from raw.{STREET} where withdrawn_delivery_id is null",
    )
    said = [tuple(value or None for value in (line.split(",")[0], line.split(",")[10])) for line in texts[last]]
    assert Counter(standing) == Counter({key: n if key[0] is None else 1 for key, n in Counter(said).items()})
    assert all(d.state in ("admitted", "duplicate") for d in deliveries(settings))


# --- simulated and real -----------------------------------------------------------------------------------


def test_real_records_displace_simulated_ones_and_are_never_displaced(settings: Settings) -> None:
    for month in ("2017-03", "2017-04"):
        name = f"simulated_{street_name(month)}"
        simulated = deliver(settings, STREET, name, street(offence(n, month=month) for n in range(50)))
        assert (simulated.is_simulated, simulated.counts) == (True, (50, 50, 0, 0, 0))
    real = deliver(settings, STREET, APRIL, street(OFFENCES))
    assert (real.is_simulated, real.counts) == (False, (100, 100, 0, 0, 100))
    assert query(
        settings,
        f"select d.is_simulated, count(*) from raw.{STREET} join quality.delivery as d using (delivery_id)"
        " where withdrawn_delivery_id is null group by 1",
    ) == [(False, 100)]
    assert query(settings, "select period from quality.delivery_coverage where is_current") == [(date(2017, 4, 1),)]
    late = deliver(settings, STREET, f"simulated_{street_name('2017-05')}", street([offence(1, month="2017-05")]))
    assert late.state == "refused" and late.reason is not None and "simulated" in late.reason
    assert late.rows_refused == 1


def test_an_archive_called_simulated_makes_all_its_documents_simulated(settings: Settings) -> None:
    drop(settings, "simulated_2017-04.zip", archive_of(OFFENCES))
    drop(settings, "2017-04.zip", archive_of(OFFENCES[:99]))
    found = load(settings, STREET)
    assert [(d.is_simulated, d.counts) for d in found] == [
        (True, (100, 100, 0, 0, 0)),
        (False, (99, 99, 0, 0, 100)),
    ]


# --- landing ----------------------------------------------------------------------------------------------


def test_an_archive_feeds_all_the_feeds_in_it(settings: Settings) -> None:
    members = {
        f"2017-04/{APRIL}": street(OFFENCES),
        "2017-04/2017-04-city-of-london-outcomes.csv": csv_of(OUTCOME_HEADING, [outcome(1, "Suspect charged")]),
        "2017-04/2017-04-city-of-london-stop-and-search.csv.gz": gzip.compress(csv_of(SEARCH_HEADING, [search()])),
        "2017-04/read me.txt": b"hello",
    }
    drop(settings, "2017-04.zip", zipped(members))
    assert feeds_with_work(settings) >= {STREET, OUTCOMES, SEARCHES}
    found = [delivery for feed in (STREET, OUTCOMES, SEARCHES) for delivery in load(settings, feed)]
    assert {d.feed: d.counts[:2] for d in found} == {STREET: (100, 100), OUTCOMES: (1, 1), SEARCHES: (1, 1)}
    (unknown,) = [d for d in deliveries(settings) if d.state == "refused"]
    assert unknown.source_name == "2017-04.zip!2017-04/read me.txt"
    # loaded, but not yet checked: a run that ended in between is taken up again
    assert feeds_with_work(settings) == {STREET, OUTCOMES, SEARCHES}
    with connect(settings) as connection:
        connection.execute(
            """
            insert into quality.check_result
                (delivery_id, suite, check_name, table_name, severity, success, meaning, next_step)
            select delivery_id, 'test', 'test', 'raw', 'error', true, 'test', 'test' from quality.delivery
            """
        )
    assert feeds_with_work(settings) == set()
    assert one(settings, "select count(*) from quality.landed_file") == 1


def _locked(content: bytes) -> bytes:
    """The archive with the flag that says its first member needs a password."""
    at = content.rindex(b"PK\x01\x02") + 8
    return content[:at] + bytes([content[at] | 1]) + content[at + 1 :]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (archive_of(OFFENCES)[:-300], "damaged or cut short"),
        (b"no archive at all", "damaged or cut short"),
        (b"", "damaged or cut short"),
        (zipped({}), "the archive is empty"),
        (_locked(archive_of(OFFENCES)), "locked with a password"),
    ],
    ids=["cut", "none", "no bytes", "empty", "locked"],
)
def test_an_archive_that_can_not_be_opened_is_refused_for_each_feed(
    settings: Settings, content: bytes, why: str
) -> None:
    drop(settings, "2017-04.zip", content)
    assert receive(settings, STREET) == []
    found = deliveries(settings)
    assert {d.feed for d in found} == {STREET, OUTCOMES, SEARCHES}
    assert all(d.state == "refused" and d.reason is not None and why in d.reason for d in found)
    assert f"refused:{STREET}:2017-04.zip" in alerts(settings)
    assert not inbox_files(settings, "police_open")
    assert replay(settings, STREET, date(2000, 1, 1), date(2100, 1, 1)) == [], "there is no document to read again"
    assert_accounts(settings)


def test_a_member_that_is_damaged_is_refused_and_the_others_go_on(settings: Settings) -> None:
    may = street(offence(n, month="2017-05") for n in range(100))
    content = bytearray(zipped({f"2017-04/{APRIL}": street(OFFENCES), f"2017-05/{street_name('2017-05')}": may}))
    content[150] ^= 0xFF
    drop(settings, "2017-05.zip", bytes(content))
    found = {d.source_name: d for d in load(settings, STREET)}
    assert found[f"2017-05.zip!2017-04/{APRIL}"].state == "refused"
    assert found[f"2017-05.zip!2017-05/{street_name('2017-05')}"].state == "admitted"


@pytest.mark.parametrize("block", [20_000, 1 << 20])
def test_a_gzipped_file_cut_in_the_middle_is_refused(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(reader, "BLOCK_BYTES", block)
    content = gzip.compress(street(offence(n * 7919**5) for n in range(2000)))
    delivery = deliver(settings, STREET, f"{APRIL}.gz", content[: len(content) // 2])
    assert delivery.state == "refused" and delivery.reason is not None and "damaged or cut short" in delivery.reason
    assert 500 < delivery.rows_refused < 1500, "counted as far as it can be unpacked"
    assert one(settings, f"select count(*) from raw.{STREET}") == 0


def test_a_file_that_no_feed_knows_is_landed_and_told(settings: Settings) -> None:
    drop(settings, "holiday photos.csv", b"a,b\n1,2\n")
    assert receive(settings, STREET) == []
    (unknown,) = deliveries(settings)
    assert (unknown.feed, unknown.state) == ("police_open", "refused")
    assert unknown.reason is not None and "2017-04-metropolitan-street.csv" in unknown.reason
    assert "refused:police_open:holiday photos.csv" in alerts(settings)
    assert not inbox_files(settings, "police_open")


def test_unfinished_files_stay_where_they_are(settings: Settings) -> None:
    for name in (f"{APRIL}.part", f"{APRIL}.tmp", f".{APRIL}"):
        drop(settings, name, street(OFFENCES))
    assert receive(settings, STREET) == []
    assert len(list((settings.inbox / "police_open").iterdir())) == 3
    assert not deliveries(settings)


def test_a_file_that_replaces_the_one_being_landed_is_taken_next_time(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from saferkc.landing import inbox  # noqa: PLC0415

    drop(settings, APRIL, street(OFFENCES))
    original = inbox.land

    def land_and_be_overtaken(own: Settings, file: Path, *, encrypted: bool) -> tuple[str, int]:
        landed = original(own, file, encrypted=encrypted)
        file.write_bytes(street(OFFENCES[:99]))
        return landed

    monkeypatch.setattr(inbox, "land", land_and_be_overtaken)
    first = receive(settings, STREET)
    monkeypatch.setattr(inbox, "land", original)
    second = receive(settings, STREET)
    assert len(first) == 1 and len(second) == 2
    load_arrivals(settings, STREET, second)
    assert sum(current(settings, STREET).values()) == 99


def test_two_feeds_that_receive_at_once_take_each_file_once(settings: Settings) -> None:
    for month in range(1, 9):
        members = {
            f"2017-0{month}/{street_name(f'2017-0{month}')}": street([offence(1, month=f"2017-0{month}")]),
            f"2017-0{month}/2017-0{month}-city-of-london-outcomes.csv": csv_of(
                OUTCOME_HEADING, [outcome(1, "Suspect charged", f"2017-0{month}")]
            ),
        }
        drop(settings, f"2017-0{month}.zip", zipped(members))
    found: dict[str, list[int]] = {}
    feeds = [STREET, OUTCOMES, SEARCHES, STREET, OUTCOMES]
    workers = [
        threading.Thread(target=lambda n=number, f=feed: found.update({f"{f}{n}": receive(settings, f)}))  # type: ignore[misc]
        for number, feed in enumerate(feeds)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert {name: len(arrivals) for name, arrivals in found.items()} == {
        f"{STREET}0": 8, f"{OUTCOMES}1": 8, f"{SEARCHES}2": 0, f"{STREET}3": 8, f"{OUTCOMES}4": 8,
    }  # fmt: skip
    assert one(settings, "select count(*) from quality.arrival") == 16


def test_two_loaders_of_one_feed_load_each_arrival_once(settings: Settings) -> None:
    for month in range(1, 7):
        drop(settings, street_name(f"2017-0{month}"), street(offence(n, month=f"2017-0{month}") for n in range(50)))
    arrivals = receive(settings, STREET)
    workers = [threading.Thread(target=load_arrivals, args=(settings, STREET, arrivals)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert_accounts(settings)
    assert [d.counts for d in deliveries(settings)] == [(50, 50, 0, 0, 0)] * 6


def test_landing_may_be_an_object_store(settings: Settings, tmp_path: Path) -> None:
    store = tmp_path / "bucket"
    elsewhere = dataclasses.replace(settings, landing_url=f"file://{store}")
    delivery = deliver(elsewhere, STREET, APRIL, street(OFFENCES))
    assert delivery.counts == (100, 100, 0, 0, 0)
    drop(elsewhere, "2017-05.zip", archive_of([offence(n, month="2017-05") for n in range(90)], "2017-05"))
    assert [d.rows_admitted for d in load(elsewhere, STREET)] == [90]
    landed = [path for path in store.rglob("*") if path.is_file()]
    assert sorted(path.name for path in landed) == sorted(
        row[0] for row in query(settings, "select sha256 from quality.landed_file")
    )
    assert not settings.landing.exists()


def test_landed_bytes_are_those_that_came(settings: Settings) -> None:
    content = street(OFFENCES)
    deliver(settings, STREET, APRIL, content)
    sha256 = one(settings, "select sha256 from quality.landed_file")
    path = landing_path(settings, sha256)
    assert path.read_bytes() == content
    assert path.stat().st_mode & 0o777 == 0o600
    assert [p for p in settings.landing.rglob("*") if p.is_file()] == [path]


# --- running again ----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("small_blocks")
def test_a_failure_in_the_middle_leaves_nothing_and_the_arrival_waits(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop(settings, APRIL, street(OFFENCES))

    def broken_off(items: Iterator[Any]) -> Generator[Any]:
        blocks = ahead(items)
        yield next(blocks)
        yield next(blocks)
        blocks.close()
        raise ConnectionError("the line went dead")

    monkeypatch.setattr(saferkc.loading.loader, "ahead", broken_off)
    arrivals = receive(settings, STREET)
    with pytest.raises(ConnectionError):
        load_arrivals(settings, STREET, arrivals)
    assert one(settings, f"select count(*) from raw.{STREET}") == 0
    assert not deliveries(settings)
    assert receive(settings, STREET) == arrivals
    monkeypatch.undo()
    assert [d.counts for d in load(settings, STREET)] == [(100, 100, 0, 0, 0)]


def test_a_server_that_ends_the_connection_leaves_nothing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    drop(settings, APRIL, street(OFFENCES))
    monkeypatch.setattr(reader, "BLOCK_BYTES", 500)
    blocks = 0

    def cut_off(items: Iterator[Any]) -> Generator[Any]:
        nonlocal blocks
        for item in ahead(items):
            yield item
            blocks += 1
            if blocks == 2:
                with connect(settings, autocommit=True) as connection:
                    connection.execute(
                        "select pg_terminate_backend(pid) from pg_stat_activity"
                        " where application_name = %s and datname = current_database()",
                        [f"saferkc load {STREET}"],
                    )

    monkeypatch.setattr(saferkc.loading.loader, "ahead", cut_off)
    with pytest.raises(psycopg.OperationalError):
        load_arrivals(settings, STREET, receive(settings, STREET))
    monkeypatch.undo()
    assert one(settings, f"select count(*) from raw.{STREET}") == 0
    assert [d.counts for d in load(settings, STREET)] == [(100, 100, 0, 0, 0)]


def test_a_refused_document_is_judged_anew_when_it_is_replayed(settings: Settings) -> None:
    for month in ("2017-01", "2017-02", "2017-03"):
        deliver(settings, STREET, street_name(month), street(offence(n, month=month) for n in range(100)))
    few = deliver(settings, STREET, APRIL, street(OFFENCES[:50]))
    assert few.state == "refused"
    today = one(settings, "select current_date")
    # somebody finds that it was a quiet month after all, and the earlier ones were the wrong ones
    with connect(settings) as connection:
        connection.execute(f"truncate quality.delivery_coverage, raw.{STREET}".encode())
        connection.execute("delete from quality.delivery where state = 'admitted'")
    arrivals = replay(settings, STREET, today, today)
    assert len(arrivals) == 1
    assert replay(settings, STREET, today, today) == [], "it waits already"
    load_arrivals(settings, STREET, arrivals)
    assert_accounts(settings)
    assert deliveries(settings)[-1].counts == (50, 50, 0, 0, 0)


def test_an_admitted_document_that_is_replayed_stays_one_delivery(settings: Settings) -> None:
    deliver(settings, STREET, APRIL, street(OFFENCES))
    assert replay(settings, STREET, date(2017, 5, 1), date(2017, 5, 31)) == []
    load_arrivals(settings, STREET, replay(settings, STREET, date(2017, 4, 30), date(2017, 5, 31)))
    assert [d.state for d in deliveries(settings)] == ["admitted", "duplicate"]
    assert_accounts(settings)


def test_loading_what_was_loaded_only_reports_it(settings: Settings) -> None:
    drop(settings, APRIL, street(OFFENCES))
    arrivals = receive(settings, STREET)
    first, second = (load_arrivals(settings, STREET, arrivals) for _ in range(2))
    assert first == second and first.changed and first.rows_admitted == 100
    assert not load_arrivals(settings, STREET, []).changed


# --- contracts --------------------------------------------------------------------------------------------


@pytest.fixture
def own_contracts(settings: Settings, tmp_path: Path) -> Iterator[Settings]:
    """Settings with contracts of their own, which a test may change."""
    root = tmp_path / "project"
    shutil.copytree(settings.contracts_dir, root / "expectations" / "contracts")
    yield dataclasses.replace(settings, project_root=root)
    load_contracts.cache_clear()


def change(settings: Settings, feed: str, edit: Callable[[dict[str, Any]], None]) -> None:
    """Edit a contract and bring the warehouse in step."""
    path = settings.contracts_dir / f"{feed}.yaml"
    contract = yaml.safe_load(path.read_text())
    edit(contract)
    path.write_text(yaml.safe_dump(contract))
    load_contracts.cache_clear()
    migrate(settings)


def test_a_new_version_of_a_contract_judges_the_same_bytes_anew(own_contracts: Settings) -> None:
    content = csv_of(f"{STREET_HEADING},Severity", [*(f"{line}," for line in OFFENCES[:99]), f"{OFFENCES[99]},12"])
    first = deliver(own_contracts, STREET, APRIL, content)
    assert [flag["name"] for flag in first.flags] == ["Severity"]

    def add_severity(contract: dict[str, Any]) -> None:
        contract["version"] = "2.0.0"
        contract["schema"][0]["properties"].append(
            {
                "name": "severity_score",
                "logicalType": "integer",
                "physicalType": "integer",
                "description": "How severe it was.",
                "classification": "public",
                "customProperties": [{"property": "origin", "value": {"headings": ["Severity"], "optional": True}}],
            }
        )

    change(own_contracts, STREET, add_severity)
    arrivals = replay(own_contracts, STREET, date(2017, 4, 1), date(2017, 4, 1))
    load_arrivals(own_contracts, STREET, arrivals)
    assert_accounts(own_contracts)
    second = deliveries(own_contracts)[-1]
    assert (second.state, second.contract_version, second.flags) == ("admitted", "2.0.0", [])
    assert second.counts == (100, 1, 99, 0, 1), "only the row with a value in the new column is a new version"
    assert query(
        own_contracts, f"select severity_score from raw.{STREET} where delivery_id = %s", second.delivery_id
    ) == [(12,)]
    # the older contract's verdict is no reason to call the same bytes a duplicate, but the new one's is
    assert deliver(own_contracts, STREET, APRIL, content).state == "duplicate"


def test_no_value_of_a_column_that_is_not_public_leaves_the_row(own_contracts: Settings) -> None:
    person = "Zebedee Quux"

    def make_personal(contract: dict[str, Any]) -> None:
        for column in contract["schema"][0]["properties"]:
            column["classification"] = "personal"

    change(own_contracts, STREET, make_personal)
    faults = {"month": person, "longitude": person, "lsoa": person, "crime_id": person * 6}
    lines = [offence(n, crime_type=person, location=person) for n in range(400)]
    lines += [offence(900, **{name: value}) for name, value in faults.items()]
    lines += [f"{person},{person}", offence(901, location=f'"{person}')[:60] + f',"{person}"x']
    delivery = deliver(own_contracts, STREET, APRIL, street(lines))
    assert delivery.rows_quarantined == 6
    assert [flag["flag"] for flag in delivery.flags] == ["new_code"]
    refused = deliver(own_contracts, STREET, APRIL, street(offence(n, month=person) for n in range(50)))
    assert refused.state == "refused"
    told = query(own_contracts, "select q::text from quality.quarantine as q")
    told += query(own_contracts, "select a::text from quality.alert as a")
    told += query(own_contracts, "select d::text from quality.delivery as d")
    assert len(told) > 8
    assert not [row for row in told if "Zebedee" in row[0] or "Quux" in row[0]]


def test_a_document_without_a_labelled_period_covers_what_it_holds(own_contracts: Settings) -> None:
    def without_label(contract: dict[str, Any]) -> None:
        (delivery,) = (p["value"] for p in contract["customProperties"] if p["property"] == "delivery")
        del delivery["period"]["label"]
        delivery["patterns"] = [r"(?P<force>[a-z-]+?)-street\.csv$"]
        delivery["examples"] = ["metropolitan-street.csv"]
        delivery["limits"] = delivery["limits"] | {"withdrawn_share": 0.6}

    change(own_contracts, STREET, without_label)
    march = [offence(n, month="2017-03") for n in range(10)]
    name = "dyfed-powys-street.csv"
    assert deliver(own_contracts, STREET, name, street([*march, *OFFENCES[:10]])).counts == (20, 20, 0, 0, 0)
    again = deliver(own_contracts, STREET, name, street(OFFENCES[:9]))
    assert again.counts == (9, 0, 9, 0, 1), "it says nothing of March"
    assert (again.covers_from, again.covers_to) == (date(2017, 4, 1), date(2017, 4, 30))
    assert sum(current(own_contracts, STREET).values()) == 19


# --- other layouts ----------------------------------------------------------------------------------------


def test_an_answer_of_the_api_under_a_wards_name(settings: Settings) -> None:
    def record(number: int) -> str:
        return (
            f'{{"id": {number}, "month": "2018-06", "category": "burglary", "location_type": "Force",'
            f' "location": {{"latitude": "51.5", "longitude": "-0.2", "street": {{"id": 9, "name": "On or near A"}}}},'
            f' "location_subtype": "", "persistent_id": "", "outcome_status": null, "context": ""}}'
        )

    content = f"[{','.join(record(n) for n in range(1, 41))}]".encode()
    name = "2018-06_E05009400_0.json"
    assert deliver(settings, API, name, content).counts == (40, 40, 0, 0, 0)
    lying = deliver(settings, API, "2018-01_E05009401_0.json", content.replace(b'"id": 1,', b'"id": 101,'))
    assert lying.state == "refused" and lying.reason is not None
    assert "2018-01" in lying.reason and "2018-06" in lying.reason and lying.rows_refused == 40
    assert deliver(settings, API, name, content[:500]).state == "refused"
    assert deliver(settings, API, name, b"[]").state == "refused"
    # the same record in the neighbour's answer is a record of that answer
    assert deliver(settings, API, "2018-06_E05009401_0.json", content + b"\n").counts == (40, 40, 0, 0, 0)


def test_figures_are_compared_once_what_they_need_is_loaded(settings: Settings) -> None:
    """Both files come in one night, and the feed that is compared may be loaded first."""
    months = wide(date(2016, 4, 1), 12, lambda *_: 20)
    lines = [
        f"E090000{n:02},{borough},2016-17,{group},10,{figure}"
        for n, borough in enumerate(BOROUGHS, 1)
        for group, figure in (("Burglary", 240), ("Robbery", "n/a"))
    ]
    heading = "Code,Borough,Year,Offences,Rate,Number_of_offences"
    drop(settings, "borough_level_crime_201604_201703.csv", months, "mps")
    right = deliver(settings, "mps_borough_crime_rates", "crime rates.csv", csv_of(heading, lines), "mps")
    assert (right.state, right.counts) == ("admitted", (64, 64, 0, 0, 0))
    short = csv_of(heading, (line.replace(",240", ",200") for line in lines))
    wrong = deliver(settings, "mps_borough_crime_rates", "crime rates.csv", short, "mps")
    assert wrong.state == "refused" and wrong.reason is not None
    assert "2016-17 holds 10 months and is called a year" in wrong.reason


# --- memory -----------------------------------------------------------------------------------------------


def largest_block(settings: Settings, monkeypatch: pytest.MonkeyPatch, feed: str, name: str, content: bytes) -> int:
    sizes: list[int] = []

    def measured(items: Iterator[Any]) -> Generator[Any]:
        for block, faults in ahead(items):
            sizes.append(len(block))
            yield block, faults

    with monkeypatch.context() as patch:
        patch.setattr(saferkc.loading.loader, "ahead", measured)
        source = "mps" if feed == RECORDED else "police_open"
        assert deliver(settings, feed, name, content, source).state == "admitted"
    assert sum(sizes) > len(content) / 4
    return max(sizes)


def test_what_is_held_at_once_does_not_grow_with_the_file(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "BLOCK_BYTES", 20_000)
    small = street(offence(n, month="2017-01") for n in range(400))
    large = street(offence(n, month="2017-02") for n in range(8000))
    one_block = largest_block(settings, monkeypatch, STREET, street_name("2017-01"), small)
    assert largest_block(settings, monkeypatch, STREET, street_name("2017-02"), large) < 1.1 * one_block
    assert one_block < 3 * 20_000
    # a line of a wide file is many records, so fewer lines make a block
    few = wide(date(2010, 1, 1), 8, lambda *_: 100)
    many = wide(date(2010, 1, 1), 96, lambda *_: 100)
    name = "MPS Borough Level Crime (Historical).csv"
    one_block = largest_block(settings, monkeypatch, RECORDED, name, few)
    assert largest_block(settings, monkeypatch, RECORDED, name, many) < 3 * one_block


def test_the_worker_ahead_stops_when_nobody_takes_its_blocks() -> None:
    made = 0

    def endless() -> Iterator[int]:
        nonlocal made
        while True:
            made += 1
            yield made

    blocks = ahead(endless())
    assert next(blocks) == 1
    blocks.close()
    count = made
    assert count <= 6
    threading.Event().wait(0.2)
    assert made == count


def test_an_error_while_reading_reaches_who_takes_the_blocks() -> None:
    def failing() -> Iterator[int]:
        yield 1
        raise EOFError("cut")

    blocks = ahead(failing())
    assert next(blocks) == 1
    with pytest.raises(EOFError):
        next(blocks)


@pytest.mark.usefixtures("small_blocks")
def test_reading_stops_at_the_first_block_that_is_not_as_agreed(settings: Settings) -> None:
    """What a refused document held is counted nevertheless, read or not."""
    lines = [*OFFENCES, offence(300, location="Caf\xe9"), *(offence(n) for n in range(400, 500))]
    content = "".join(f"{line}\n" for line in [STREET_HEADING, *lines]).encode("latin-1")
    delivery = deliver(settings, STREET, APRIL, content)
    assert (delivery.state, delivery.rows_refused) == ("refused", 201)
    assert io.BytesIO(content).read().count(b"\n") == 202
    assert isinstance(delivery, Delivery)


def test_rows_in_quarantine_take_no_memory_until_they_are_entered(settings: Settings) -> None:
    """Of a document of which every row is spoilt that is known at its end."""
    delivery = deliver(settings, STREET, street_name(), street(offence(n) for n in range(3)))
    quarantine = Quarantine(STREET, delivery.delivery_id)
    tracemalloc.start()
    try:
        reason = 'it is no "date", nor a month'
        quarantine.add(QuarantinedRow(line, "month", "type", reason, f"{line:032x}") for line in range(2, 200_002))
        assert tracemalloc.get_traced_memory()[1] < 20 << 20
    finally:
        tracemalloc.stop()
    quarantine.add([QuarantinedRow(1, None, "quotes", reason)])
    with connect(settings) as connection:
        quarantine.enter(connection)
    rows = query(settings, "select line_number, column_name, reason, row_token from quality.quarantine order by 1")
    assert rows[:2] == [(1, None, reason, None), (2, "month", reason, f"{2:032x}")]
    assert len(rows) == 200_001
