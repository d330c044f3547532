"""The detector's series from raw: labels as delivered, holes as holes, what is simulated apart from what is real."""

from __future__ import annotations

from datetime import date

import numpy as np
from loading_helpers import RECORDED, deliver, month_after, wide
from saferkc.recording.reading import read_feeds
from saferkc.recording.series import Feed
from saferkc.settings import Settings
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
