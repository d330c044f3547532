"""What a change that stands means for the expectations about counting, and what people are told of it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from saferkc.publishing.engine import own_expectations
from saferkc.publishing.recording_checks import suite_of
from saferkc.recording.standing import Standing, as_standing, source_of
from saferkc.recording.telling import body_of, title_of
from saferkc.settings import Settings

ROW: dict[str, Any] = {
    "change_id": 7, "feed": "mps_recorded_crime", "series": "Residential", "parent_series": "Burglary",
    "geography": "all", "effective_month": date(2017, 4, 1), "kind": "recording", "nature": "split",
    "treatment": "bridge", "state": "suspected", "register_id": None, "confidence": 0.9,
    "detected_at": datetime(2017, 4, 28, 6, 30, tzinfo=UTC),
    "evidence": {
        "sentences": ["“Residential” rose by about 50 a month while “Other” fell by as much."],
        "signals": ["sibling_share", "peers", "known_day"],
        "classes": ["Residential", "Other"], "bridged_parent": "Burglary",
        "earliest_month": "2017-04-01", "latest_month": "2017-04-01",
    },
}  # fmt: skip


def row(signals: list[str] | None = None, **changes: Any) -> dict[str, Any]:
    evidence = ROW["evidence"] | ({"signals": signals} if signals else {})
    return ROW | {"evidence": evidence} | changes


def standing(signals: list[str] | None = None, **changes: Any) -> Standing:
    return as_standing([row(signals, **changes)])[0]


@pytest.mark.parametrize(
    ("signals", "aspect"),
    [
        (["code_list"], "code list"),
        (["sibling_share", "peers"], "sibling share"),
        (["completeness"], "period"),
        (["vintages"], "history"),
        (["peers", "known_day"], "break"),
        (["sister"], "break"),
        (["level", "sister"], "break"),
        (["capture"], "break"),
    ],
)
def test_a_change_is_a_matter_of_one_expectation(signals: list[str], aspect: str) -> None:
    change = standing(signals)
    assert change.aspect == aspect
    severities = {check.name.partition(":")[0]: check.severity for check in suite_of(change.feed, [change])}
    assert severities == dict.fromkeys(severities, "warning")
    fault = standing(signals, kind="data_fault")
    (graver,) = [check for check in suite_of(fault.feed, [fault]) if check.severity == "error"]
    assert graver.expectation == {
        "code list": "expect_code_list_known",
        "sibling share": "expect_sibling_share_stable",
        "period": "expect_period_complete",
        "history": "expect_history_not_restated",
        "break": "expect_no_unregistered_break",
    }[aspect]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "state", "severity"),
    [
        ("recording", "suspected", "warning"),
        ("unsure", "suspected", "warning"),
        ("recording", "registered", None),
        ("unsure", "registered", None),
        ("recording", "confirmed", None),
        ("data_fault", "suspected", "error"),
        # somebody agrees that the data are wrong: that does not mend them
        ("data_fault", "confirmed", "error"),
    ],
)
def test_what_is_known_or_decided_fails_nothing_but_a_fault_does(kind: str, state: str, severity: str | None) -> None:
    assert standing(kind=kind, state=state).severity == severity


def test_evidence_says_what_is_known_and_else_what_to_do() -> None:
    assert standing().told.endswith("as much. Suggested treatment: bridge.")
    assert standing(state="registered", register_id="burglary_2017").told.endswith(
        "Known: burglary_2017 in the register."
    )
    assert standing(state="confirmed").told.endswith("Confirmed by the team.")


def test_every_check_of_counting_has_an_expectation_of_our_own() -> None:
    own = own_expectations(Settings.load().expectations_dir)
    checks = suite_of("police_offences by ward", [])
    assert {check.expectation for check in checks} < set(own)
    assert {check.arguments["feed"] for check in checks} == {"police_offences by ward"}
    assert source_of("police_offences by ward") == "police_offences"


def test_labels_of_agencies_are_shown_as_text_in_the_pages() -> None:
    shown = own_expectations(Settings.load().expectations_dir)["expect_code_list_known"]._get_observed_value_from_evr

    class Result:
        result = {"details": {"evidence": ["<b>bold</b>", "plain"]}}  # noqa: RUF012 - a stand-in

    assert shown(Result) == "&lt;b&gt;bold&lt;/b&gt;<br>plain"
    assert shown(None) == "nothing found"


def test_people_are_told_what_changed_what_not_to_say_what_is_safe_how_sure_and_by_when() -> None:
    assert title_of(ROW) == "Burglary: probably a change in recording, not in what happened"
    assert title_of(row(nature="rename")) == "Burglary: new names, probably counted as before"
    assert body_of(ROW, "Recorded crime").split("\n\n") == [
        "What changed (Recorded crime): “Residential” rose by about 50 a month while “Other” fell by as much.",
        "Do not: compare months before April 2017 with months from April 2017 on, in “Residential”, “Other”. That"
        " rules out “the last twelve months” and “this year against last” as well, as long as they take in months of"
        " both sides.",
        "Safe to say: “Burglary” as a whole may be compared before and after April 2017.",
        "How sure: high (one class gained what another lost, other areas show the same, counting often changes on such"
        " a day).",
        "Who decides: the community safety team, by 12 May 2017. `saferkc changes confirm 7 --note TEXT` where the"
        " counting has changed, `saferkc changes reject 7 --note TEXT` where it has not. Until then the figures"
        " concerned are marked as provisional.",
    ]


@pytest.mark.parametrize(
    ("changes", "unsafe", "safe"),
    [
        (
            {"treatment": "break", "evidence": ROW["evidence"] | {"bridged_parent": None}},
            "compare months before April 2017 with months from April 2017 on, in “Residential”, “Other”",
            "months before April 2017 may be compared with each other",
        ),
        (
            {"nature": "rename"},
            "say that the old name fell or the new one rose",
            "so may each new name with the one it replaces",
        ),
        (
            {"treatment": "reload", "nature": "revision", "evidence": {"signals": ["vintages"]}},
            "the past has been counted anew since",
            "today's figures may be compared with each other",
        ),
        (
            {"treatment": "note", "nature": "practice", "series": "Violence", "parent_series": "Violence",
             "evidence": {"earliest_month": "2014-04-01", "latest_month": "2016-03-01"}},
            "speak of a rise or a fall in “Violence” from April 2017 on without saying that",
            "Whether more or fewer of it happened can't be said yet",
        ),
    ],
)  # fmt: skip
def test_what_is_safe_follows_the_treatment(changes: dict[str, Any], unsafe: str, safe: str) -> None:
    body = body_of(ROW | changes, "Recorded crime")
    assert unsafe in body
    assert safe in body


def test_of_what_is_long_past_no_year_beside_the_last_is_spoken() -> None:
    assert "rules out “the last twelve months”" in body_of(ROW, "Recorded crime")
    assert "the last twelve months" not in body_of(row(effective_month=date(2010, 4, 1)), "Recorded crime")


def test_who_is_unsure_says_so() -> None:
    unsure = row(["peers"], kind="unsure", confidence=0.5)
    assert title_of(unsure) == "Burglary: a change in recording or a real one? It is not clear"
    assert "How sure: low (other areas show the same)." in body_of(unsure, "Recorded crime")
