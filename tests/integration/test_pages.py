"""Pages: what they show, what they ask the warehouse, and that nothing is decided but by who may, on purpose."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pages_helpers import looking, questions
from publishing_helpers import deliver, start_build
from saferkc.alerts import raise_alert, read_alert, read_history
from saferkc.alerts.answering import DAYS_FOR_THE_AGENCY, DAYS_OF_A_SNOOZE, sign
from saferkc.pages.words import moment
from saferkc.recording.ledger import add_change, list_changes
from saferkc.recording.telling import tell_people
from saferkc.settings import Settings
from saferkc.warehouse.connection import Connection, connect

FOUND: dict[str, Any] = {
    "series": "Personal", "parent_series": "Robbery", "feed": "police_offences", "geography": "all",
    "effective_month": datetime(2016, 8, 1).date(), "kind": "recording", "nature": "split", "confidence": 0.6,
    "evidence": {"sentences": ["“Personal” rose <b>at once</b>."], "areas": ["E09000020"], "classes": ["Personal"]},
    "state": "suspected", "register_id": None, "treatment": "note",
}  # fmt: skip


@pytest.fixture
def alert_id(settings: Settings) -> int:
    """The alert of a change that is suspected."""
    with connect(settings) as connection:
        add_change(connection, FOUND)
        tell_people(connection, {})
        return read_alert(connection, 1).alert_id


@pytest.fixture
def ada(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    with looking(settings, monkeypatch) as client:
        yield client


def form_token(client: TestClient, path: str) -> str:
    (found,) = re.findall(r'name="form_token" value="(\w+)"', client.get(path).text)
    return str(found)


def state(settings: Settings) -> str:
    with connect(settings) as connection:
        (row,) = list_changes(connection, include_all=True)
    return str(row["state"])


def test_an_answer_on_a_page_decides_and_is_kept_with_name_and_note(
    settings: Settings, ada: TestClient, alert_id: int
) -> None:
    sent = {"answer": "recording_change", "note": "as the police say", "form_token": form_token(ada, "/alerts/1")}
    response = ada.post(f"/alerts/{alert_id}", data=sent)
    assert (response.status_code, response.headers["location"]) == (303, f"/alerts/{alert_id}")
    assert state(settings) == "confirmed"
    with connect(settings) as connection:
        last = read_history(connection, alert_id)[-1]
    assert (last.event, last.by_whom, last.note) == ("confirmed", "Ada", "as the police say")
    page = ada.get(f"/alerts/{alert_id}").text
    assert "as the police say" in page
    assert "<form" not in page, "what is decided asks for nothing"


def test_a_change_is_decided_on_its_own_page_by_way_of_its_alert(
    settings: Settings, ada: TestClient, alert_id: int
) -> None:
    token = form_token(ada, "/changes/1")
    for note in ("", "   "):
        sent = {"answer": "not_a_recording_change", "note": note, "form_token": token}
        assert ada.post("/changes/1", data=sent).status_code in (409, 422)
    assert state(settings) == "suspected"
    sent = {"answer": "not_a_recording_change", "note": "a march", "form_token": token}
    assert ada.post("/changes/1", data=sent).status_code == 303
    assert state(settings) == "rejected"
    with connect(settings) as connection:
        assert read_alert(connection, alert_id).state == "rejected"


@pytest.mark.usefixtures("alert_id")
@pytest.mark.parametrize("path", ["/alerts/1", "/changes/1"])
def test_a_form_from_elsewhere_decides_nothing(settings: Settings, ada: TestClient, path: str) -> None:
    good = form_token(ada, path)
    sent = {"answer": "recording_change", "note": "mine"}
    assert ada.post(path, data=sent).status_code == 422
    assert ada.post(path, data=sent | {"form_token": "0" * 64}).status_code == 403
    elsewhere = {"sec-fetch-site": "cross-site"}
    assert ada.post(path, data=sent | {"form_token": good}, headers=elsewhere).status_code == 403
    cookie = ada.cookies["saferkc_form"]
    ada.cookies.clear()
    assert ada.post(path, data=sent | {"form_token": good}).status_code == 403, "no cookie is sent from elsewhere"
    assert state(settings) == "suspected"
    ada.cookies["saferkc_form"] = cookie
    assert ada.post(path, data=sent | {"form_token": good}).status_code == 303, "and this is what was left out"


def test_who_may_only_read_finds_no_form_and_sends_none(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, alert_id: int
) -> None:
    with looking(settings, monkeypatch) as ada:
        good = form_token(ada, "/alerts/1")
        cookies = dict(ada.cookies)
    link = sign(settings, alert_id, "recording_change", "team", datetime.now(UTC) + timedelta(days=1))
    with looking(settings, monkeypatch, may_answer=False) as reader:
        reader.cookies.update(cookies)
        for path in ("/alerts/1", "/changes/1"):
            assert '<form class="answer"' not in reader.get(path).text
            sent = {"answer": "recording_change", "note": "mine", "form_token": good}
            assert reader.post(path, data=sent).status_code == 403
        assert reader.get("/answer", params={"token": link}).status_code == 403
        sent = {"token": link, "note": "mine", "form_token": good}
        assert reader.post("/answer", data=sent).status_code == 403
    assert state(settings) == "suspected"


def test_a_link_of_a_message_asks_and_decides_only_when_the_button_is_pressed_and_once(
    settings: Settings, ada: TestClient, alert_id: int
) -> None:
    link = sign(settings, alert_id, "not_a_recording_change", "team", datetime.now(UTC) + timedelta(days=1))
    page = ada.get("/answer", params={"token": link})
    assert page.status_code == 200
    assert re.findall(r'<button name="answer" value="(\w+)"', page.text) == ["not_a_recording_change"]
    assert state(settings) == "suspected", "programs that scan mail follow links"
    token = re.findall(r'name="form_token" value="(\w+)"', page.text)[0]
    sent = {"token": link, "note": "a march", "form_token": token}
    assert ada.post("/answer", data=sent | {"token": link[:-2] + "xx"}).status_code == 410
    assert ada.post("/answer", data=sent).status_code == 303
    assert state(settings) == "rejected"
    assert ada.get("/answer", params={"token": link}).status_code == 410
    assert ada.post("/answer", data=sent).status_code == 410


def test_a_delivery_is_shown_down_to_line_and_rule(settings: Settings, ada: TestClient) -> None:
    with connect(settings) as connection:
        number = deliver(connection, "police_offences", 5, rows_in=8, rows_quarantined=3)
        _quarantine(connection, number, 3)
    page = ada.get(f"/deliveries/{number}").text
    for said in ("unknown code", "offence_code", "no such code", '<th scope="row" class="n">2</th>'):
        assert said in page, said
    assert ada.get("/deliveries/999").status_code == 404
    assert f'/deliveries/{number}"' in ada.get("/deliveries?feed=police_offences").text
    assert "No such delivery" in ada.get("/deliveries?feed=police_victims").text


def _quarantine(connection: Connection, delivery_id: int, lines: int) -> None:
    connection.execute(
        "insert into quality.quarantine (delivery_id, feed, line_number, column_name, rule, reason)"
        " select %s, 'police_offences', n, 'offence_code', 'unknown_code', 'no such code'"
        " from generate_series(1, %s) as n",
        (delivery_id, lines),
    )


def test_pages_ask_few_questions_however_long_the_history(settings: Settings, ada: TestClient, alert_id: int) -> None:
    """The same number with ten years of nights as with one: nothing is asked a delivery, a feed or an alert."""

    def asked() -> dict[str, int]:
        paths = ("/", "/alerts", f"/alerts/{alert_id}", "/changes", "/changes/1", "/deliveries", "/deliveries/1")
        return {path: questions(ada, path) for path in paths}

    with connect(settings) as connection:
        _quarantine(connection, deliver(connection, "police_offences", 5), 3)
        for _ in range(5):
            start_build(connection)
    before = asked()
    with connect(settings) as connection:
        connection.execute(
            """
            insert into quality.delivery (feed, source_name, sha256, bytes, received_at, state, rows_in,
                rows_admitted, is_simulated, contract_version)
            select feed, 'f.csv', md5(feed || n) || md5(feed || n), 1, now() - n * interval '1 day', 'admitted', 9, 9,
                true, '1'
            from generate_series(1, 3650) as n,
                unnest(array['police_offences', 'police_victims', 'tmo_asb_cases']) as feed
            """
        )
        for number in range(20):
            start_build(connection)
            raise_alert(
                connection, dedup_key=f"k{number}", group_key="g", severity="act", audience="engineers",
                title="t", body="b",
            )  # fmt: skip
        _quarantine(connection, 1, 5000)
    assert asked() == before
    assert max(before.values()) <= 16


def test_labels_of_agencies_are_text_and_no_script_or_foreign_part_is_let_in(ada: TestClient, alert_id: int) -> None:
    page = ada.get("/changes/1")
    assert "rose &lt;b&gt;at once&lt;/b&gt;" in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'")
    assert page.headers["cache-control"] == "no-store"
    for path in ("/", "/alerts", f"/alerts/{alert_id}", "/changes", "/changes/1", "/series", "/deliveries"):
        text = ada.get(path).text
        assert "<script" not in text, path
        assert re.findall(r'(?:src|href)="(?:https?:)?//', text) == [], path
        assert " style=" not in text, path


def test_the_agency_is_asked_and_a_reminder_put_off_by_page_and_nothing_is_decided_by_it(
    settings: Settings, ada: TestClient, alert_id: int
) -> None:
    path = f"/alerts/{alert_id}"
    token = form_token(ada, path)
    with connect(settings) as connection:
        connection.execute("update quality.alert set due_date = current_date")

    def say(answer: str, note: str) -> tuple[str, date | None, str]:
        sent = {"answer": answer, "note": note, "form_token": token}
        assert ada.post(path, data=sent).status_code == 303
        with connect(settings) as connection:
            alert = read_alert(connection, alert_id)
        return alert.state, alert.due_date, ada.get(path).text

    state_of_alert, due, page = say("ask_the_agency", "is it a new form?")
    assert state_of_alert == "acknowledged"
    assert due == (datetime.now(UTC) + timedelta(days=DAYS_FOR_THE_AGENCY)).date()
    assert "asked the agency" in page and "is it a new form?" in page
    with connect(settings) as connection:
        queued = connection.execute("select kind from quality.outbox where audience = 'agency_contact'").fetchall()
    assert queued == [("question",)]

    _, _, page = say("snooze", "away until Monday")
    with connect(settings) as connection:
        until = read_alert(connection, alert_id).snoozed_until
        last = read_history(connection, alert_id)[-1]
    assert until is not None and round((until - datetime.now(UTC)) / timedelta(days=1)) == DAYS_OF_A_SNOOZE
    assert (last.event, last.by_whom, last.note) == ("snoozed", "Ada", "away until Monday")
    assert f"snoozed until {moment(until)}" in page
    assert state(settings) == "suspected"
    assert 'value="recording_change"' in page, "it may be decided all the same"


def test_what_holds_a_build_can_not_be_put_off(settings: Settings, ada: TestClient) -> None:
    with connect(settings) as connection:
        number = raise_alert(
            connection, dedup_key="k", group_key="build", severity="held", audience="engineers", title="t", body="b"
        )
    sent = {"answer": "snooze", "note": "later", "form_token": form_token(ada, f"/alerts/{number}")}
    answered = ada.post(f"/alerts/{number}", data=sent)
    assert answered.status_code == 409
    assert "keeps figures from being published" in answered.text
    assert 'value="snooze"' not in ada.get(f"/alerts/{number}").text
    with connect(settings) as connection:
        assert read_alert(connection, number).snoozed_until is None
