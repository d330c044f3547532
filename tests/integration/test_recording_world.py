"""What the detector reads of every feed is what the files hold, and of the simulated world it says what is true.

The world is that of ``make run``: two years of open data, and the partners' history from 2006 with three nights.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from delivered_files import Delivered, read
from marts_helpers import NewWarehouse, load_inbox
from saferkc.recording import Change, Feed, KnownChange, Panel, examine
from saferkc.recording.detect import MONTHS_OF_A_NIGHT, MONTHS_TO_READ
from saferkc.recording.published import wide_panels
from saferkc.recording.reading import read_feeds
from saferkc.recording.register import known_changes, read_register
from saferkc.recording.watch import watch
from saferkc.settings import Settings
from saferkc.simulation import simulate_all
from saferkc.warehouse.connection import connect

_HOME = "E09000020"


@dataclass(frozen=True)
class World:
    """A loaded warehouse, the files that it was loaded from, and its feeds as the detector takes them."""

    settings: Settings
    files: Path
    feeds: dict[str, Feed]
    register: list[KnownChange]


@pytest.fixture(scope="module")
def world(
    new_warehouse: NewWarehouse, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("recording-world")
    with new_warehouse(folder, template_database) as settings:
        files = folder / "delivered"
        simulate_all(settings, date_from=date(2016, 1, 1), date_to=date(2017, 12, 31), nights=3)
        shutil.copytree(settings.inbox, files)
        load_inbox(settings)
        with connect(settings) as connection:
            feeds = {feed.name: feed for feed in read_feeds(connection, settings)}
        yield World(settings, files, feeds, known_changes(read_register(settings.dbt_project_dir / "seeds")))


@pytest.fixture(scope="module")
def files(world: World) -> Delivered:
    return read(world.files)


def counted(panels: tuple[Panel, ...]) -> dict[tuple[Any, ...], float]:
    """Every cell that holds something: whole, class, month. Two spellings of a label are one class."""
    return {
        (panel.parent, child.casefold(), month): float(panel.counts[:, number, when].sum())
        for panel in panels
        for number, child in enumerate(panel.children)
        for when, month in enumerate(panel.months)
        if panel.counts[:, number, when].sum() > 0
    }


def in_file(
    frame: pd.DataFrame, whole: str | pd.Series, child: pd.Series, day: pd.Series
) -> dict[tuple[Any, ...], float]:
    month = day.dt.to_period("M").dt.to_timestamp().dt.date
    table = pd.DataFrame({"whole": whole, "child": child.str.casefold(), "month": month}, index=frame.index)
    # the month of the last extract ended with it, so no month is left out
    return {key: float(count) for key, count in table.groupby(["whole", "child", "month"]).size().items()}


def test_offences_are_counted_as_the_files_have_them(world: World, files: Delivered) -> None:
    feed = world.feeds["police_offences"]
    offences = files.offences
    classes = tuple(panel for panel in feed.panels if panel.dimension == "category")
    assert counted(classes) == in_file(offences, offences["Major Class"], offences["Minor Class"], offences["recorded"])
    flags = feed.panels[-1]
    domestic, hate = (flags.counts[0, flags.children.index(name)] for name in ("Domestic abuse", "Hate crime"))
    assert (domestic.sum(), hate.sum()) == ((offences["Domestic Abuse"] == "Y").sum(), offences["hate"].sum())
    assert flags.total.sum() == len(offences)
    missing = next(rate for rate in feed.rates if "Super Output Area" in rate.name)
    assert (missing.having.sum(), missing.records.sum()) == ((offences["LSOA Code"] == "").sum(), len(offences))

    wards = world.feeds[f"police_offences by ward of {_HOME}"]
    placed = offences[offences["Ward"] != ""]
    assert counted(wards.panels) == in_file(placed, "All offences", placed["Ward"], placed["recorded"])


def test_services_are_counted_as_the_files_have_them(world: World, files: Delivered) -> None:
    calls, actions = files.calls, files.actions
    assert counted(world.feeds["police_asb_incidents"].panels) == in_file(
        calls, "All incidents", calls["ASB Type"], calls["reported"]
    )
    assert sum(panel.counts.sum() for panel in world.feeds["council_enforcement_actions"].panels) == len(actions)
    here = files.referrals[files.referrals["Borough"] == "Kensington and Chelsea"]
    (referrals,) = world.feeds["angelou_referrals"].panels
    row = referrals.areas.index(_HOME)
    assert referrals.total[row].sum() == len(here)
    assert referrals.counts[row].sum() == here["strands"].map(len).sum(), "a referral for two kinds counts in both"
    assert world.feeds["rahab_clients"].panels[0].total.sum() == len(files.support)
    assert world.feeds["tmo_asb_cases"].panels[0].total.sum() == len(files.cases)


def test_published_files_are_counted_as_they_are(world: World) -> None:
    paths = sorted((world.files / "mps").glob("simulated_borough_level_crime_*.csv"))
    said = wide_panels(paths, "mps")
    assert sum(np.nansum(p.counts) for p in world.feeds["mps_recorded_crime"].panels) == sum(
        np.nansum(p.counts[[n for n, area in enumerate(p.areas) if "Airport" not in area]]) for p in said
    )


def changes_of(world: World) -> dict[str, list[Change]]:
    return {name: examine(feed, world.register) for name, feed in world.feeds.items()}


def told(changes: list[Change]) -> set[tuple[date, str, str | None, str]]:
    return {(c.lead.month, c.lead.kind, c.lead.nature, c.lead.whole) for c in changes if c.lead.kind != "real"}


def test_what_the_simulator_changed_is_found_and_nothing_else_is_said(world: World) -> None:
    april, january = date(2017, 4, 1), date(2017, 1, 1)
    found = changes_of(world)
    assert {name: told(changes) for name, changes in found.items() if told(changes)} == {
        # the rule of April 2017, in the words of which the police's other labels change too; fraud leaves in 2013
        "police_offences": {
            (date(2013, 4, 1), "recording", "scope", "Fraud or Forgery"),
            (april, "recording", "split", "Burglary"),
            (april, "recording", "rename", "Criminal Damage"),
            (april, "recording", "rename", "Theft and Handling"),
        },
        # labels change with the file of January 2017
        "mps_recorded_crime": {
            (january, "recording", "rename", "Burglary"),
            (january, "recording", "rename", "Criminal Damage"),
            (january, "recording", "rename", "Drugs"),
            (january, "recording", "rename", "Theft and Handling"),
            (january, "recording", "merge", "Violence Against the Person"),
        },
        "police_asb_incidents": {(date(2011, 4, 1), "recording", "merge", "All incidents")},
        # two services of the council begin
        "council_enforcement_actions": {
            (date(2014, 4, 1), "recording", "scope", "All actions"),
            (date(2015, 4, 1), "recording", "split", "All actions"),
        },
    }
    evidence = [text for changes in found.values() for change in changes for text in change.evidence]
    assert any("in Kensington and Chelsea" in text for text in evidence)
    assert not any("E09000020" in text for text in evidence), "people know areas by their names"
    registered = {c.lead.register_id for changes in found.values() for c in changes if c.lead.register_id}
    assert registered == {"burglary_2017", "fraud_2013", "mps_labels_2017", "asb_types_2011"}


def test_a_night_reads_what_it_needs_and_says_of_it_what_the_whole_look_says(world: World) -> None:
    with connect(world.settings) as connection:
        (feed, by_ward) = read_feeds(connection, world.settings, only=["police_offences"], months=MONTHS_TO_READ)
    assert len(feed.months) == len(by_ward.months) == MONTHS_TO_READ
    since = len(feed.months) - MONTHS_OF_A_NIGHT
    night = told(examine(feed, world.register, since=since))
    whole = world.feeds["police_offences"]
    assert night == told(examine(whole, world.register, since=len(whole.months) - MONTHS_OF_A_NIGHT))
    assert {what for *_, what in night} == {"Burglary", "Criminal Damage", "Theft and Handling"}


def test_the_month_that_is_running_is_left_out(world: World) -> None:
    with connect(world.settings) as connection:
        connection.execute("delete from quality.delivery_coverage where period = '2017-12-31'")
        running = {feed.name: feed.months[-1] for feed in read_feeds(connection, world.settings)}
        connection.rollback()
    december, november = date(2017, 12, 1), date(2017, 11, 1)
    assert {name: month for name, month in running.items() if month == december} == {
        name: december for name in running if name.startswith(("mps_", "police_open"))
    }
    assert {month for month in running.values() if month != december} == {november}


def test_records_are_late_by_the_extract_that_first_held_them(world: World) -> None:
    nights = [
        pd.read_csv(path, dtype=str, keep_default_na=False)
        for path in sorted((world.files / "police").glob("simulated_offences_2*.csv"))
    ]
    late, known = 0, set(nights[0]["Crime Reference"])
    for night, day in zip(nights[1:], (date(2017, 12, 30), date(2017, 12, 31)), strict=True):
        new = night[~night["Crime Reference"].isin(known)]
        recorded = pd.to_datetime(new["Recorded Date"], format="%d/%m/%Y")
        late += int(((recorded >= "2017-12-01") & ((pd.Timestamp(day) - recorded).dt.days > 8)).sum())
        known |= set(new["Crime Reference"])
    assert late, "some come late"
    with connect(world.settings) as connection:
        # as if the first extract had been taken a month earlier, with what it holds
        connection.execute(
            "update quality.delivery set extracted_at = '2017-11-30'"
            " where feed = 'police_offences' and extracted_at = '2017-12-29'"
        )
        feed = next(iter(read_feeds(connection, world.settings, only=["police_offences"])))
        connection.rollback()
    rate = next(rate for rate in feed.rates if "more than 8 days" in rate.name)
    assert rate.having.sum() == rate.having[0, -1] == late
    recorded = pd.concat(nights).drop_duplicates("Crime Reference")["Recorded Date"]
    assert rate.records.sum() == recorded.str.endswith("/12/2017").sum()


def test_what_may_be_a_name_is_found_like_any_new_code_and_never_shown(world: World) -> None:
    # somebody's name, typed where a code or a ward stands; and a new code of open data, which is shown
    name, open_code = "Zebedee Nevershown", "Scooter Theft"
    changed = {
        "raw.police_offences": f"minor_class = '{name}' where minor_class = 'Theft From Shops'",
        "raw.tmo_asb_cases": f"categories = '{name}' where true",
        "raw.mps_recorded_crime": f"minor_category = '{open_code}' where minor_category = 'Theft From Shops'",
    }
    with connect(world.settings) as connection:
        for table, words in changed.items():
            connection.execute(f"update {table} set {words} and period >= '2017-09-01'".encode())
            assert connection.execute(f"select 1 from {table} where period >= '2017-09-01'".encode()).fetchone(), table
    watch(world.settings)
    told: dict[str, str] = {}
    with connect(world.settings) as connection:
        for table in ("recording_change", "alert", "check_result"):
            rows = connection.execute(f"select to_jsonb(t)::text from quality.{table} as t".encode()).fetchall()
            told[table] = "\n".join(row[0] for row in rows)
        found = connection.execute(
            "select feed, series from quality.recording_change where evidence ->> 'classes' like %s"
            " or evidence ->> 'classes' like %s order by 1",
            ["%(not shown)%", f"%{open_code}%"],
        ).fetchall()
    for table, text in told.items():
        assert name.split()[1] not in text, table
    feeds = [feed for feed, _ in found]
    assert {"mps_recorded_crime", "police_offences", "tmo_asb_cases"} <= set(feeds)
    stand_ins = {series for feed, series in found if "not shown" in series}
    assert len(stand_ins) == 1, "one word stands for one code, wherever it is typed"
    assert any(open_code in series for feed, series in found if feed == "mps_recorded_crime")
    assert watch(world.settings).new == 0, "it is the same change on another night"
