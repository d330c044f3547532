"""A year of nights: what a real mail server and a real web hook get, beside a table of what they should get."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from message_receivers import MailServer, WebHook, mail_server, web_hook
from saferkc.alerts import raise_alert, resolve, resolve_shown
from saferkc.alerts.answering import answer
from saferkc.alerts.sending import Sending, send_messages
from saferkc.recording.ledger import add_change, set_gone
from saferkc.recording.telling import tell_people
from saferkc.settings import MessageSettings, Settings
from saferkc.warehouse.connection import Connection, connect, fetch_all

LONDON = ZoneInfo("Europe/London")
ENGINEERS, TEAM, POLICE = "engineers@example.org", "team@example.org", "police@example.org"
CHANGE: dict[str, Any] = {
    "series": "Personal", "parent_series": "Robbery", "feed": "police_offences", "geography": "all",
    "effective_month": date(2026, 1, 1), "kind": "recording", "nature": "split", "confidence": 0.9,
    "evidence": {"sentences": ["“Personal” rose by about 3 a month."], "areas": ["E09000020"],
                 "signals": ["sibling_share"], "classes": ["Personal", "Business"]},
    "state": "suspected", "register_id": None, "treatment": "break",
}  # fmt: skip


@dataclass
class Year:
    """A warehouse and its receivers. Nights are at 03:00; the sender runs after those on which something happens, and
    every morning at 08:05."""

    settings: Settings
    mail: MailServer
    hook: WebHook
    crashes: int = 0

    def night(self, day: date, *happens: Callable[[Connection, datetime], object]) -> None:
        """What happens on a night, in one transaction, and the sender after it and in the morning."""
        now = datetime.combine(day, time(3), LONDON)
        if happens:
            with connect(self.settings) as connection:
                for one in happens:
                    one(connection, now)
                tell_people(connection, {}, now=now)
            self.send(now)
        self.send(datetime.combine(day, time(8, 5), LONDON))

    def send(self, now: datetime) -> Sending:
        return send_messages(self.settings, now=now)

    def send_with_crashes(self, now: datetime) -> None:
        """The sender is killed at its first step, at its second and so on, until one comes to its end."""
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["saferkc.alerts.sending", "saferkc.alerts.messages.compose", "apprise"])
        for step in range(1, 200):
            child = context.Process(target=send_and_die, args=(self.settings, now, step))
            child.start()
            child.join(60)
            if child.exitcode == 0:
                return
            assert child.exitcode == -signal.SIGKILL
            self.crashes += 1
        raise AssertionError("the sender never came to its end")


def send_and_die(settings: Settings, now: datetime, step: int) -> None:
    """Send, and be killed at the given step: before or after a statement, a mail, a post to the hook."""
    from saferkc.alerts import notify, sending  # noqa: PLC0415 - in the child alone

    left = [step]

    def counted(function: Any) -> Any:
        def called(*args: Any, **kwargs: Any) -> Any:
            for moment in ("before", "after"):
                left[0] -= 1
                if left[0] == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                if moment == "before":
                    result = function(*args, **kwargs)
            return result

        return called

    sending.send_mail = counted(sending.send_mail)  # type: ignore[attr-defined]
    sending.notify = counted(notify.notify)  # type: ignore[attr-defined]
    psycopg.Cursor.execute = counted(psycopg.Cursor.execute)  # type: ignore[method-assign]
    sending.send_messages(settings, now=now)


def change(**other: Any) -> Callable[[Connection, datetime], None]:
    """A change that the look of a night enters."""

    def happens(connection: Connection, now: datetime) -> None:
        add_change(connection, CHANGE | other)
        connection.execute(
            "update quality.recording_change set detected_at = %s where change_id ="
            " (select max(change_id) from quality.recording_change)",
            (now,),
        )

    return happens


def fault(name: str, severity: Any = "act", **other: Any) -> Callable[[Connection, datetime], int]:
    return lambda connection, now: raise_alert(
        connection, dedup_key=name, group_key=name, severity=severity, audience="engineers", title=f"{name} is amiss",
        body="Mend it.", now=now, **other,
    )  # fmt: skip


def mended(name: str) -> Callable[[Connection, datetime], bool]:
    return lambda connection, now: resolve(connection, name, note="It was mended.", now=now)


def said(alert: str, what: Any, **other: Any) -> Callable[[Connection, datetime], object]:
    """An answer to the newest alert whose change is of that series."""

    def happens(connection: Connection, now: datetime) -> object:
        row = connection.execute(
            "select max(a.alert_id) from quality.alert as a inner join quality.recording_change as c using (change_id)"
            " where c.series = %s",
            (alert,),
        ).fetchone()
        assert row is not None
        return answer(connection, row[0], what, by="Ada", note="so it is", now=now, **other)

    return happens


def built(connection: Connection, now: datetime) -> None:
    """A build that began after all that was decided is published."""
    row = connection.execute("insert into quality.build (started_at) values (%s) returning build_id", (now,)).fetchone()
    assert row is not None
    resolve_shown(connection, row[0], note="The marts show it.", now=now)


def gone(series: str) -> Callable[[Connection, datetime], None]:
    def happens(connection: Connection, _now: datetime) -> None:
        rows = fetch_all(
            connection, "select change_id from quality.recording_change where series = %s and state = 'suspected'",
            (series,),
        )  # fmt: skip
        set_gone(connection, [row["change_id"] for row in rows])

    return happens


@pytest.fixture
def year(settings: Settings, tmp_path: Path) -> Iterator[Year]:
    with mail_server(tmp_path) as mail, web_hook() as hook:
        messages = MessageSettings(
            mail_url=mail.url, mail_from="warehouse@example.org", mail_ca=mail.ca,
            mail_to={
                "engineers": (ENGINEERS,), "community_safety_team": (TEAM,), "agency_police": (POLICE,),
            },
            notify={"community_safety_team": (hook.url,)}, pages_url="https://pages.example.org/saferkc",
        )  # fmt: skip
        yield Year(replace(settings, messages=messages), mail, hook)


def received(year: Year) -> Counter[tuple[str, str, str]]:
    """Day (of the simulated clock), kind and recipient of each mail, copies under one Message-ID once."""
    seen = {}
    for recipients, message in year.mail.taken:
        (recipient,) = recipients
        day = parsedate_to_datetime(message["Date"]).astimezone(LONDON)
        kind = message["X-Saferkc-Key"].partition(":")[0]
        told = (f"{day:%m-%d}", kind, recipient.partition("@")[0])
        assert seen.setdefault(message["Message-ID"], told) == told
    return Counter(seen.values())


OLD = [change(series=f"Old {n}", parent_series=f"Whole {n}", effective_month=date(2010 + n, 4, 1)) for n in range(12)]
# what happens by day of 2026; 1 January is a Thursday
NIGHTS: dict[str, list[Callable[[Connection, datetime], object]]] = {
    # the first look at a long history
    "01-01": OLD,
    "01-06": [gone(f"Old {n}") for n in range(12)],
    # a build is held for two nights, and published
    "01-20": [fault("build:held", "held")],
    "01-21": [fault("build:held", "held")],
    "01-22": [mended("build:held")],
    # a refused delivery, which nobody mends for a while
    "02-03": [fault("refused")],
    "02-04": [fault("refused")],
    "02-10": [mended("refused")],
    # a change in counting that touches what is published next; it is confirmed, and a build shows it
    "02-17": [change()],
    "02-18": [],
    "02-19": [said("Personal", "recording_change"), said("Personal", "recording_change")],
    "02-20": [built],
    # a change while a fault of its feed stands: told once the fault is over
    "03-17": [
        change(series="Silenced", parent_series="Silenced", effective_month=date(2026, 3, 1)),
        change(series="Fault", kind="data_fault", nature="coverage", effective_month=date(2026, 3, 1)),
        fault("build:held", "held"),
    ],
    "03-18": [fault("build:held", "held")],
    "03-20": [gone("Fault"), mended("build:held")],
    "03-21": [said("Silenced", "not_a_recording_change")],
    "03-22": [built],
    # the register knows it: silence
    "04-08": [change(series="Known", state="registered", register_id="x", effective_month=date(2026, 4, 1))],
    # three changes in one night are one message; the third message of a week waits for the digest
    "04-14": [change(series=f"Burst {n}", parent_series=f"Burst {n}", effective_month=date(2026, 4, 1)) for n in "abc"],
    "04-15": [change(series="Burst d", parent_series="Burst d", effective_month=date(2026, 4, 1))],
    "04-16": [change(series="Burst e", parent_series="Burst e", effective_month=date(2026, 4, 1))],
    "04-21": [gone(f"Burst {n}") for n in "abcde"],
    # put off for two weeks, and then rejected
    "05-12": [change(series="Later", parent_series="Later", effective_month=date(2026, 5, 1))],
    "05-13": [said("Later", "snooze", until=datetime(2026, 5, 31, 12, tzinfo=UTC))],
    "06-02": [said("Later", "not_a_recording_change"), built],
    # the agency is asked, and answers
    "06-16": [change(series="Asked", parent_series="Asked", effective_month=date(2026, 6, 1))],
    "06-17": [said("Asked", "ask_the_agency"), said("Asked", "ask_the_agency")],
    "06-24": [said("Asked", "recording_change"), built],
    # a build fails and its cause is gone before anybody could be told: it is told of once, as over
    "07-14": [fault("build:failed", at_once=True), mended("build:failed")],
    # something small, and the year goes on
    "09-08": [fault("quarantine", "note")],
    "09-09": [mended("quarantine")],
    "11-10": [change(series="Last", parent_series="Last", effective_month=date(2026, 10, 1))],
    "11-11": [said("Last", "recording_change"), built],
}
# day, kind and recipient; the web hook gets what the team gets by mail
EXPECTED = [
    ("01-05", "digest", "team"), ("01-12", "digest", "team"),
    ("01-20", "at_once", "engineers"), ("01-22", "closing", "engineers"),
    ("02-03", "summary", "engineers"), ("02-10", "summary", "engineers"),
    ("02-17", "at_once", "team"), ("02-23", "digest", "team"),
    ("03-17", "at_once", "engineers"), ("03-20", "closing", "engineers"),
    ("03-20", "at_once", "team"), ("03-23", "digest", "team"),
    ("04-14", "at_once", "team"), ("04-15", "at_once", "team"), ("04-20", "digest", "team"),
    ("04-27", "digest", "team"),
    ("05-12", "at_once", "team"), ("06-01", "digest", "team"), ("06-08", "digest", "team"),
    ("06-16", "at_once", "team"), ("06-17", "question", "police"), ("06-29", "digest", "team"),
    ("07-14", "summary", "engineers"),
    ("09-08", "summary", "engineers"), ("09-09", "summary", "engineers"),
    ("11-10", "at_once", "team"), ("11-16", "digest", "team"),
]  # fmt: skip
# a message with two channels on its night, and a digest in its morning
CRASHES = ("02-17", "04-20")


def test_a_year_of_nights_tells_each_thing_once_and_to_whom_it_concerns(year: Year) -> None:
    for number in range(365):
        day = date(2026, 1, 1) + timedelta(days=number)
        happens = NIGHTS.get(f"{day:%m-%d}", [])
        if f"{day:%m-%d}" in CRASHES:
            now = datetime.combine(day, time(3), LONDON)
            with connect(year.settings) as connection:
                for one in happens:
                    one(connection, now)
                tell_people(connection, {}, now=now)
            year.send_with_crashes(now if happens else datetime.combine(day, time(8, 5), LONDON))
            happens = []
        year.night(day, *happens)
        if f"{day:%m-%d}" == "08-04":
            # the clock of the machine goes forward by six weeks for a night, and back
            year.night(day + timedelta(days=42))
    got = received(year)
    assert sorted(got.elements()) == sorted(EXPECTED)
    assert year.crashes > 30

    copies = Counter(message["Message-ID"] for _, message in year.mail.taken)
    assert max(copies.values()) > 1, "no crash between sending and noting it was tried"
    said_by: dict[str, str] = {}
    for _, message in year.mail.taken:
        text = message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
        assert said_by.setdefault(message["Message-ID"], text) == text, "a copy says something else"

    weeks = Counter(
        datetime.strptime(f"2026-{day}", "%Y-%m-%d").isocalendar().week for day, _, to in got.elements() if to == "team"
    )
    assert max(weeks.values()) <= 3
    posted = Counter(post["message"].rpartition("(")[2].rstrip(")\n") for post in year.hook.taken)
    by_mail = {m["X-Saferkc-Key"] for to, m in year.mail.taken if to == [TEAM]}
    assert set(posted) == by_mail
    with connect(year.settings) as connection:
        rest = "select count(*) from quality.outbox where state not in ('sent', 'dropped')"
        assert connection.execute(rest.encode()).fetchone() == (0,)
    print(json.dumps({"messages a week to the team": weeks, "crashes": year.crashes, "mails": len(year.mail.taken)}))
