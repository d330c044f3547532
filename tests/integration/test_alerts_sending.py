"""What receivers get, by mail and by other channels, and what they refuse or can't take now: nothing is lost, nothing
goes twice, and each audience keeps its order.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from apprise.plugins.slack import NotifySlack
from message_receivers import MailServer, WebHook, mail_server, web_hook, with_tls
from pages_helpers import looking
from saferkc.alerts import raise_alert, read_alert, read_history
from saferkc.alerts.sending import Sending, send_messages
from saferkc.recording.ledger import add_change, list_changes
from saferkc.recording.telling import tell_people
from saferkc.settings import MessageSettings, Settings
from saferkc.warehouse.connection import connect, fetch_all

ENGINEERS, TEAM = "engineers@example.org", "team@example.org"
NIGHT = datetime(2026, 1, 20, 3, tzinfo=UTC)


@pytest.fixture
def mail(tmp_path: Path) -> Iterator[MailServer]:
    with mail_server(tmp_path) as server:
        yield server


@pytest.fixture
def hook() -> Iterator[WebHook]:
    with web_hook() as hook:
        yield hook


@pytest.fixture
def own(settings: Settings, mail: MailServer, hook: WebHook) -> Settings:
    """A warehouse whose engineers read mail, and whose team reads mail and a channel."""
    messages = MessageSettings(
        mail_url=mail.url, mail_from="warehouse@example.org", mail_ca=mail.ca,
        mail_to={"engineers": (ENGINEERS,), "community_safety_team": (TEAM,)},
        notify={"community_safety_team": (hook.url,)},
    )  # fmt: skip
    return replace(settings, messages=messages)


def hold(settings: Settings, name: str, audience: str, at: datetime) -> None:
    """Raise an alert that is told at once."""
    with connect(settings) as connection:
        raise_alert(
            connection, dedup_key=name, group_key=name, severity="held", audience=audience,  # type: ignore[arg-type]
            title=f"{name} is amiss", body="Mend it.", now=at,
        )  # fmt: skip


def minutes_later(number: int) -> datetime:
    return NIGHT + timedelta(minutes=number)


def took(mail: MailServer) -> list[tuple[str, str]]:
    """To whom each mail went, and which alert it names."""
    return [
        (to, next(name for name in ("first", "second", "third") if f"{name} is amiss" in str(message)))
        for recipients, message in mail.taken
        for to in recipients
    ]


def states(settings: Settings) -> list[tuple[str, str | None, int]]:
    with connect(settings) as connection:
        rows = fetch_all(connection, "select state, last_error, attempts from quality.outbox order by message_id")
    return [(row["state"], row["last_error"], row["attempts"]) for row in rows]


def test_what_a_server_does_not_take_now_goes_later_before_what_came_after_it(own: Settings, mail: MailServer) -> None:
    mail.refusals[ENGINEERS] = "451 come back later"
    hold(own, "first", "engineers", NIGHT)
    assert send_messages(own, now=NIGHT) == Sending(waiting=1)
    hold(own, "second", "engineers", minutes_later(5))
    hold(own, "third", "community_safety_team", minutes_later(5))
    # the second must not overtake the first; another audience waits for neither
    assert send_messages(own, now=minutes_later(6)) == Sending(sent=1, waiting=2)
    assert took(mail) == [(TEAM, "third")]
    assert states(own)[0] == ("waiting", f"the mail server refuses {ENGINEERS} (451)", 2)
    mail.refusals.clear()
    assert send_messages(own, now=minutes_later(11)) == Sending(sent=2)
    assert took(mail) == [(TEAM, "third"), (ENGINEERS, "first"), (ENGINEERS, "second")]
    assert send_messages(own, now=minutes_later(16)) == Sending()


def test_what_is_refused_for_good_stands_aside_with_the_reason(own: Settings, mail: MailServer) -> None:
    mail.refusals[ENGINEERS] = "550 no such user"
    hold(own, "first", "engineers", NIGHT)
    assert send_messages(own, now=NIGHT) == Sending(refused=1)
    assert states(own) == [("refused", f"the mail server refuses {ENGINEERS} (550)", 1)]
    mail.refusals.clear()
    hold(own, "second", "engineers", minutes_later(5))
    assert send_messages(own, now=minutes_later(6)) == Sending(sent=1)
    assert took(mail) == [(ENGINEERS, "second")]


def test_a_channel_that_is_down_gets_the_message_later_and_nobody_else_gets_it_twice(
    own: Settings, mail: MailServer, hook: WebHook
) -> None:
    hook.is_down = True
    hold(own, "first", "community_safety_team", NIGHT)
    assert send_messages(own, now=NIGHT) == Sending(waiting=1)
    assert (len(mail.taken), len(hook.taken)) == (1, 0)
    hook.is_down = False
    assert send_messages(own, now=minutes_later(5)) == Sending(sent=1)
    assert (len(mail.taken), len(hook.taken)) == (1, 1)


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # it knows of STARTTLS alone
def test_mail_goes_over_tls_from_the_first_byte_and_to_no_server_that_is_not_who_it_says(
    own: Settings, tmp_path: Path, mail: MailServer
) -> None:
    (tmp_path / "smtps").mkdir()
    with mail_server(tmp_path / "smtps", "smtps") as server:
        # of the authority of another server
        wrong = replace(own, messages=replace(own.messages, mail_url=server.url, mail_ca=mail.ca))
        hold(own, "first", "engineers", NIGHT)
        assert send_messages(wrong, now=NIGHT) == Sending(waiting=1)
        assert states(own) == [("waiting", "the mail server can't be reached: SSLCertVerificationError", 1)]
        right = replace(own, messages=replace(own.messages, mail_url=server.url, mail_ca=server.ca))
        assert send_messages(right, now=minutes_later(5)) == Sending(sent=1)
        assert took(server) == [(ENGINEERS, "first")]


def ask(settings: Settings) -> None:
    """A change in counting that touches what is published next, as the look of this night finds it."""
    today = datetime.now(UTC).date()
    with connect(settings) as connection:
        add_change(connection, {
            "series": "Personal", "parent_series": "Robbery", "feed": "police_offences", "geography": "all",
            "effective_month": (today.replace(day=1) - timedelta(days=1)).replace(day=1), "kind": "recording",
            "nature": "split", "confidence": 0.9, "state": "suspected", "register_id": None, "treatment": "break",
            "evidence": {"sentences": ["“Personal” rose."], "signals": ["code_list"], "classes": ["Personal"]},
        })  # fmt: skip
        tell_people(connection, {})


def test_a_link_of_a_mail_that_was_sent_opens_and_its_button_answers_in_the_register(
    own: Settings, mail: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(own)
    at_test_server = replace(own, messages=replace(own.messages, pages_url="http://testserver"))
    assert send_messages(at_test_server) == Sending(sent=1)
    ((_, sent),) = mail.taken
    plain, rich = (sent.get_body((kind,)).get_content() for kind in ("plain", "html"))  # type: ignore[union-attr]
    links = {
        words: html.unescape(url) for url, words in re.findall(r'<a href="([^"]+)">([^<]+)</a>', rich)
    }  # fmt: skip
    for words, url in links.items():
        assert f"{html.unescape(words)}: {url}" in plain
    answers = {"Yes, the recording changed", "No, it really happened more, or less, often", "Ask the agency",
               "Remind me in a week"}  # fmt: skip
    assert answers <= set(links)
    with looking(own, monkeypatch) as ada:
        assert ada.get(links["See it with its chart and history"]).status_code == 200
        page = ada.get(links["Yes, the recording changed"])
        assert page.status_code == 200 and "Robbery" in page.text
        (token,) = re.findall(r'name="token" value="([^"]+)"', page.text)
        (form_token,) = re.findall(r'name="form_token" value="(\w+)"', page.text)
        assert token in links["Yes, the recording changed"]
        form = {"token": token, "note": "so the police say", "form_token": form_token}
        assert ada.post("/answer", data=form).status_code == 303
        assert ada.get(links["Yes, the recording changed"]).status_code == 410
    with connect(own) as connection:
        (change,) = list_changes(connection, include_all=True)
        last = read_history(connection, 1)[-1]
        assert (change["state"], read_alert(connection, 1).state) == ("confirmed", "confirmed")
    assert (last.event, last.by_whom, last.note) == ("confirmed", "Ada", "so the police say")


def test_teams_and_slack_get_a_message_once_with_links_that_answer_in_nobodys_name(
    own: Settings, tmp_path: Path, mail: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "channels").mkdir()
    context, ca = with_tls(tmp_path / "channels")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(ca))
    with web_hook(context) as hook:
        # at Slack's own address stands the receiver
        monkeypatch.setattr(NotifySlack, "webhook_url", f"https://127.0.0.1:{hook.port}/services")
        channels = (
            f"workflows://127.0.0.1:{hook.port}/abcdef/signature",
            "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7Fz",
        )
        messages = replace(own.messages, notify={"community_safety_team": channels}, pages_url="https://pages.example")
        ask(own)
        for _ in range(2):
            send_messages(replace(own, messages=messages))
        assert [path.split("/")[1] for path in hook.paths] == ["workflows", "services"]
    ((_, sent),) = mail.taken
    for posted in hook.taken:
        text = "\n".join(_strings(posted))
        for part in (sent["Subject"], "Do not", "compare months before", "Safe to say:", sent["X-Saferkc-Key"]):
            assert part in text, part
        assert "https://pages.example/alerts/1" in text
        assert "token=" not in text and "/answer" not in text
        assert "@" not in text, "an address of somebody"


def _strings(value: Any) -> Iterator[str]:
    """All texts in a payload."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from _strings(one)
