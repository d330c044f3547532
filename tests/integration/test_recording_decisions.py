"""What people decide on a change stands against later nights, and every decision is kept."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from saferkc.cli.decisions import amend_change, decide_change, export_changes, show_changes, show_decisions
from saferkc.recording.decisions import AmendmentError, ChangeNotFoundError, list_decisions
from saferkc.recording.ledger import add_change, list_changes, say_anew
from saferkc.settings import Settings
from saferkc.warehouse.connection import connect

_FOUND: dict[str, Any] = {
    "series": "Personal", "parent_series": "Robbery", "feed": "police_offences", "geography": "all",
    "effective_month": date(2016, 8, 1), "kind": "unsure", "nature": "split", "confidence": 0.6,
    "evidence": {"sentences": ["“Personal” rose."], "areas": ["E09000020"], "classes": ["Personal", "Business"],
                 "bridged_parent": "Robbery", "latest_month": date(2016, 9, 1)},
    "state": "suspected", "register_id": None, "treatment": "note",
}  # fmt: skip


@pytest.fixture
def number(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> int:
    """The number of a change that was found."""
    monkeypatch.setattr("getpass.getuser", lambda: "analyst")
    with connect(settings) as connection:
        add_change(connection, _FOUND)
    return int(row_of(settings)["change_id"])


def row_of(settings: Settings) -> dict[str, Any]:
    with connect(settings) as connection:
        (row,) = list_changes(connection, include_all=True)
    return row


def night(settings: Settings, number: int, **other: Any) -> None:
    with connect(settings) as connection:
        say_anew(connection, number, _FOUND | other)


def amend(settings: Settings, number: int, **other: Any) -> None:
    given = {"month": None, "treatment": None, "nature": None, "weights": (), "note": "we know"} | other
    amend_change(settings, number, **given)


def test_an_amended_change_stands_as_amended_and_says_what_was_found(settings: Settings, number: int) -> None:
    amend(settings, number, month=date(2016, 10, 1), treatment="bridge", weights=["Business=Personal:1:0.9:1"])
    night(settings, number, effective_month=date(2016, 8, 1), treatment="break", nature="scope")
    row = row_of(settings)
    assert (row["state"], row["effective_month"], row["treatment"], row["nature"]) == (
        "confirmed", date(2016, 10, 1), "bridge", "split",
    )  # fmt: skip
    assert (row["found_month"], row["found_nature"]) == (date(2016, 8, 1), "split")
    assert row["evidence"]["code_map"] == [
        {"from_class": "Business", "to_class": "Personal", "area": None, "weight": 1.0,
         "weight_low": 0.9, "weight_high": 1.0, "weight_basis": "estimated"}
    ]  # fmt: skip
    assert row["evidence"]["sentences"] == ["“Personal” rose."]


def test_every_decision_is_kept_with_what_it_changed(
    settings: Settings, number: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ChangeNotFoundError, match="no recording change"):
        decide_change(settings, number + 1, "confirmed", "nothing there")
    decide_change(settings, number, "rejected", "a slip of the file")
    amend(settings, number, month=date(2016, 7, 1), note="it was none")
    with connect(settings) as connection:
        last, first = list_decisions(connection, number)
    assert (first["decision"], first["decided_by"], first["note"]) == ("rejected", "analyst", "a slip of the file")
    assert (first["before"]["state"], first["after"]["state"]) == ("suspected", "rejected")
    assert (last["before"]["state"], last["after"]["state"], last["after"]["effective_month"]) == (
        "rejected", "confirmed", "2016-07-01",
    )  # fmt: skip
    capsys.readouterr()
    show_decisions(settings, number)
    assert "effective_month 2016-08-01" in capsys.readouterr().out
    show_changes(settings, as_json=False, include_all=False)
    assert "it was none" in capsys.readouterr().out


def test_what_the_marts_see_is_dated_and_what_cannot_be_is_refused(settings: Settings, number: int) -> None:
    def changed() -> Any:
        with connect(settings) as connection:
            return connection.execute("select changed_at from quality.recording_change").fetchone()

    before = changed()
    night(settings, number, confidence=0.7)
    assert changed() == before, "a night that is only surer"
    for weights in (["Business=Personal"], ["Business:1"], ["Business=Personal:0.4"]):
        with pytest.raises(AmendmentError):
            amend(settings, number, weights=weights)
    assert changed() == before
    amend(settings, number, treatment="break")
    assert changed() > before


def test_a_confirmed_change_is_exported_until_the_register_has_it(
    settings: Settings, number: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export_changes(settings, tmp_path / "none") == 0
    assert not (tmp_path / "none").exists()
    decide_change(settings, number, "confirmed", "the police say so")
    assert export_changes(settings, tmp_path / "some") == 0
    with (tmp_path / "some" / "recording_changes.csv").open(encoding="utf-8", newline="") as stream:
        row = list(csv.DictReader(stream))[-1]
    assert row["change_code"] == "robbery_2016_08"
    assert "the police say so" in row["authority"]

    night(settings, number, register_id=row["change_code"], state="registered")
    now = row_of(settings)
    assert (now["state"], now["register_id"]) == ("registered", "robbery_2016_08")
    assert export_changes(settings, tmp_path / "more") == 0
    assert not (tmp_path / "more").exists()
    assert "No confirmed change" in capsys.readouterr().out
