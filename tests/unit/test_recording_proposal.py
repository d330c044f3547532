"""A confirmed change becomes rows of the register that keep its rules, and nothing else of the seeds changes."""

from __future__ import annotations

import shutil
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from saferkc.recording.decisions import Amendment, AmendmentError, Weight
from saferkc.recording.labels import Counted
from saferkc.recording.proposal import propose, write_proposal
from saferkc.recording.reading.trees import series_of
from saferkc.recording.register import breaches, known_changes, read_register

SEEDS = Path(__file__).resolve().parents[2] / "dbt_project" / "seeds"
PUBLISHED = frozenset({"mps_recorded_crime"})
NAMES = {"E09000020": "Kensington and Chelsea"}


def change(number: int, **other: Any) -> dict[str, Any]:
    values = {
        "change_id": number, "state": "confirmed", "register_id": None, "kind": "recording", "nature": "split",
        "feed": "police_offences", "series": "Personal", "parent_series": "Robbery", "treatment": "bridge",
        "geography": "all", "effective_month": date(2016, 9, 1), "decided_at": datetime(2017, 1, 5, 12, 0),
        "decision_note": "the police say so",
    } | other  # fmt: skip
    values["evidence"] = {
        "sentences": ["“Personal” rose while “Business” fell."], "areas": ["E09000020"], "bridged_parent": "Robbery",
        "classes": ["Personal", "Business"], "latest_month": "2016-10-01",
    } | other.get("evidence", {})  # fmt: skip
    return values


def test_a_bridged_change_is_an_entry_that_the_detector_knows(tmp_path: Path) -> None:
    weight = {
        "from_class": "Business", "to_class": "Personal", "area": None, "weight": 1.0,
        "weight_low": 1.0, "weight_high": 1.0, "weight_basis": "authority",
    }  # fmt: skip
    of_one_area = weight | {"area": "E09000020", "weight": 0.5}
    given = change(7, evidence={"code_map": [weight, of_one_area]})
    proposal = propose(read_register(SEEDS), [given], PUBLISHED, NAMES)
    assert proposal.left_out == {}
    for path in write_proposal(proposal, SEEDS, tmp_path):
        kept, changed = (SEEDS / path.name).read_text().splitlines(), path.read_text().splitlines()
        assert changed[:-1] == kept, "one row at the end, and no other line touched"
    for name in ("recording_regimes.csv",):
        shutil.copy(SEEDS / name, tmp_path)
    register = read_register(tmp_path)
    assert breaches(register) == []
    (entry,) = [known for known in known_changes(register) if known.register_id == "robbery_2016_09"]
    assert (entry.series, entry.start, entry.to, entry.nature, entry.treatment) == (
        "robbery", date(2016, 9, 1), None, "split", "bridge",
    )  # fmt: skip
    row = register.change("robbery_2016_09")
    assert row is not None
    assert (row["geography"], row["authority_grade"], row["date_basis"]) == ("Kensington and Chelsea", "C", "recorded")
    assert row["safe_to_say"] == "Robbery as a whole may be compared across September 2016."


def test_codes_are_told_in_the_classes_that_count_them_and_left_to_people_where_nobody_knows() -> None:
    def weight(old: str, new: str) -> dict[str, Any]:
        return {
            "from_class": old, "to_class": new, "area": None, "weight": 1.0, "weight_low": 1.0, "weight_high": 1.0,
        }  # fmt: skip

    given = change(
        7, feed="angelou_referrals", series="Cyberstalking", parent_series="All referrals",
        evidence={"code_map": [weight("Stalking", "Cyberstalking"), weight("Other", "Something else")]},
    )  # fmt: skip
    known = Counted(
        ("vawg_referrals",),
        {
            "Stalking": frozenset({("vawg_referrals", "angelou_stalking")}),
            "Cyberstalking": frozenset({("vawg_referrals", "angelou_cyberstalking"), ("other", "one")}),
            "Other": frozenset({("vawg_referrals", "angelou_other")}),
        },
    )
    rows = propose(read_register(SEEDS), [given], PUBLISHED, NAMES, {7: known}).rows
    assert [row["series"] for row in rows["recording_change_series"]] == ["vawg_referrals"]
    told = [
        tuple(row.get(name) for name in ("series", "from_class", "to_class")) for row in rows["recording_code_maps"]
    ]
    assert told == [("vawg_referrals", "angelou_stalking", "angelou_cyberstalking"), (None, None, None)]


def test_new_names_are_of_their_file_and_go_on() -> None:
    rename = change(1, nature="rename", feed="mps_recorded_crime", decision_note="")
    rows = propose(read_register(SEEDS), [rename], PUBLISHED, NAMES).rows
    (entry,), (series,) = rows["recording_changes"], rows["recording_change_series"]
    assert (series["feed"], series["treatment_of_children"]) == ("mps_recorded_crime", "bridge")
    assert entry["authority"] == "Confirmed by the community safety team, 5 January 2017"
    assert entry["unsafe_to_say"] == "Do not take the new names of September 2016 for another way of counting."


def test_only_what_was_confirmed_and_is_not_there_yet_is_proposed() -> None:
    changes = [
        change(1, state="suspected"), change(2, state="rejected"), change(3, register_id="burglary_2017"),
        change(4, kind="data_fault"),
    ]  # fmt: skip
    assert not any(propose(read_register(SEEDS), changes, PUBLISHED, NAMES).rows.values())


def test_what_breaks_the_registers_rules_is_left_out_with_the_reason_and_the_rest_goes_on() -> None:
    other = change(2, parent_series="Drugs", effective_month=date(2015, 2, 1), feed="mps_recorded_crime")
    changes = [change(1, parent_series="Burglary", effective_month=date(2017, 4, 1)), other]
    proposal = propose(read_register(SEEDS), changes, PUBLISHED, NAMES)
    assert list(proposal.left_out) == [1]
    assert "overlap" in proposal.left_out[1][0]
    assert [row["date_basis"] for row in proposal.rows["recording_changes"]] == ["published"]


def test_a_ramp_has_an_end_and_two_changes_of_a_month_have_two_codes() -> None:
    ramp = change(
        1, nature="practice", treatment="note", evidence={"latest_month": "2017-02-01", "bridged_parent": None}
    )
    proposal = propose(read_register(SEEDS), [ramp, change(2)], PUBLISHED, NAMES)
    first, second = proposal.rows["recording_changes"]
    assert (first["date_precision"], first["effective_to"]) == ("range", "2017-02-28")
    assert [first["change_code"], second["change_code"]] == ["robbery_2016_09", "robbery_2016_09_2"]
    assert proposal.rows["recording_change_series"][0]["treatment_of_children"] == "note"


def test_series_are_called_as_the_register_calls_them() -> None:
    assert series_of("police_offences", "Theft and Handling") == "theft_and_handling"
    assert series_of("police_offences by ward of E09000020", "All offences") == "offences_by_ward"
    assert series_of("police_offences", "All offences", "Hate crime") == "hate_crime"
    assert series_of("tmo_asb_cases", "All cases") == "all_cases"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "nothing to amend"),
        ({"effective_month": date(2017, 4, 2)}, "not the first day"),
        ({"treatment": "forget"}, "treatment 'forget' is unknown"),
        ({"code_map": [Weight("a", "b", 0.4, 0.3, 0.5)]}, "weights of a add up to 0.4"),
        ({"code_map": [Weight("a", "b", 1.0, 1.0, 0.9)]}, "is not so"),
    ],
)
def test_an_amendment_that_cannot_be_is_refused(values: dict[str, Any], said: str) -> None:
    with pytest.raises(AmendmentError, match=said):
        Amendment(**values)
