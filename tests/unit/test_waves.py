"""Documents are loaded side by side only where none depends on another."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from saferkc.contracts import load_contracts
from saferkc.loading.arrival import Arrival
from saferkc.loading.load import _waves
from saferkc.settings import Settings


def waves(feed: str, *names: str) -> list[list[str]]:
    contract = load_contracts(Settings.load(Path("unused")).contracts_dir)[feed]
    arrivals = [Arrival(n, name, "0" * 64, None, datetime.now()) for n, name in enumerate(names)]
    return [[arrival.source_name for arrival in wave] for wave in _waves(contract, arrivals)]


def test_different_months_go_side_by_side_and_the_same_month_waits() -> None:
    january, february = "2017-01-metropolitan-street.csv", "2017-02-metropolitan-street.csv"
    other_force = "2017-01-kent-street.csv"
    assert waves("police_open_street", january, february, other_force, january) == [
        [january, february, other_force],
        [january],
    ]


def test_a_document_that_does_not_say_what_it_covers_stands_alone() -> None:
    dated = "borough_level_crime_201701_201812.csv"
    ward = "ward_level_crime_201703_201902.csv"
    undated = "MPS Borough Level Crime (most recent 24 months).csv"
    overlapping = "borough_level_crime_201801_201912.csv"
    assert waves("mps_recorded_crime", dated, ward, undated, dated, overlapping) == [
        [dated, ward],
        [undated],
        [dated],
        [overlapping],
    ]
