"""What a receiver refuses or can't take now: nothing is lost, nothing goes twice, and each audience keeps its order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from message_receivers import MailServer, WebHook, mail_server, web_hook
from saferkc.alerts import raise_alert
from saferkc.alerts.sending import Sending, send_messages
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
