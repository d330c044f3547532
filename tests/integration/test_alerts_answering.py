"""Answers to alerts, by page, link and command: what they do, once, and who may give them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from saferkc.alerts import (
    Alert,
    AlertNotFoundError,
    raise_alert,
    read_alert,
    read_history,
    resolve_shown,
)
from saferkc.alerts.answering import (
    ExpiredTokenError,
    ForgedTokenError,
    NotApplicableError,
    NotOpenError,
    UsedTokenError,
    answer,
    answers_to,
    read_token,
    sign,
)
from saferkc.cli.decisions import decide_change
from saferkc.recording.decisions import list_decisions
from saferkc.recording.ledger import add_change, list_changes
from saferkc.recording.telling import tell_people
from saferkc.settings import Settings
from saferkc.warehouse.connection import Connection, connect

FOUND: dict[str, Any] = {
    "series": "Personal", "parent_series": "Robbery", "feed": "police_offences", "geography": "all",
    "effective_month": date(2016, 8, 1), "kind": "recording", "nature": "split", "confidence": 0.6,
    "evidence": {"sentences": ["“Personal” rose."], "areas": ["E09000020"], "classes": ["Personal", "Business"]},
    "state": "suspected", "register_id": None, "treatment": "note",
}  # fmt: skip
NOW = datetime(2016, 9, 5, 8, 0, tzinfo=UTC)


@pytest.fixture
def suspected(settings: Settings) -> Alert:
    """The alert of a change that is suspected."""
    with connect(settings) as connection:
        add_change(connection, FOUND)
        tell_people(connection, {})
        return read_alert(connection, 1)


def change(connection: Connection) -> dict[str, Any]:
    (row,) = list_changes(connection, include_all=True)
    return row


def events(connection: Connection, alert_id: int) -> list[str]:
    return [event.event for event in read_history(connection, alert_id)]


@pytest.mark.parametrize(("said", "state"), [("recording_change", "confirmed"), ("not_a_recording_change", "rejected")])
def test_an_answer_decides_on_the_change_and_is_kept_with_name_time_and_note(
    settings: Settings, suspected: Alert, said: Any, state: str
) -> None:
    with connect(settings) as connection:
        after = answer(connection, suspected.alert_id, said, by="Ada", note="the police say so", now=NOW)
        assert (after.state, after.note, after.acknowledged_by) == (state, "the police say so", "Ada")
        assert (change(connection)["state"], change(connection)["decided_by"]) == (state, "Ada")
        (decision,) = list_decisions(connection, suspected.change_id or 0)
        assert (decision["decision"], decision["decided_by"], decision["decided_at"]) == (state, "Ada", NOW)
        last = read_history(connection, suspected.alert_id)[-1]
        assert (last.event, last.by_whom, last.happened_at, last.note) == (state, "Ada", NOW, "the police say so")


def test_a_decision_on_the_command_line_goes_the_same_way(
    settings: Settings, suspected: Alert, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "Ada")
    decide_change(settings, suspected.change_id or 0, "confirmed", "the police say so")
    with connect(settings) as connection:
        assert read_alert(connection, suspected.alert_id).state == "confirmed"
        last = read_history(connection, suspected.alert_id)[-1]
        assert (last.event, last.by_whom, last.note) == ("confirmed", "Ada", "the police say so")


def test_the_same_answer_twice_is_one_and_another_one_after_it_is_refused(settings: Settings, suspected: Alert) -> None:
    with connect(settings) as connection:
        for by in ("Ada", "Bob"):
            answer(connection, suspected.alert_id, "recording_change", by=by, note="yes")
        assert events(connection, suspected.alert_id) == ["raised", "confirmed"]
        assert len(list_decisions(connection, suspected.change_id or 0)) == 1
        with pytest.raises(NotOpenError, match="is confirmed already: yes"):
            answer(connection, suspected.alert_id, "not_a_recording_change", by="Bob", note="no")
        with pytest.raises(NotOpenError):
            answer(connection, suspected.alert_id, "snooze", by="Bob", note="later")


def test_an_answer_is_over_when_a_build_that_began_after_it_is_published(settings: Settings, suspected: Alert) -> None:
    with connect(settings) as connection:
        answer(connection, suspected.alert_id, "recording_change", by="Ada", note="yes", now=NOW)
        for number, began in ((1, NOW - timedelta(minutes=1)), (2, NOW + timedelta(hours=1))):
            connection.execute(
                "insert into quality.build (build_id, started_at) overriding system value values (%s, %s)",
                (number, began),
            )
            assert resolve_shown(connection, number, note=f"Build {number}.") == number - 1
        assert read_alert(connection, suspected.alert_id).state == "resolved"
        assert events(connection, suspected.alert_id) == ["raised", "confirmed", "resolved"]


def test_asking_the_agency_keeps_the_change_suspected_and_queues_one_question(
    settings: Settings, suspected: Alert
) -> None:
    with connect(settings) as connection:
        for _ in range(2):
            after = answer(connection, suspected.alert_id, "ask_the_agency", by="Ada", note="is it so?", now=NOW)
        assert (after.state, after.owner, after.due_date) == ("acknowledged", "Ada", date(2016, 9, 19))
        assert change(connection)["state"] == "suspected"
        queued = connection.execute("select kind, audience from quality.outbox where kind = 'question'").fetchall()
        assert queued == [("question", "agency_contact")]
        tell_people(connection, {})
        assert events(connection, suspected.alert_id) == ["raised", "asked_the_agency", "seen_again"]
        assert answer(connection, suspected.alert_id, "recording_change", by="Ada", note="yes").state == "confirmed"


def test_a_snooze_has_an_end_and_a_new_one_may_follow(settings: Settings, suspected: Alert) -> None:
    until = NOW + timedelta(days=3)
    with connect(settings) as connection:
        for _ in range(2):
            after = answer(connection, suspected.alert_id, "snooze", by="Ada", note="away", until=until, now=NOW)
        assert (after.state, after.snoozed_until) == ("acknowledged", until)
        later = answer(
            connection, suspected.alert_id, "snooze", by="Ada", note="ill", until=until + timedelta(days=1), now=NOW
        )
        assert later.snoozed_until == until + timedelta(days=1)
        assert events(connection, suspected.alert_id) == ["raised", "snoozed", "snoozed"]
        with pytest.raises(NotApplicableError, match="is past"):
            answer(connection, suspected.alert_id, "snooze", by="Ada", note="x", until=NOW, now=NOW)


def test_answers_that_do_not_fit_are_refused(settings: Settings, suspected: Alert) -> None:
    with connect(settings) as connection:
        held = raise_alert(
            connection, dedup_key="build:held", group_key="build", severity="held", audience="engineers", title="t",
            body="b",
        )  # fmt: skip
        assert answers_to(read_alert(connection, held)) == ()
        for said in ("recording_change", "ask_the_agency", "snooze"):
            with pytest.raises(NotApplicableError):
                answer(connection, held, said, by="Ada", note="x")  # type: ignore[arg-type]
        with pytest.raises(NotApplicableError, match="needs a name and a note"):
            answer(connection, suspected.alert_id, "snooze", by="Ada", note=" ")
        with pytest.raises(AlertNotFoundError):
            answer(connection, 999, "snooze", by="Ada", note="x")
        assert events(connection, suspected.alert_id) == ["raised"]


def test_a_link_is_for_one_alert_one_answer_and_one_recipient_until_it_expires(
    settings: Settings, suspected: Alert
) -> None:
    token = sign(settings, suspected.alert_id, "recording_change", "team@example.org", NOW + timedelta(days=30))
    link = read_token(settings, token, recipient="team@example.org", now=NOW)
    assert (link.alert_id, link.answer, link.recipient) == (
        suspected.alert_id, "recording_change", "team@example.org",
    )  # fmt: skip
    with connect(settings) as connection:
        assert events(connection, suspected.alert_id) == ["raised"], "reading a link decided something"
    with pytest.raises(ExpiredTokenError, match="5 October 2016"):
        read_token(settings, token, now=NOW + timedelta(days=30))
    head, body, signature = token.split(".")
    other = sign(settings, 7, "snooze", "team@example.org", NOW + timedelta(days=30)).split(".")
    forged = ["", "a.b.c", f"{head}.{other[1]}.{signature}", f"{head}.{body}.", f"{head}.{body}.{other[2]}"]
    for wrong in forged:
        with pytest.raises(ForgedTokenError):
            read_token(settings, wrong, now=NOW)
    with pytest.raises(ForgedTokenError):
        read_token(settings, token, recipient="other@example.org", now=NOW)


def test_a_link_works_once(settings: Settings, suspected: Alert) -> None:
    token = sign(settings, suspected.alert_id, "snooze", "team@example.org", NOW + timedelta(days=30))
    link = read_token(settings, token, now=NOW)
    with connect(settings) as connection:
        answer(connection, link.alert_id, link.answer, by="Ada", note="away", token_id=link.token_id, now=NOW)
        with pytest.raises(UsedTokenError, match="snoozed by Ada on 5 September 2016"):
            answer(connection, link.alert_id, link.answer, by="Ada", note="away", token_id=link.token_id, now=NOW)
