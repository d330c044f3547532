"""The detector on the files of the Metropolitan Police, 2008 to 2018: what is known to have happened is found.

They were looked at while the detector was written; docs/recording-changes.md says what that changed.
"""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path

import pytest
from saferkc.disclosure import Rule
from saferkc.recording import Change, Feed, examine
from saferkc.recording.months import months_apart
from saferkc.recording.published import as_one_area, wide_panels
from saferkc.recording.words import as_shown

HOME = "Kensington and Chelsea"
FILES = ("borough_level_crime_200801_201612.csv", "borough_level_crime_201701_201812.csv")
APRIL_2017, JANUARY_2017 = date(2017, 4, 1), date(2017, 1, 1)


@pytest.fixture(scope="module")
def feed(real_data: Path) -> Feed:
    return Feed("mps_recorded_crime", wide_panels([real_data / "mps" / name for name in FILES], "mps_recorded_crime"))


@pytest.fixture(scope="module")
def boroughs(feed: Feed) -> list[Change]:
    started = time.process_time()
    found = examine(feed)
    assert time.process_time() - started < 60
    return found


@pytest.fixture(scope="module")
def london(feed: Feed) -> list[Change]:
    return examine(Feed(feed.name, as_one_area(feed.panels, "London")))


def burglary(changes: list[Change], month: date, tolerance: int) -> list[Change]:
    return [
        change
        for change in changes
        if change.lead.kind == "recording"
        and "Burglary" in (change.lead.bridged_parent, change.lead.series)
        and abs(months_apart(change.lead.month, month)) <= tolerance
    ]


def test_all_series_of_33_boroughs_are_read(feed: Feed) -> None:
    assert len(feed.panels) == 9
    assert {len(panel.areas) for panel in feed.panels} == {33}
    assert len(feed.months) == 132


def test_the_burglary_change_of_april_2017_is_found_here_and_bridged_over_all_burglary(boroughs: list[Change]) -> None:
    (change,) = [change for change in burglary(boroughs, APRIL_2017, 1) if HOME in change.areas]
    assert (change.lead.treatment, change.lead.bridged_parent) == ("bridge", "Burglary")
    assert change.lead.nature in ("split", "merge")
    assert len(change.areas) >= 32


def test_evidence_says_level_only_of_what_is_level(boroughs: list[Change]) -> None:
    """Residential rose by twice what the other burglary lost: a reader must not be told that the two are level."""
    (change,) = [change for change in burglary(boroughs, APRIL_2017, 1) if HOME in change.areas]
    said = as_shown(change.evidence[0], Rule(suppress_up_to=-1, round_to=1, values_left=0))
    assert "both together rose by about" in said
    assert "which may be chance" in said


def test_it_is_found_for_london_as_one_area(london: list[Change]) -> None:
    (change,) = burglary(london, APRIL_2017, 1)
    assert (change.lead.treatment, change.lead.bridged_parent) == ("bridge", "Burglary")


def test_the_labels_of_january_2017_are_a_rename_and_no_change_of_level(
    boroughs: list[Change], london: list[Change]
) -> None:
    for changes in (boroughs, london):
        (change,) = burglary(changes, JANUARY_2017, 0)
        assert change.lead.nature == "rename"
        assert {finding.nature for finding in change.findings} == {"rename"}


def test_the_move_of_fraud_in_2013_is_found_and_breaks_the_series(boroughs: list[Change], london: list[Change]) -> None:
    for changes in (boroughs, london):
        fraud = [
            change
            for change in changes
            if change.lead.kind == "recording"
            and any("Fraud" in name or name == "Counted per Victim" for name in change.lead.classes)
            and date(2013, 1, 1) <= change.lead.month <= date(2013, 4, 1)
        ]
        assert [change.lead.treatment for change in fraud] == ["break"]


def test_no_carnival_august_is_called_recording(boroughs: list[Change]) -> None:
    here = [change for change in boroughs if HOME in change.areas and len(change.areas) < 5]
    assert not [change for change in here if change.lead.month.month in (8, 9) and change.lead.kind != "real"]


def test_no_rise_or_fall_of_single_boroughs_is_called_recording(boroughs: list[Change]) -> None:
    local = [change for change in boroughs if change.lead.kind == "recording" and len(change.areas) < 5]
    assert not local, [(change.lead.month, change.lead.series, change.areas) for change in local]
