"""The nightly look at published series: a change is one row, whatever nights come after, and decisions stand."""

from __future__ import annotations

import json
from datetime import date

import numpy as np
import pytest
from recording_helpers import CORE_TABLES
from saferkc.cli.decisions import decide_change, show_changes
from saferkc.recording.decisions import ChangeNotFoundError
from saferkc.recording.ledger import count_changes
from saferkc.recording.watch import Watched, watch
from saferkc.settings import Settings
from saferkc.warehouse.connection import connect, fetch_all

AREAS = [f"E0900002{number}" for number in range(8)]
NEW_NAME_FROM = 40  # months after January 2013
_OFFENCES = """
insert into core.dim_offence values
    (1, 'Burglary', 'In a Dwelling'), (2, 'Burglary', 'In Other Buildings'), (3, 'Burglary', 'Residential'),
    (4, 'Robbery', 'Of a Person'), (5, 'Robbery', 'Of Business Property');
"""


def publish(settings: Settings, months: int) -> None:
    """Publish so many months of eight boroughs; from one month on, a class has another name."""
    chance = np.random.default_rng(5)
    rows = []
    for number in range(months):
        month = date(2013 + number // 12, number % 12 + 1, 1)
        for area in range(len(AREAS)):
            dwelling, other, person, business = chance.poisson([80, 50, 60, 25])
            named = 3 if number >= NEW_NAME_FROM else 1
            for offence, count in ((named, dwelling), (2, other), (4, person), (5, business)):
                rows.append(("borough", area, offence, month, int(count)))
    with connect(settings) as connection:
        connection.execute("drop schema if exists core cascade")
        connection.execute((CORE_TABLES + _OFFENCES).encode())
        for number, code in enumerate(AREAS):
            connection.execute("insert into core.dim_borough values (%s, %s, false)", [number, code])
        with connection.cursor() as cursor:
            cursor.executemany("insert into core.fct_recorded_crime_monthly values (%s, %s, %s, %s, %s)", rows)


def kept(settings: Settings) -> list[dict[str, object]]:
    with connect(settings) as connection:
        return fetch_all(connection, "select * from quality.recording_change order by change_id")


def test_a_warehouse_that_published_nothing_has_nothing_to_look_at(settings: Settings) -> None:
    assert watch(settings) == Watched()


def test_a_new_name_is_kept_as_one_change_from_the_first_night_on(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(settings, NEW_NAME_FROM)
    assert watch(settings) == Watched()

    publish(settings, NEW_NAME_FROM + 1)
    assert watch(settings).new == 1
    (first,) = kept(settings)
    assert (first["kind"], first["nature"], first["state"]) == ("recording", "rename", "suspected")
    assert (first["parent_series"], first["geography"]) == ("Burglary", "all")
    assert first["effective_month"] == date(2016, 5, 1)
    assert "Residential" in " ".join(first["evidence"]["sentences"])  # type: ignore[index]

    publish(settings, NEW_NAME_FROM + 4)
    assert watch(settings).new == 0
    (later,) = kept(settings)
    assert (later["change_id"], later["detected_at"]) == (first["change_id"], first["detected_at"])

    monkeypatch.setattr("getpass.getuser", lambda: "analyst")
    decide_change(settings, int(str(later["change_id"])), "rejected", "a slip of the file")
    publish(settings, NEW_NAME_FROM + 5)
    watch(settings)
    (decided,) = kept(settings)
    assert decided["state"] == "rejected"
    assert (decided["decided_by"], decided["decision_note"]) == ("analyst", "a slip of the file")


def test_what_no_longer_shows_is_gone_and_comes_back_as_the_same_row(settings: Settings) -> None:
    publish(settings, NEW_NAME_FROM + 2)
    watch(settings)
    (found,) = kept(settings)
    # the names were mended: as if the old one had gone on
    with connect(settings) as connection:
        connection.execute("update core.fct_recorded_crime_monthly set offence_key = 1 where offence_key = 3")
    assert watch(settings).gone == 1
    assert [(row["change_id"], row["state"]) for row in kept(settings)] == [(found["change_id"], "gone")]
    publish(settings, NEW_NAME_FROM + 2)
    assert watch(settings).new == 0
    assert [(row["change_id"], row["state"]) for row in kept(settings)] == [(found["change_id"], "suspected")]


def test_new_names_and_a_new_rule_three_months_later_are_two_changes(settings: Settings) -> None:
    publish(settings, NEW_NAME_FROM + 3)
    watch(settings)
    # so much later that the night does not look at the month of the new names any more
    publish(settings, NEW_NAME_FROM + 20)
    # from the third month after the new names a third of the other buildings counts as residential
    with connect(settings) as connection:
        connection.execute(
            """
            update core.fct_recorded_crime_monthly
            set offence_count = offence_count + case offence_key when 3 then 17 else -17 end
            where offence_key in (2, 3) and month >= '2016-08-01'
            """
        )
    watch(settings)
    assert [(row["effective_month"], row["nature"], row["state"]) for row in kept(settings)] == [
        (date(2016, 5, 1), "rename", "suspected"),
        (date(2016, 8, 1), "split", "suspected"),
    ]


def test_people_read_what_stands_with_its_evidence_and_the_rest_where_they_ask(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    show_changes(settings, as_json=False, include_all=False)
    assert "No change in counting was found." in capsys.readouterr().out
    with pytest.raises(ChangeNotFoundError, match="no recording change 1"):
        decide_change(settings, 1, "confirmed", "nothing there")

    publish(settings, NEW_NAME_FROM + 2)
    watch(settings)
    (found,) = kept(settings)
    number = int(str(found["change_id"]))
    show_changes(settings, as_json=False, include_all=False)
    told = capsys.readouterr().out
    assert "rename" in told
    assert "came in the place of" in told
    with connect(settings) as connection:
        assert count_changes(connection, None) == 1

    decide_change(settings, number, "rejected", "a slip of the file")
    capsys.readouterr()
    show_changes(settings, as_json=True, include_all=False)
    assert json.loads(capsys.readouterr().out) == []
    show_changes(settings, as_json=True, include_all=True)
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["change_id"], row["state"]) == (number, "rejected")
    with connect(settings) as connection:
        assert count_changes(connection, None) == 0, "a rejected one is flagged no longer"
