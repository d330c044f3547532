"""The nightly look at what was delivered: a change is one row, whatever nights come after, and decisions stand."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest
from recording_helpers import NEW, NEW_NAME_FROM, NEW_NAME_MONTH, OLD, deliver_crime, kept_changes
from saferkc.cli.decisions import decide_change, show_changes
from saferkc.disclosure import read_rules
from saferkc.recording.decisions import ChangeNotFoundError
from saferkc.recording.ledger import count_changes
from saferkc.recording.watch import Watched, watch
from saferkc.recording.words import as_shown
from saferkc.settings import Settings
from saferkc.simulation.recording_cases import make_case
from saferkc.warehouse.connection import connect


def test_a_warehouse_without_deliveries_has_nothing_to_look_at(settings: Settings) -> None:
    assert watch(settings) == Watched()


def test_a_new_name_is_kept_as_one_change_from_the_first_night_on(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver_crime(settings, NEW_NAME_FROM)
    assert watch(settings) == Watched(feeds=1)

    deliver_crime(settings, NEW_NAME_FROM + 1)
    assert watch(settings).new == 1
    (first,) = kept_changes(settings)
    assert (first["kind"], first["nature"], first["state"]) == ("recording", "rename", "suspected")
    assert (first["parent_series"], first["geography"]) == ("Burglary", "all")
    assert first["effective_month"] == NEW_NAME_MONTH
    assert "Residential" in " ".join(first["evidence"]["sentences"])  # type: ignore[index]

    deliver_crime(settings, NEW_NAME_FROM + 4)
    assert watch(settings).new == 0
    (later,) = kept_changes(settings)
    assert (later["change_id"], later["detected_at"]) == (first["change_id"], first["detected_at"])

    monkeypatch.setattr("getpass.getuser", lambda: "analyst")
    decide_change(settings, int(str(later["change_id"])), "rejected", "a slip of the file")
    deliver_crime(settings, NEW_NAME_FROM + 5)
    watch(settings)
    (decided,) = kept_changes(settings)
    assert decided["state"] == "rejected"
    assert (decided["decided_by"], decided["decision_note"]) == ("analyst", "a slip of the file")


def test_the_ledger_says_what_anybody_may_read_and_keeps_the_counts_of_people_apart(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = replace(make_case("1b", 1).feed, name="police_offences")
    monkeypatch.setattr("saferkc.recording.watch.read_feeds", lambda *_, **__: iter([feed]))
    monkeypatch.setattr("saferkc.recording.watch.FEEDS", ("police_offences",))
    assert watch(settings).new > 0
    rule = read_rules(settings.disclosure_file).rule("public", "raw.police_offences")
    kept: list[str] = []
    for row in kept_changes(settings):
        evidence: dict[str, list[str]] = row["evidence"]  # type: ignore[assignment]
        kept += evidence["sentences_as_counted"]
        assert evidence["sentences"] == [as_shown(text, rule) for text in evidence["sentences_as_counted"]]
    assert "⟦" in "".join(kept)


def test_what_no_longer_shows_is_gone_and_comes_back_as_the_same_row(settings: Settings) -> None:
    deliver_crime(settings, NEW_NAME_FROM + 2)
    watch(settings)
    (found,) = kept_changes(settings)
    # the names were mended: as if the old one had gone on
    deliver_crime(settings, NEW_NAME_FROM + 2, new_name_from=None)
    assert watch(settings).gone == 1
    assert [(row["change_id"], row["state"]) for row in kept_changes(settings)] == [(found["change_id"], "gone")]
    deliver_crime(settings, NEW_NAME_FROM + 3)
    assert watch(settings).new == 0
    assert [(row["change_id"], row["state"]) for row in kept_changes(settings)] == [(found["change_id"], "suspected")]


def test_new_names_and_a_new_rule_three_months_later_are_two_changes(settings: Settings) -> None:
    deliver_crime(settings, NEW_NAME_FROM + 3)
    watch(settings)
    # from the third month after the new names a third of the other buildings counts as residential
    deliver_crime(settings, NEW_NAME_FROM + 20, moved_from=NEW_NAME_FROM + 3)
    watch(settings)
    assert [(row["effective_month"], row["nature"], row["state"]) for row in kept_changes(settings)] == [
        (NEW_NAME_MONTH, "rename", "suspected"),
        (date(2016, 8, 1), "split", "suspected"),
    ]
    renamed, split = (row["evidence"]["code_map"] for row in kept_changes(settings))  # type: ignore[index]
    whole = {"weight": 1.0, "weight_low": 1.0, "weight_high": 1.0}
    assert {"from_class": OLD, "to_class": NEW, "area": None, **whole} in renamed
    given = {row["area"]: row for row in split if row["to_class"] == NEW}
    assert len(given) == 1 + 32
    assert given[None]["weight"] == pytest.approx(1 / 3, abs=0.03)


def test_people_read_what_stands_with_its_evidence_and_the_rest_where_they_ask(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    show_changes(settings, as_json=False, include_all=False)
    assert "No change in counting was found." in capsys.readouterr().out
    with pytest.raises(ChangeNotFoundError, match="no recording change 1"):
        decide_change(settings, 1, "confirmed", "nothing there")

    deliver_crime(settings, NEW_NAME_FROM + 2)
    watch(settings)
    (found,) = kept_changes(settings)
    number = int(str(found["change_id"]))
    show_changes(settings, as_json=False, include_all=False)
    told = capsys.readouterr().out
    assert "Burglary: new names, probably counted as before" in told
    assert "came in the place of" in told
    assert "Changes: 1, to be decided: 1." in told
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
