"""The detector's series from raw: labels as delivered, holes as holes, what is simulated apart from what is real."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from loading_helpers import RECORDED, STREET, deliver, month_after, wide
from saferkc.landing import receive
from saferkc.loading import load_arrivals
from saferkc.recording import examine
from saferkc.recording.reading import read_feeds
from saferkc.recording.series import Feed
from saferkc.settings import Settings
from saferkc.simulation import simulate
from saferkc.warehouse.connection import connect

_FIRST, _EIGHT = date(2016, 1, 1), 8
_LATER = month_after(_FIRST, _EIGHT + 1)
_HOME = "E09000020"
_AIRPORTS = "London Heathrow and London City Airports,Burglary,Burglary in a Dwelling" + ",7" * _EIGHT


def feeds(settings: Settings, months: int | None = None) -> dict[str, Feed]:
    with connect(settings) as connection:
        return {feed.name: feed for feed in read_feeds(connection, settings, months=months)}


def deliver_from(settings: Settings, first: date, content: bytes, prefix: str = "") -> None:
    last = month_after(first, _EIGHT - 1)
    name = f"{prefix}borough_level_crime_{first:%Y%m}_{last:%Y%m}.csv"
    assert deliver(settings, RECORDED, name, content, "mps").state == "admitted"


def count(borough: str, major: str, month: date) -> int:
    return len(borough) + 10 * month.month + (100 if major == "Burglary" else 0)


def test_series_are_read_by_label_and_a_month_that_no_file_covers_is_not_known(settings: Settings) -> None:
    assert feeds(settings) == {}
    deliver_from(settings, _FIRST, wide(_FIRST, _EIGHT, count, [_AIRPORTS]))
    new = wide(_LATER, _EIGHT, count).replace(b"Burglary in a Dwelling", b"Burglary - Residential")
    deliver_from(settings, _LATER, new)
    feed = feeds(settings)["mps_recorded_crime"]
    burglary, robbery = feed.panels
    assert len(burglary.areas) == 32, "pseudo-boroughs are no peers"
    assert feed.months == tuple(month_after(_FIRST, number) for number in range(2 * _EIGHT + 1))
    assert burglary.children == ("Burglary - Residential", "Burglary in a Dwelling")
    assert (burglary.series, robbery.series) == ("burglary", "robbery")
    home = burglary.counts[burglary.areas.index(_HOME)]
    said = [count("Kensington and Chelsea", "Burglary", month) for month in feed.months]
    nothing = [0] * _EIGHT
    np.testing.assert_array_equal(home[0], [*nothing, np.nan, *said[_EIGHT + 1 :]])
    np.testing.assert_array_equal(home[1], [*said[:_EIGHT], np.nan, *nothing])

    short = feeds(settings, months=_EIGHT)["mps_recorded_crime"]
    assert short.months == feed.months[-_EIGHT:]
    assert short.panels[0].children == ("Burglary - Residential",)


def test_the_first_real_file_ends_what_was_simulated(settings: Settings) -> None:
    deliver_from(settings, _FIRST, wide(_FIRST, _EIGHT, count), "simulated_")
    assert feeds(settings)["mps_recorded_crime"].months[0] == _FIRST
    deliver_from(settings, _LATER, wide(_LATER, _EIGHT, count))
    assert feeds(settings)["mps_recorded_crime"].months[0] == _LATER


def test_history_that_was_restated_stands_beside_what_it_was(settings: Settings) -> None:
    months = 18

    def before(borough: str, major: str, month: date) -> int:
        return 200 + 10 * len(borough) + (month.month if major == "Burglary" else 0)

    def after(borough: str, major: str, month: date) -> int:
        # what this borough loses is counted in its neighbour
        moved = {"Kensington and Chelsea": -60, "Westminster": 60}
        return before(borough, major, month) + moved.get(borough, 0)

    name = "borough_level_crime_201601_201706.csv"
    deliver(settings, RECORDED, name, wide(_FIRST, months, before), "mps")
    assert feeds(settings)["mps_recorded_crime"].earlier == ()
    with connect(settings) as connection:  # as if that had been the night before
        connection.execute("update quality.delivery set received_at = received_at - interval '1 day'")
    deliver(settings, RECORDED, name, wide(_FIRST, months, after), "mps")
    feed = feeds(settings)["mps_recorded_crime"]
    burglary = feed.earlier[0]
    row = burglary.areas.index(_HOME)
    said = [before("Kensington and Chelsea", "Burglary", month) for month in feed.months]
    np.testing.assert_array_equal(burglary.total[row], said)
    np.testing.assert_array_equal(feed.panels[0].total[row], np.array(said) - 60)

    restated = [change for change in examine(feed) if "vintages" in change.lead.signals]
    assert {(c.lead.kind, c.lead.nature, c.lead.treatment) for c in restated} == {("recording", "geography", "reload")}
    assert {area for c in restated for area in c.areas} == {_HOME, "E09000033"}


@pytest.mark.parametrize(
    ("scenario", "kind", "said"),
    [
        ("new_code", "recording", "“Electric scooter offences” was never used before April 2017"),
        ("restated_month", None, ""),
    ],
)
def test_a_new_type_of_crime_is_found_on_its_first_night_and_late_outcomes_are_no_change(
    settings: Settings, scenario: str, kind: str | None, said: str
) -> None:
    simulate(
        settings, date_from=_FIRST, date_to=date(2017, 4, 1), scenarios=[scenario], feeds=["police_open_street"],
        as_archives=False,
    )  # fmt: skip
    load_arrivals(settings, STREET, receive(settings, STREET))
    (feed,) = feeds(settings).values()
    assert feed.months[-1] == date(2017, 4, 1)
    found = [change for change in examine(feed) if change.lead.kind != "real"]
    assert [(change.lead.kind, change.lead.month) for change in found] == ([(kind, feed.months[-1])] if kind else [])
    assert all(said in " ".join(change.evidence) for change in found)
