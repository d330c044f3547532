"""Evidence in words: its counts are kept apart until it is known who reads, and no sentence holds another."""

from __future__ import annotations

import re

import pytest
from saferkc.disclosure import Rule, read_rules
from saferkc.recording import examine
from saferkc.recording.standing import evidence_of
from saferkc.recording.telling import title_of
from saferkc.recording.words import as_shown, counted, share_of
from saferkc.settings import Settings
from saferkc.simulation.recording_cases import MAKERS, make_case

SMALL = Rule(suppress_up_to=7, round_to=5, values_left=5)
AS_COUNTED = Rule(suppress_up_to=-1, round_to=1, values_left=0)


@pytest.mark.parametrize(
    ("kept", "to_all", "to_few"),
    [
        (counted(2.7), "7 or fewer", "about 2.7"),
        (counted(-2.7), "7 or fewer", "about 2.7"),
        (counted(0), "7 or fewer", "about 0.0"),
        (counted(7.4), "7 or fewer", "about 7"),
        (counted(43.2), "about 45", "about 43"),
        (counted(1234), "about 1,200", "about 1,200"),
        (share_of(12, 48), "20 %", "25 %"),
        # what it is a share of says how many the rest are
        (share_of(43, 44), "100 %", "98 %"),
        (share_of(3, 48), "share not shown", "6 %"),
        (share_of(9, 3), "share not shown", "300 %"),
        (share_of(0, 0), "share not shown", "share not shown"),
    ],
)
def test_a_count_is_said_as_the_reader_may_see_it(kept: str, to_all: str, to_few: str) -> None:
    assert as_shown(f"It rose by {kept} a month.", SMALL) == f"It rose by {to_all} a month."
    assert as_shown(f"It rose by {kept} a month.", AS_COUNTED) == f"It rose by {to_few} a month."


def test_what_the_detector_says_holds_no_count_but_for_the_gate() -> None:
    kept = 0
    for number in MAKERS:
        case = make_case(number, 0)
        for change in examine(case.feed):
            for sentence in change.evidence:
                kept += sentence.count("⟦")
                # shares without a count, years and numbers of areas are no counts of people
                bare = re.sub(r"⟦[^⟧]*⟧|\d+ %|\b(19|20)\d\d\b|\b\d+ of \d+\b|\ball \d+ areas|“[^”]*”", "", sentence)
                bare = re.sub(r"\b\d+ April\b", "", bare)
                assert not re.search(r"\d+ a month|about \d", bare), sentence
                shown = as_shown(sentence, SMALL)
                assert "⟦" not in shown
                assert not re.search(r"\babout [0-7](\.\d)?\b(?![,\d])", shown), shown
    assert kept > 20


def test_an_audience_reads_its_counts_and_what_is_kept_without_them_is_read_by_all() -> None:
    rules = read_rules(Settings.load().disclosure_file)
    change = {"feed": "police_offences by ward", "evidence": {
        "sentences": ["It rose by 7 or fewer."], "sentences_as_counted": [f"It rose by {counted(2.7)}."],
    }}  # fmt: skip
    assert evidence_of(change, rules, "partnership") == ("It rose by 7 or fewer.",)
    assert evidence_of(change, rules, "community_safety_team") == ("It rose by 7 or fewer.",)
    assert evidence_of(change, rules, "engineers") == ("It rose by about 2.7.",)
    assert evidence_of(change | {"feed": "mps_recorded_crime"}, rules, "partnership") == ("It rose by about 2.7.",)
    assert evidence_of(change | {"evidence": {"sentences": ["A boundary moved."]}}, rules, "engineers") == (
        "A boundary moved.",
    )


@pytest.mark.parametrize("kind", ["recording", "unsure"])
@pytest.mark.parametrize("nature", ["rename", "split", "practice"])
def test_a_title_names_the_series_and_says_no_number(kind: str, nature: str) -> None:
    row = {"kind": kind, "nature": nature, "series": "Personal", "parent_series": "Robbery",
           "evidence": {"sentences_as_counted": [f"From {counted(3)} to {counted(1)}."]}}  # fmt: skip
    assert not re.search(r"\d", title_of(row))
