"""What messages say: every template, filled in, has what its reader needs and nothing that may not leave the house."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from saferkc.alerts import Alert
from saferkc.alerts.messages.compose import TEMPLATES, render
from saferkc.alerts.messages.told import Told, told
from saferkc.disclosure import read_rules
from saferkc.recording.standing import evidence_of
from saferkc.recording.telling import title_of
from saferkc.recording.words import counted
from saferkc.settings import Settings

NOW = datetime(2017, 5, 8, 8, 0, tzinfo=UTC)


def of_change(number: int = 1, label: str = "Residential", **other: Any) -> Told:
    change: dict[str, Any] = {
        "change_id": number, "series": label, "parent_series": "Burglary", "feed": "police_offences",
        "kind": "recording", "nature": "split", "treatment": "bridge", "confidence": 0.9,
        "effective_month": date(2017, 4, 1), "detected_at": NOW,
        "evidence": {"sentences_as_counted": [
                         f"“{label}” rose by {counted(48)} a month while “Other” fell by {counted(2.7)} a month."],
                     "signals": ["code_list"], "classes": [label, "Other"], "bridged_parent": "Burglary"},
    } | other  # fmt: skip
    evidence = evidence_of(change, read_rules(Settings.load().disclosure_file), "community_safety_team")
    about_it = alert(number, title_of(change), "", change_id=number)
    return told(about_it, change, now=NOW, evidence=evidence, source="Offences")


def alert(number: int, title: str, body: str, **other: Any) -> Alert:
    values: dict[str, Any] = {
        "alert_id": number, "dedup_key": f"cause {number}", "group_key": None, "severity": "act",
        "audience": "engineers", "title": title, "body": body, "state": "open", "first_seen_at": NOW,
        "last_seen_at": NOW, "times_seen": 1, "owner": None, "acknowledged_by": None, "resolved_at": None,
        "note": "so it is", "change_id": None, "due_date": date(2017, 5, 22), "snoozed_until": None,
    }  # fmt: skip
    return Alert(**values | other)


def filled(template: str, *alerts: Told) -> tuple[str, str, str]:
    context = {
        "alerts": alerts, "new": alerts, "over": alerts, "waiting": alerts, "day": NOW.date(),
        "pages": "https://pages", "checks": "https://checks", "may_reply": True,
    }  # fmt: skip
    return render(template, context, has_picture=True)


KINDS = sorted(path.name for path in TEMPLATES.glob("*.*.md"))
HELD = told(alert(9, "Build 12 is held: 1 check failed", "- core.x: y_z\n\nNext step:\n- Mend it.", severity="held"),
            None, now=NOW)  # fmt: skip


def test_there_is_a_template_for_every_kind_of_message() -> None:
    assert KINDS == [
        "agency_contact.question.md", "community_safety_team.at_once.md", "community_safety_team.digest.md",
        "engineers.at_once.md", "engineers.closing.md", "engineers.summary.md",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_every_template_is_filled_in_as_text_and_as_html(kind: str) -> None:
    one = HELD if kind.startswith("engineers") else of_change()
    subject, text, html = filled(kind, one)
    assert subject and "\n" not in subject
    assert "{{" not in text + html and "@@" not in text + html and "\\" not in text
    assert "<h1>" in html
    if not kind.startswith("engineers"):
        assert "rose by about 50 a month while “Other” fell by 7 or fewer a month" in text
        assert "2.7" not in text + html
        assert "cid:" in html


@pytest.mark.parametrize("kind", ["community_safety_team.at_once.md", "community_safety_team.digest.md"])
def test_the_team_reads_what_not_to_say_what_is_safe_how_sure_and_who_decides_by_when(kind: str) -> None:
    _, text, html = filled(kind, of_change())
    for part in ("Do not", "Safe to say", "How sure", "High (", "by 22 May 2017", "Yes, the recording changed"):
        assert part in text and part in html, part
    for jargon in ("saferkc", "dbt", "police_offences", "z-score", "SQL"):
        assert jargon not in re.sub(r"https://\S+", "", text), jargon


def test_many_changes_of_earlier_years_are_each_told_in_short() -> None:
    old = [
        of_change(n, f"Old {n}", effective_month=date(2010 + n, 4, 1), evidence={
            "sentences": [f"“Old {n}” rose."], "signals": ["code_list"], "classes": [f"Old {n}"],
        }) for n in range(4)
    ]  # fmt: skip
    subject, text, html = filled("community_safety_team.digest.md", *old)
    assert subject.startswith("Figures this week: 8 to decide")
    new, waiting = text.partition("## Still to be decided")[::2]
    assert "4 changes of earlier years were found" in new
    for told_of in (new, waiting):
        assert told_of.count("Who decides:** the community safety team") == 1
        for n in range(4):
            (of_one,) = re.findall(rf"^“Old {n}” rose\..*$", told_of, re.MULTILINE)
            month = f"April {2010 + n}"
            for part in (f"Do not** compare months before {month}", "Safe to say:**", "High (", "by** 22 May 2017"):
                assert part in of_one, part
    assert html.count("<h3>") == 8 and html.count("See its chart and history, and answer</a>") == 8


def test_a_rename_asks_whether_only_names_changed() -> None:
    _, text, _ = filled("community_safety_team.at_once.md", of_change(nature="rename"))
    assert "Yes, only names or codes changed" in text
    assert "Yes, the recording changed" not in text


@given(label=st.text(alphabet="<>[]()*_`#!&\\|~ab:/.@-", min_size=1, max_size=30))
def test_no_label_of_an_agency_becomes_a_link_or_markup(label: str) -> None:
    _, plain, html = filled("community_safety_team.at_once.md", of_change(label=label))
    _, _, ordinary = filled("community_safety_team.at_once.md", of_change())
    assert label in plain
    tags = re.findall(r"</?([a-z0-9]+)", html)
    assert tags == re.findall(r"</?([a-z0-9]+)", ordinary)


def test_a_new_name_that_is_settled_is_no_break() -> None:
    """Where only names changed, months before and after may be compared once they are joined: nothing is warned of."""
    decided = replace(of_change(nature="rename"), state="confirmed", is_open=False, decided_by="ada")
    settled = filled("community_safety_team.digest.md", decided)[1].partition("## Settled")[2]
    assert "only names or codes changed, says ada" in settled
    assert "from the next publication on. Do not say that the old name fell" in settled
    assert "you should not" not in settled


def test_what_is_settled_says_how_and_what_still_must_not_be_said() -> None:
    decided = replace(of_change(), state="confirmed", is_open=False, decided_by="ada", note="a new rule")
    _, text, _ = filled("community_safety_team.digest.md", decided)
    settled = text.partition("## Settled")[2]
    assert "the recording changed, says ada. Tables and charts show it from the next publication on" in settled
    assert "and you should not. Do not compare" in settled
    assert "Safe to say: “Burglary” as a whole may be compared before and after April 2017. “a new rule”" in settled
    assert ".." not in settled
