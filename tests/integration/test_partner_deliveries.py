"""Simulated partner deliveries through the real loader: all is admitted, and every fault ends as it must."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from loading_helpers import Delivery, wipe
from psycopg.rows import class_row
from saferkc.landing import receive
from saferkc.loading import load_arrivals
from saferkc.settings import Settings
from saferkc.simulation import PARTNER_FEEDS, PARTNER_SCENARIOS, deliver_partners
from saferkc.simulation.partner_faults import FAULTS, spoil
from saferkc.simulation.partners import file_name
from saferkc.simulation.truth import truth_of
from saferkc.warehouse.connection import connect

NIGHT = date(2017, 6, 4)
SCALE = 0.4
ADMITTED, REFUSED = "admitted", "refused"
# what is read as if nothing were wrong
UNHARMED = (
    "partner_new_column", "partner_reordered_columns", "partner_bom", "partner_cp1252", "partner_line_ends",
    "partner_page_twice",
)  # fmt: skip
REFUSED_WHOLE = {
    "partner_cut_off": "cut short",
    "partner_cut_off_extract": "taken for a cut file",
    "partner_wrong_month": "does not tell the truth",
    "partner_missing_column": "lacks the column Offence Code",
    "partner_renamed_column": "lacks the column Offence Code",
    "partner_utf16": "UTF-16",
    "partner_zip_bomb": "zip bomb",
    "partner_climbing_path": "leads out of it",
    "partner_wrong_key": "saferkc_police_pgp",
    "partner_locked_workbook": "saferkc_angelou_workbook",
}
QUARANTINED = {
    "partner_open_quote": "quotes",
    "partner_delimiter_in_text": "column_count",
    "partner_text_in_numbers": "type",
    "partner_impossible_dates": "type",
    "partner_ages": "range",
    "partner_formulas": "pattern",
}
FLAGGED = {
    "partner_new_column": {"new_column"},
    "partner_new_code": {"new_code"},
    "partner_clocks": {"hour_shown_twice", "hour_never_shown"},
}
SpoiltNight = Callable[[str], tuple[list[Delivery], dict[str, object]]]
OTHERS = ("partner_late", "partner_missing", "partner_double", "partner_correction", "partner_withdrawn")


def take(settings: Settings, feed: str) -> list[Delivery]:
    """Load what lies in the inbox for the feed and return all of its deliveries, oldest name first."""
    load_arrivals(settings, feed, receive(settings, feed))
    names = ", ".join(Delivery.__annotations__)
    with connect(settings) as connection, connection.cursor(row_factory=class_row(Delivery)) as cursor:
        cursor.execute(f"select {names} from quality.delivery where feed = %s order by source_name", [feed])  # type: ignore[arg-type]
        return cursor.fetchall()


@pytest.fixture(scope="module")
def shared_warehouse(
    new_warehouse: Any, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """One database for the whole module: emptying it is quicker than making another."""
    with new_warehouse(tmp_path_factory.mktemp("partner-deliveries"), template_database) as own:
        yield own


@pytest.fixture
def settings(shared_warehouse: Settings, tmp_path: Path) -> Settings:
    """Settings of a new home with an empty warehouse."""
    wipe(shared_warehouse)
    own = dataclasses.replace(shared_warehouse, home=tmp_path / "home")
    own.remember(**shared_warehouse.runtime())
    return own


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two nights of the feeds that have faults, without any."""
    folder = tmp_path_factory.mktemp("clean")
    deliver_partners(
        Settings.load(folder), date_from=NIGHT - timedelta(days=1), date_to=NIGHT, scale=SCALE, history=False,
        feeds=sorted({fault.feed for fault in FAULTS.values()}), truth=False, out=folder,
    )  # fmt: skip
    return folder


@pytest.fixture
def spoilt_night(settings: Settings, clean: Path) -> SpoiltNight:
    """Delivers two nights of a scenario's feed, the second with its fault; gives all deliveries, and what was done."""

    def deliver(scenario: str) -> tuple[list[Delivery], dict[str, object]]:
        feed = FAULTS[scenario].feed
        for day in (NIGHT - timedelta(days=1), NIGHT):
            put(settings, next(clean.rglob(file_name(feed, day))), file_name(feed, day))
        name = file_name(feed, NIGHT)
        (path,) = settings.inbox.rglob(name)
        spoil([path], {feed: name}, [scenario], NIGHT, settings.home / "truth")
        (done,) = json.loads((settings.home / "truth" / "simulated_faults.json").read_text())
        return take(settings, feed), done

    return deliver


def put(settings: Settings, file: Path, name: str) -> None:
    """Put a file into the inbox under a name."""
    target = settings.inbox / file.parent.name / name
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(file, target)


def again(settings: Settings, clean: Path, feed: str, name: Callable[[Path], str]) -> Delivery:
    """Load the last night's file once more without any fault, under a name that says a later extract."""
    file = next(clean.rglob(file_name(feed, NIGHT)))
    put(settings, file, name(file))
    return take(settings, feed)[-1]


def later(path: Path) -> str:
    stamp = f"{NIGHT:%Y%m%d}"
    return path.name.replace(stamp, f"{stamp}T2359")


def test_every_feed_is_admitted_whole_and_nothing_in_it_is_new(settings: Settings) -> None:
    night = date(2017, 3, 31)
    deliver_partners(settings, date_from=night - timedelta(days=1), date_to=night, scale=0.02)
    for feed in PARTNER_FEEDS:
        deliveries = take(settings, feed)
        assert {d.state for d in deliveries} == {ADMITTED}, [d.reason for d in deliveries]
        assert sum(d.rows_in for d in deliveries) > 30, feed
        assert sum(d.rows_quarantined for d in deliveries) == 0, feed
        flags = {flag["flag"] for d in deliveries for flag in d.flags if not flag.get("is_usual")}
        assert flags == set(), feed
        assert all(d.is_simulated for d in deliveries)


def test_what_stands_in_the_warehouse_is_what_happened(settings: Settings) -> None:
    night = date(2017, 12, 31)
    for feed in ("police_offences", "police_victims"):
        deliver_partners(settings, date_from=night, date_to=night, scale=0.1, feeds=[feed], truth=False)
        take(settings, feed)
    truth = truth_of(2017, 2016, scale=0.1)
    real = truth["offences"].filter(~truth["offences"]["is_no_crime"])
    with connect(settings) as connection:
        standing = connection.execute(
            """
            select count(*), count(*) filter (where is_domestic_abuse), count(*) filter (where is_knife_used)
            from raw.police_offences
            where withdrawn_delivery_id is null
                and recorded_date between '2016-04-01' and '2017-03-31'
            """
        ).fetchone()
        people = connection.execute(
            """
            select count(distinct victim_token) from raw.police_victims
            where withdrawn_delivery_id is null
                and recorded_date between '2016-04-01' and '2017-03-31'
            """
        ).fetchone()
    assert standing == (real.height, real["is_domestic"].sum(), real["is_knife_injury"].sum())
    # a name written in another usual way is the same person; one misspelt (4 in 1,000) is not
    victims = truth["victims"].filter(~truth["victims"]["is_no_crime"])
    assert people is not None
    assert victims["person"].n_unique() <= people[0] <= victims["person"].n_unique() * 1.01


@pytest.mark.parametrize("scenario", sorted(REFUSED_WHOLE))
def test_a_delivery_that_is_spoilt_as_a_whole_is_refused(scenario: str, spoilt_night: SpoiltNight) -> None:
    deliveries, _ = spoilt_night(scenario)
    states = {d.state: d for d in deliveries}
    assert set(states) == {ADMITTED, REFUSED}
    assert REFUSED_WHOLE[scenario] in (states[REFUSED].reason or "")
    assert states[REFUSED].rows_admitted == states[REFUSED].rows_withdrawn == 0


@pytest.mark.parametrize("scenario", sorted(QUARANTINED))
def test_exactly_the_spoilt_rows_are_quarantined(scenario: str, settings: Settings, spoilt_night: SpoiltNight) -> None:
    deliveries, done = spoilt_night(scenario)
    spoilt = deliveries[-1]
    with connect(settings) as connection:
        rows = connection.execute("select line_number, rule from quality.quarantine order by line_number").fetchall()
    assert [line for line, _ in rows] == done["lines"] != []
    assert {rule for _, rule in rows} == {QUARANTINED[scenario]}
    assert spoilt.state == ADMITTED
    assert spoilt.rows_in == spoilt.rows_admitted + spoilt.rows_unchanged + spoilt.rows_quarantined


@pytest.mark.parametrize("scenario", sorted(UNHARMED))
def test_an_odd_way_of_writing_is_read_as_if_nothing_were_wrong(
    scenario: str, settings: Settings, clean: Path, spoilt_night: SpoiltNight
) -> None:
    deliveries, done = spoilt_night(scenario)
    assert {d.state for d in deliveries} == {ADMITTED}
    sent_again = again(settings, clean, str(done["feed"]), later)
    # the fault of cp1252 puts an accent into one name
    assert sent_again.rows_admitted == (1 if scenario == "partner_cp1252" else 0)
    assert sent_again.rows_unchanged > 0


@pytest.mark.parametrize("scenario", sorted(FLAGGED))
def test_what_is_new_is_let_in_and_flagged(scenario: str, spoilt_night: SpoiltNight) -> None:
    deliveries, _ = spoilt_night(scenario)
    spoilt = deliveries[-1]
    assert spoilt.state == ADMITTED
    assert spoilt.rows_quarantined == 0
    assert {flag["flag"] for flag in spoilt.flags} >= FLAGGED[scenario]


def test_a_late_delivery_comes_a_night_later(settings: Settings, spoilt_night: SpoiltNight) -> None:
    (first,), done = spoilt_night("partner_late")
    assert done["files"] == []
    (late,) = (settings.home / "held_back").rglob("*.csv")
    late.rename(settings.inbox / "police" / late.name)
    second = take(settings, "police_offences")[-1]
    assert (first.state, second.state) == (ADMITTED, ADMITTED)
    assert second.rows_admitted == second.rows_in > 0


def test_a_missing_delivery_leaves_nothing(settings: Settings, spoilt_night: SpoiltNight) -> None:
    deliveries, done = spoilt_night("partner_missing")
    assert [d.source_name for d in deliveries] == ["simulated_offences_20170603.csv"]
    assert not list((settings.home / "held_back").rglob("*"))
    assert done["files"] == []


def test_the_same_bytes_twice_are_one_delivery(spoilt_night: SpoiltNight) -> None:
    deliveries, done = spoilt_night("partner_double")
    assert len(done["files"]) == 2  # type: ignore[arg-type]
    assert sum(d.rows_admitted for d in deliveries if "0604" in d.source_name) == again_rows(deliveries)


def again_rows(deliveries: list[Delivery]) -> int:
    return max(d.rows_in for d in deliveries if "0604" in d.source_name)


def test_a_correction_is_a_new_version_of_what_it_corrects(spoilt_night: SpoiltNight) -> None:
    deliveries, _ = spoilt_night("partner_correction")
    corrected = deliveries[-1]
    tenth = len(range(0, corrected.rows_in, 10))
    assert (corrected.rows_admitted, corrected.rows_unchanged) == (tenth, corrected.rows_in - tenth)


def test_what_is_withdrawn_leaves_the_current_view_and_stays_in_history(
    settings: Settings, spoilt_night: SpoiltNight
) -> None:
    deliveries, _ = spoilt_night("partner_withdrawn")
    gone = deliveries[-1]
    assert 0 < gone.rows_withdrawn <= gone.rows_in
    with connect(settings) as connection:
        standing, ever = connection.execute(
            """
            select count(*) filter (where withdrawn_delivery_id is null), count(distinct offence_id_police)
            from raw.police_offences
            """
        ).fetchone() or (0, 0)
    assert ever - standing >= gone.rows_withdrawn


def test_every_scenario_has_a_test() -> None:
    tested = {*REFUSED_WHOLE, *QUARANTINED, *UNHARMED, *FLAGGED, *OTHERS}
    assert tested == set(PARTNER_SCENARIOS)
