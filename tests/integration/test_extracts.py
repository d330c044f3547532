"""Full extracts and extracts of changes: accounts, withdrawals, refusals, and work that follows the delivery."""

from __future__ import annotations

import dataclasses
import re
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from extracts_helpers import (
    CASES,
    DELETED,
    HEADING,
    REFERRALS,
    SOURCE,
    Extract,
    Record,
    contract,
    known_on,
    now_current,
    records,
    with_feeds,
)
from loading_helpers import (
    STREET,
    Delivery,
    assert_accounts,
    csv_of,
    deliver,
    deliveries,
    drop,
    load,
    offence,
    one,
    query,
    street,
    street_name,
    wipe,
)
from saferkc.landing import receive, replay
from saferkc.loading import load_arrivals, reader
from saferkc.settings import Settings
from saferkc.warehouse.connection import connect

CHECKOUT = Path(__file__).resolve().parents[2]
APRIL_3 = datetime(2017, 4, 3)
OPEN: Record = ("open", "")
CLOSED: Record = ("closed", "")
GONE: Record = (DELETED, "")


@pytest.fixture(scope="module")
def shared_warehouse(
    new_warehouse: Any, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    folder = tmp_path_factory.mktemp("two-feeds")
    with new_warehouse(folder, template_database) as own:
        yield with_feeds(
            own, folder / "project", contract(CASES, "changes"), contract(REFERRALS, "full", withdrawn_share=0.5)
        )


@pytest.fixture
def settings(shared_warehouse: Settings, tmp_path: Path) -> Settings:
    """Settings of a new home with an empty warehouse."""
    wipe(shared_warehouse)
    own = dataclasses.replace(shared_warehouse, home=tmp_path / "home")
    own.remember(**shared_warehouse.runtime())
    return own


def night(days: int) -> datetime:
    return APRIL_3 + timedelta(days=days)


def send(settings: Settings, feed: str, days: int, held: dict[int, Record], *spoilt: int) -> Delivery:
    """Deliver the extract of a night and return its account."""
    extract = Extract(feed, night(days), held, frozenset(spoilt))
    return deliver(settings, feed, extract.name, extract.content, SOURCE)


def admitted_unchanged_withdrawn(delivery: Delivery) -> tuple[int, int, int]:
    assert delivery.state == "admitted", delivery.reason
    return delivery.rows_admitted, delivery.rows_unchanged, delivery.rows_withdrawn


# --- changes ----------------------------------------------------------------------------------------------


def test_changes_say_nothing_of_what_they_do_not_hold(settings: Settings) -> None:
    first = send(settings, CASES, 0, dict.fromkeys(range(10), OPEN))
    assert admitted_unchanged_withdrawn(first) == (10, 0, 0)
    assert (first.covers_from, first.covers_to, first.vintage) == (date(2017, 4, 3),) * 3
    second = send(settings, CASES, 1, {0: CLOSED, 1: OPEN, 10: OPEN})
    assert admitted_unchanged_withdrawn(second) == (2, 1, 0), "a changed version, a re-sent row and a new record"
    assert now_current(settings, CASES) == {0: CLOSED} | dict.fromkeys(range(1, 11), OPEN)
    assert one(settings, f"select count(*) from raw.{CASES}") == 12


def test_a_withdrawn_record_leaves_the_current_view_and_stays_in_history(settings: Settings) -> None:
    send(settings, CASES, 0, {1: OPEN, 2: OPEN})
    assert admitted_unchanged_withdrawn(send(settings, CASES, 1, {2: GONE})) == (1, 0, 1)
    assert admitted_unchanged_withdrawn(send(settings, CASES, 2, {2: GONE})) == (0, 1, 0), "said again"
    assert now_current(settings, CASES) == {1: OPEN}
    assert known_on(settings, CASES, date(2017, 4, 3)) == {1: OPEN, 2: OPEN}
    assert known_on(settings, CASES, date(2017, 4, 4)) == {1: OPEN}
    assert admitted_unchanged_withdrawn(send(settings, CASES, 3, {2: OPEN})) == (1, 0, 0), "it has come back"
    assert now_current(settings, CASES) == {1: OPEN, 2: OPEN}
    assert query(settings, f"select status from raw.{CASES} where case_id = '2' order by delivery_id") == [
        ("open",),
        (DELETED,),
        ("open",),
    ]


def test_a_record_may_be_withdrawn_by_the_first_thing_that_is_said_of_it(settings: Settings) -> None:
    assert admitted_unchanged_withdrawn(send(settings, CASES, 1, {1: OPEN, 2: GONE})) == (2, 0, 0)
    assert admitted_unchanged_withdrawn(send(settings, CASES, 2, {3: GONE})) == (1, 0, 0)
    assert admitted_unchanged_withdrawn(send(settings, CASES, 0, {2: OPEN, 3: OPEN})) == (2, 0, 0)
    assert now_current(settings, CASES) == {1: OPEN}


def test_a_late_extract_is_history_behind_what_came_before_it(settings: Settings) -> None:
    send(settings, CASES, 0, {1: OPEN, 2: OPEN})
    send(settings, CASES, 2, {1: OPEN})  # said again: the late word of the night before does not undo it
    late = send(settings, CASES, 1, {1: CLOSED, 2: CLOSED, 3: OPEN})
    assert admitted_unchanged_withdrawn(late) == (3, 0, 0)
    assert now_current(settings, CASES) == {1: OPEN, 2: CLOSED, 3: OPEN}
    assert known_on(settings, CASES, date(2017, 4, 4)) == {1: CLOSED, 2: CLOSED, 3: OPEN}
    assert known_on(settings, CASES, date(2017, 4, 5)) == {1: OPEN, 2: CLOSED, 3: OPEN}


def test_extracts_that_arrive_together_are_loaded_in_the_order_in_which_they_were_taken(settings: Settings) -> None:
    for days, note in [(0, "a"), (3, "d"), (1, "b"), (2, "c")]:
        extract = Extract(CASES, night(days), {1: ("open", note)})
        drop(settings, extract.name, extract.content, SOURCE)
    assert [d.vintage for d in load(settings, CASES)] == [date(2017, 4, 3 + n) for n in range(4)]
    assert now_current(settings, CASES) == {1: ("open", "d")}


@pytest.mark.parametrize("feed", [CASES, REFERRALS])
def test_the_same_bytes_are_a_duplicate_on_the_same_day_and_news_on_another(settings: Settings, feed: str) -> None:
    send(settings, feed, 0, {1: OPEN})
    assert send(settings, feed, 0, {1: OPEN}).state == "duplicate"
    send(settings, feed, 1, {1: CLOSED})
    assert admitted_unchanged_withdrawn(send(settings, feed, 2, {1: OPEN})) == (1, 0, 0)
    assert now_current(settings, feed) == {1: OPEN}
    both = [Extract(feed, night(days), {1: CLOSED}) for days in (3, 4)]
    for extract in both:
        drop(settings, extract.name, extract.content, SOURCE)
    assert [d.state for d in load(settings, feed)] == ["admitted", "admitted"], "each of them is accounted for"


@pytest.mark.parametrize("feed", [CASES, REFERRALS])
@pytest.mark.parametrize("block", [60, 1 << 20])
@pytest.mark.parametrize("is_first", [True, False])
def test_two_rows_of_one_key_are_settled_within_the_delivery(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, feed: str, block: int, is_first: bool
) -> None:
    monkeypatch.setattr(reader, "BLOCK_BYTES", block)
    if not is_first:
        send(settings, feed, 0, {1: OPEN, 2: OPEN})
    lines = ["1,2016-05-01,open,", "2,2016-05-01,closed,", "1,2016-05-01,open,", "2,2016-05-01,open,"]
    delivery = deliver(settings, feed, f"{feed}_20170404.csv", csv_of(HEADING, lines), SOURCE)
    assert delivery.counts == ((4, 2, 1, 1, 0) if is_first else (4, 1, 2, 1, 0))
    assert now_current(settings, feed) == {1: OPEN, 2: CLOSED}
    assert query(settings, "select line_number, rule from quality.quarantine") == [(5, "record_key")]


def test_a_night_in_which_nothing_changed_is_a_delivery_of_no_rows(settings: Settings) -> None:
    send(settings, CASES, 0, {1: OPEN})
    assert send(settings, CASES, 1, {}).counts == (0, 0, 0, 0, 0)
    assert now_current(settings, CASES) == {1: OPEN}


# --- full -------------------------------------------------------------------------------------------------


def test_a_full_extract_withdraws_what_it_no_longer_holds(settings: Settings) -> None:
    send(settings, REFERRALS, 0, dict.fromkeys(range(10), OPEN))
    second = send(settings, REFERRALS, 1, {n: CLOSED if n == 0 else OPEN for n in range(9)})
    assert admitted_unchanged_withdrawn(second) == (1, 8, 1)
    assert now_current(settings, REFERRALS) == {0: CLOSED} | dict.fromkeys(range(1, 9), OPEN)
    assert len(known_on(settings, REFERRALS, date(2017, 4, 3))) == 10


def test_a_late_full_extract_withdraws_nothing_that_a_newer_one_holds(settings: Settings) -> None:
    send(settings, REFERRALS, 0, dict.fromkeys(range(4), OPEN))
    send(settings, REFERRALS, 2, dict.fromkeys(range(4), OPEN))
    late = send(settings, REFERRALS, 1, {0: OPEN, 1: CLOSED, 2: OPEN, 9: OPEN})
    assert admitted_unchanged_withdrawn(late) == (2, 2, 0)
    assert now_current(settings, REFERRALS) == dict.fromkeys(range(4), OPEN)
    assert known_on(settings, REFERRALS, date(2017, 4, 4)) == {0: OPEN, 1: CLOSED, 2: OPEN, 9: OPEN}
    assert known_on(settings, REFERRALS, date(2017, 4, 5)) == dict.fromkeys(range(4), OPEN)


@pytest.mark.parametrize("late", [False, True])
def test_a_full_extract_that_was_cut_off_is_refused(settings: Settings, late: bool) -> None:
    send(settings, REFERRALS, 0, dict.fromkeys(range(10), OPEN))
    if late:
        send(settings, REFERRALS, 2, dict.fromkeys(range(10), OPEN))
    before = query(settings, f"select * from raw.{REFERRALS} order by 1, 2")
    cut = send(settings, REFERRALS, 1, dict.fromkeys(range(4), CLOSED))
    assert (cut.state, cut.rows_refused) == ("refused", 4)
    assert cut.reason == (
        "it lacks 6 of the 10 records that the full extract before it holds; more than 50% is taken for a cut file"
    )
    assert query(settings, f"select * from raw.{REFERRALS} order by 1, 2") == before
    assert one(settings, "select count(*) from quality.absence") == 0


def test_a_record_whose_row_is_spoilt_is_not_taken_for_withdrawn(settings: Settings) -> None:
    send(settings, REFERRALS, 0, {1: OPEN, 2: OPEN, 3: OPEN})
    assert send(settings, REFERRALS, 1, {1: OPEN}, 2).counts == (2, 0, 1, 1, 1)
    assert now_current(settings, REFERRALS) == {1: OPEN, 2: OPEN}


# --- names that do not tell the truth ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("cases_20171303.csv", "its name does not say when it was extracted"),
        ("cases_20170403T2570.csv", "its name does not say when it was extracted"),
        ("cases_20990403.csv", "2099-04-03, which is still to come"),
    ],
)
def test_an_extract_whose_date_can_not_be_is_refused(settings: Settings, name: str, words: str) -> None:
    delivery = deliver(settings, CASES, name, Extract(CASES, APRIL_3, {1: OPEN}).content, SOURCE)
    assert (delivery.state, delivery.rows_refused) == ("refused", 1)
    assert delivery.reason is not None and words in delivery.reason
    assert now_current(settings, CASES) == {}


def test_a_few_records_of_later_days_are_slips_and_no_wrong_name(settings: Settings, tmp_path: Path) -> None:
    own = with_feeds(settings, tmp_path / "project", contract(CASES, "changes", quarantined_share=0.1))
    lines = [f"{n},2017-04-01,open," for n in range(19)]
    content = csv_of(HEADING, [*lines, "19,2017-05-01,open,"])
    assert deliver(own, CASES, "cases_20170403.csv", content, SOURCE).state == "admitted"
    content = csv_of(HEADING, [*lines, *(f"{n},2017-05-01,open," for n in range(19, 22))])
    wrong = deliver(own, CASES, "cases_20170404.csv", content, SOURCE)
    assert (wrong.state, wrong.reason) == (
        "refused",
        "its name says that it was extracted on 2017-04-04, but 3 of its 22 records are of later days, up to"
        " 2017-05-01: the label does not tell the truth about the content",
    )


# --- simulated, replayed ----------------------------------------------------------------------------------


def test_real_extracts_end_the_simulated_ones_for_every_day(settings: Settings) -> None:
    for days in (0, 5):
        extract = Extract(CASES, night(days), {1: OPEN, days: CLOSED})
        deliver(settings, CASES, f"simulated_{extract.name}", extract.content, SOURCE)
    assert len(known_on(settings, CASES, date(2017, 4, 4))) == 2
    real = send(settings, CASES, 1, {7: OPEN})
    assert admitted_unchanged_withdrawn(real) == (1, 0, 3)
    assert now_current(settings, CASES) == known_on(settings, CASES, date.max) == {7: OPEN}
    assert known_on(settings, CASES, date(2017, 4, 3)) == {}
    extract = Extract(CASES, night(9), {1: OPEN})
    assert deliver(settings, CASES, f"simulated_{extract.name}", extract.content, SOURCE).state == "refused"


def test_a_document_that_is_judged_again_keeps_its_place(settings: Settings, tmp_path: Path) -> None:
    """Two extracts of one day: the first, judged again under a mended contract, does not outdo the correction."""
    own = with_feeds(settings, tmp_path / "project", contract(CASES, "changes"))
    send(own, CASES, 0, {1: OPEN, 2: OPEN}, 3)
    send(own, CASES, 0, {1: CLOSED})
    mended = contract(CASES, "changes") | {"version": "2.0.0"}
    mended["schema"][0]["properties"][1]["customProperties"][0]["value"]["null_values"] = ["", "not a day"]
    mended["schema"][0]["properties"][1]["required"] = False
    mended["customProperties"][0]["value"]["period"] = {"grain": "month", "fixed": "2017-04"}
    path = own.contracts_dir / f"{CASES}.yaml"
    path.write_text(yaml.safe_dump(mended))
    fresh = dataclasses.replace(own, project_root=(tmp_path / "project").rename(tmp_path / "mended"))
    arrivals = replay(fresh, CASES, date(2017, 4, 3), date(2017, 4, 3))
    load_arrivals(fresh, CASES, arrivals)
    assert_accounts(fresh)
    assert len(arrivals) == 2 and {d.contract_version for d in deliveries(fresh)[-2:]} == {"2.0.0"}
    assert now_current(fresh, CASES) == {1: CLOSED, 2: OPEN, 3: OPEN}


# --- what the warehouse showed ----------------------------------------------------------------------------


def test_what_was_held_at_a_moment_can_be_asked_again_of_any_feed(settings: Settings) -> None:
    send(settings, CASES, 3, {1: OPEN})
    moment = one(settings, "select clock_timestamp()")
    send(settings, CASES, 1, {2: OPEN})  # late: known on the 4th, but not held by us at the moment
    assert records(settings, f"raw.{CASES}_as_held_at(%s)", moment) == {1: OPEN}
    assert known_on(settings, CASES, date(2017, 4, 4)) == {2: OPEN}


def test_an_analyst_can_ask_what_the_page_about_it_says(
    new_warehouse: Any, template_database: str, tmp_path: Path
) -> None:
    page = (CHECKOUT / "docs" / "as-it-was-known.md").read_text()
    (examples,) = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    statements = [statement for statement in examples.split(";") if statement.strip()]
    assert len(statements) == 2
    with new_warehouse(tmp_path, template_database) as own, connect(own) as connection:
        connection.execute("set local role pg_read_all_data")
        for statement in statements:
            assert connection.execute(statement.encode()).fetchall() == []


def test_the_feeds_of_months_have_it_too_and_no_index_more_than_before(
    new_warehouse: Any, template_database: str, tmp_path: Path
) -> None:
    with new_warehouse(tmp_path, template_database) as own:
        deliver(own, STREET, street_name(), street(offence(n) for n in range(100)))
        moment = one(own, "select clock_timestamp()")
        deliver(own, STREET, street_name(), street(offence(n) for n in range(90)))
        assert one(own, f"select count(*) from raw.{STREET}_as_held_at(%s)", moment) == 100
        assert one(own, f"select count(*) from raw.{STREET}_as_held_at(now())") == 90
        indexes = query(own, "select indexname from pg_indexes where tablename = %s", STREET)
        assert indexes == [(f"{STREET}_delivery",)]


# --- the work of a night ----------------------------------------------------------------------------------


def rows_read(settings: Settings, feed: str) -> int:
    """Rows of the feed's table, and of what is kept beside it, that the server has read so far."""
    others = (
        "select count(*) from pg_stat_activity where datname = current_database() and backend_type = 'client backend'"
        " and pid <> pg_backend_pid()"
    )
    while one(settings, others):  # a backend tells what it has read when it ends
        time.sleep(0.05)
    return int(
        one(
            settings,
            "select sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) from pg_stat_user_tables"
            " where relname in (%s, 'confirmation', 'absence')",
            feed,
        )
    )


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("history", [1_000, 30_000])
def test_the_work_of_a_night_of_changes_follows_the_night_and_not_history(
    settings: Settings, history: int, late: bool
) -> None:
    """A night of 200 rows reads a few rows for each, whether 1,000 or 30,000 records have changed in 3 or 32 nights."""
    send(settings, CASES, 0, dict.fromkeys(range(history), OPEN))
    send(settings, CASES, 1, dict.fromkeys(range(history), CLOSED))
    for days in range(2, 2 + history // 1_000):  # a night adds as much to history as a record does
        extract = Extract(CASES, night(0) + timedelta(minutes=60 + days), {history - 1: ("open", str(days))})
        drop(settings, extract.name, extract.content, SOURCE)
    load(settings, CASES)
    if late:
        send(settings, CASES, 9, dict.fromkeys(range(history - 100, history), OPEN))
    changed = dict.fromkeys(range(100), OPEN) | dict.fromkeys(range(100, 150), CLOSED)
    changed |= dict.fromkeys(range(150, 170), GONE) | dict.fromkeys(range(history, history + 30), OPEN)
    before = rows_read(settings, CASES)
    assert admitted_unchanged_withdrawn(send_only(settings, 2, changed)) == (150, 50, 20)
    assert 200 <= rows_read(settings, CASES) - before <= 8 * 200


def test_what_a_night_brought_is_found_wherever_it_came_to_stand(settings: Settings) -> None:
    """Its checks and the marts ask for a night's rows; they are written where room has become free."""
    send(settings, CASES, 0, dict.fromkeys(range(3_000), OPEN))
    for days in range(1, 4):
        with connect(settings, autocommit=True) as connection:
            connection.execute(f"vacuum raw.{CASES}".encode())
        send(settings, CASES, days, dict.fromkeys(range(days, 3_000, 30), ("open", str(days))))
    with connect(settings) as connection:
        connection.execute("set local enable_seqscan = off")  # a table as small as this is better read whole
        ask = f"explain (analyze, format json) select note from raw.{CASES} where delivery_id = %s"
        (plan,) = connection.execute(ask.encode(), [deliveries(settings)[-1].delivery_id]).fetchone() or ()
    scan = plan[0]["Plan"]
    assert (scan["Actual Rows"], scan.get("Rows Removed by Index Recheck", 0)) == (100, 0)


def send_only(settings: Settings, days: int, held: dict[int, Record]) -> Delivery:
    """As ``send``, without reading the whole table to see whether accounts add up."""
    extract = Extract(CASES, night(days), held)
    drop(settings, extract.name, extract.content, SOURCE)
    load_arrivals(settings, CASES, receive(settings, CASES))
    return deliveries(settings)[-1]
