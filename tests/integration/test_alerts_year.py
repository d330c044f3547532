"""A year of nights: what a real mail server and a real web hook get, beside a table of what they should get."""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from email.message import EmailMessage
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
        """The sender is killed at every step: at its first, its second and so on, and from its first again as soon as
        something is noted, since from there it goes another way; until one comes to its end."""
        context = multiprocessing.get_context("forkserver")
        step, noted = 1, self.noted()
        while step < 200:
            child = context.Process(target=send_and_die, args=(self.settings, now, step))
            child.start()
            child.join(60)
            if child.exitcode == 0:
                return
            assert child.exitcode == -signal.SIGKILL
            self.crashes += 1
            before, noted = noted, self.noted()
            step = step + 1 if noted == before else 1
        raise AssertionError("the sender never came to its end")

    def noted(self) -> list[tuple[Any, ...]]:
        """What the ledger says of messages: which there are, how far each is, and what is told of alerts."""
        with connect(self.settings) as connection:
            return [
                *connection.execute(
                    "select message_id, state, sent_over::text from quality.outbox order by message_id"
                ),
                *connection.execute("select count(*) from quality.alert_event"),
            ]


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


# day of the simulated clock, kind, recipient, subject, and of what it tells
Row = tuple[str, str, str, str, tuple[str, ...]]
# where the name of a cause stands in a message: in a heading, in a line of a list, in the question to an agency
NAME = re.compile(
    r"^(?:#+ (?:\d+\. )?|- )(?:New: |New, holds the build: |Closed: |Of earlier years: )?(.+?)(?:: probably| is amiss)"
    r"|^\*\*What we see in “(.+?)”",
    re.MULTILINE,
)


def text_of(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def received(year: Year) -> Counter[Row]:
    """A row for each mail, copies under one Message-ID once."""
    seen: dict[str, Row] = {}
    for recipients, message in year.mail.taken:
        (recipient,) = recipients
        day = parsedate_to_datetime(message["Date"]).astimezone(LONDON)
        kind = message["X-Saferkc-Key"].partition(":")[0]
        names = {one or other for one, other in NAME.findall(text_of(message))}
        subject = re.sub(r" \(\d+ \w+ \d{4}\)$", "", message["Subject"]).strip()
        row = (f"{day:%m-%d}", kind, recipient.partition("@")[0], subject, tuple(sorted(names)))
        assert seen.setdefault(message["Message-ID"], row) == row, "a copy says something else"
    return Counter(seen.values())


OLD: list[Callable[[Connection, datetime], object]] = [
    change(series=f"Old {n}", parent_series=f"Whole {n}", effective_month=date(2010 + n, 4, 1)) for n in range(12)
]
# what happens by day of 2026; 1 January is a Thursday
NIGHTS: dict[str, list[Callable[[Connection, datetime], object]]] = {
    # the first look at a long history
    "01-01": OLD,
    "01-06": [gone(f"Old {n}") for n in range(12)],
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
    # a refused delivery, which nobody mends for a while
    "04-21": [fault("refused"), *(gone(f"Burst {n}") for n in "abcde")],
    "04-22": [fault("refused")],
    "04-28": [mended("refused")],
    # put off for two weeks, and then rejected
    "05-12": [change(series="Later", parent_series="Later", effective_month=date(2026, 5, 1))],
    "05-13": [said("Later", "snooze", until=datetime(2026, 5, 31, 12, tzinfo=UTC))],
    "06-02": [said("Later", "not_a_recording_change"), built],
    # a build is held for two nights, and published; the agency is asked, and answers
    "06-15": [fault("build:held", "held")],
    "06-16": [
        fault("build:held", "held"),
        change(series="Asked", parent_series="Asked", effective_month=date(2026, 6, 1)),
    ],
    "06-17": [mended("build:held"), said("Asked", "ask_the_agency"), said("Asked", "ask_the_agency")],
    "06-24": [said("Asked", "recording_change"), built],
    # a build fails and its cause is gone before anybody could be told: it is told of once, as over
    "07-14": [fault("build:failed", at_once=True), mended("build:failed")],
    # one is held by a server, and one waits for the morning, while the clock goes wrong
    "08-04": [fault("build:held", "held"), fault("small")],
    "08-06": [mended("build:held"), mended("small")],
    # something small becomes grave
    "09-08": [fault("quarantine", "note")],
    "09-09": [fault("quarantine", "held")],
    "09-10": [mended("quarantine")],
    # nobody answers until the day is past, neither the team nor the engineers
    "10-06": [change(series="Overdue", parent_series="Overdue", effective_month=date(2026, 10, 1)), fault("forgotten")],
    "10-27": [said("Overdue", "not_a_recording_change"), built, mended("forgotten")],
    "11-10": [change(series="Last", parent_series="Last", effective_month=date(2026, 10, 1))],
    "11-11": [said("Last", "recording_change"), built],
}


def to_team(day: str, *names: str) -> Row:
    probably = f"{names[0]}: probably a change in recording, not in what happened"
    subject = probably if len(names) == 1 else f"{len(names)} questions about how figures are counted"
    return day, "at_once", "team", subject, names


def digest(day: str, to_decide: int, settled: int, *names: str) -> Row:
    return day, "digest", "team", f"Figures this week: {to_decide} to decide, {settled} settled", names


def to_engineers(day: str, name: str, kind: str = "at_once") -> Row:
    return day, kind, "engineers", f"{'Closed: ' if kind == 'closing' else ''}{name} is amiss", (name,)


def summary(day: str, counts: str, *names: str) -> Row:
    return day, "summary", "engineers", f"Warehouse this morning: {counts}", names


QUESTION = "A question about your data “Offences recorded by the police, one by one”: what changed in June 2026?"
WHOLES = sorted(f"Whole {n}" for n in range(12))
BURSTS = [f"Burst {n}" for n in "abcde"]
# the web hook gets what the team gets by mail
EXPECTED = [
    digest("01-05", 12, 0, *WHOLES),
    digest("01-12", 0, 12, *WHOLES),
    to_team("02-17", "Robbery"),
    digest("02-23", 0, 1, "Robbery"),
    to_engineers("03-17", "build:held"),
    summary("03-18", "0 new, 1 still open (1 past its day), 0 closed", "build:held"),
    to_engineers("03-20", "build:held", "closing"),
    to_team("03-20", "Silenced"),
    digest("03-23", 0, 1, "Silenced"),
    to_team("04-14", *BURSTS[:3]),
    to_team("04-15", "Burst d"),
    digest("04-20", 5, 0, *BURSTS),
    summary("04-21", "1 new, 0 still open, 0 closed", "refused"),
    digest("04-27", 0, 5, *BURSTS),
    summary("04-28", "0 new, 0 still open, 1 closed", "refused"),
    to_team("05-12", "Later"),
    digest("06-01", 1, 0, "Later"),
    digest("06-08", 0, 1, "Later"),
    to_engineers("06-15", "build:held"),
    summary("06-16", "0 new, 1 still open (1 past its day), 0 closed", "build:held"),
    to_team("06-16", "Asked"),
    to_engineers("06-17", "build:held", "closing"),
    ("06-17", "question", "police", QUESTION, ("Asked",)),
    digest("06-29", 0, 1, "Asked"),
    summary("07-14", "0 new, 0 still open, 1 closed", "build:failed"),
    to_engineers("08-04", "build:held"),
    # the morning of the wrong clock
    summary("09-15", "1 new, 1 still open (1 past its day), 0 closed", "build:held", "small"),
    to_engineers("08-06", "build:held", "closing"),
    summary("08-06", "0 new, 0 still open, 1 closed", "small"),
    summary("09-08", "1 new, 0 still open, 0 closed", "quarantine"),
    to_engineers("09-09", "quarantine"),
    to_engineers("09-10", "quarantine", "closing"),
    to_team("10-06", "Overdue"),
    summary("10-06", "1 new, 0 still open, 0 closed", "forgotten"),
    summary("10-14", "0 new, 1 still open (1 past its day), 0 closed", "forgotten"),
    digest("10-19", 1, 0, "Overdue"),
    digest("10-26", 1, 0, "Overdue"),
    summary("10-27", "0 new, 0 still open, 1 closed", "forgotten"),
    digest("11-02", 0, 1, "Overdue"),
    to_team("11-10", "Last"),
    digest("11-16", 0, 1, "Last"),
]
# a message with two channels on its night, a digest and a summary in their mornings, and a closing with a question
CRASHES = {"02-17": time(3), "04-20": time(8, 5), "04-28": time(8, 5), "06-17": time(3)}


def test_a_year_of_nights_tells_each_thing_once_and_to_whom_it_concerns(year: Year) -> None:
    for number in range(365):
        day = date(2026, 1, 1) + timedelta(days=number)
        happens = NIGHTS.get(f"{day:%m-%d}", [])
        moment = CRASHES.get(f"{day:%m-%d}")
        if moment is not None:
            now = datetime.combine(day, time(3), LONDON)
            with connect(year.settings) as connection:
                for one in happens:
                    one(connection, now)
                tell_people(connection, {}, now=now)
            year.send_with_crashes(datetime.combine(day, moment, LONDON))
            happens = []
        if f"{day:%m-%d}" == "08-04":
            # while messages wait, the clock of the machine goes forward by six weeks for a morning, and back
            year.mail.refusals[ENGINEERS] = "451 come back later"
            now = datetime.combine(day, time(3), LONDON)
            with connect(year.settings) as connection:
                for one in happens:
                    one(connection, now)
            assert year.send(now) == Sending(waiting=1)
            assert year.send(datetime.combine(day + timedelta(days=42), time(8, 5), LONDON)) == Sending(waiting=2)
            year.mail.refusals.clear()
            happens = []
        year.night(day, *happens)
    got = received(year)
    expected = Counter(EXPECTED)
    assert (list(got - expected), list(expected - got)) == ([], []), "told and not expected, expected and not told"
    assert year.crashes > 100

    # a repeat is for the night of a crash alone
    days = {message["Message-ID"]: parsedate_to_datetime(message["Date"]) for _, message in year.mail.taken}
    copies = Counter(message["Message-ID"] for _, message in year.mail.taken)
    repeated = {f"{days[number].astimezone(LONDON):%m-%d}" for number, count in copies.items() if count > 1}
    assert repeated, "no crash between sending and noting it was tried"
    assert repeated <= set(CRASHES), "a needless repeat"
    said_by: dict[str, str] = {}
    for _, message in year.mail.taken:
        text = text_of(message)
        assert said_by.setdefault(message["Message-ID"], text) == text, "a copy says something else"

    past = {
        f"{days[number].astimezone(LONDON):%m-%d}" for number, text in said_by.items() if "that day is past" in text
    }
    assert past == {"03-18", "06-01", "06-16", "09-15", "10-14", "10-26"}
    (grave,) = (text for number, text in said_by.items() if f"{days[number]:%m-%d}" == "09-09")
    assert "by 9 September 2026" in grave, "what has become grave is due at once"

    questions = [message for to, message in year.mail.taken if to == [POLICE]]
    assert {message["Reply-To"] for message in questions} == {TEAM}, "an agency's answer goes to who asked"
    assert {message["Reply-To"] for to, message in year.mail.taken if to != [POLICE]} == {None}

    weeks = Counter(
        datetime.strptime(f"2026-{row[0]}", "%Y-%m-%d").isocalendar().week for row in got.elements() if row[2] == "team"
    )
    assert max(weeks.values()) <= 3
    posted = Counter(post["message"].rpartition("(")[2].rstrip(")\n") for post in year.hook.taken)
    by_mail = {m["X-Saferkc-Key"]: days[m["Message-ID"]] for to, m in year.mail.taken if to == [TEAM]}
    assert set(posted) == set(by_mail)
    again = {f"{by_mail[key].astimezone(LONDON):%m-%d}" for key, count in posted.items() if count > 1}
    assert again <= set(CRASHES)
    with connect(year.settings) as connection:
        rest = "select count(*) from quality.outbox where state not in ('sent', 'dropped')"
        assert connection.execute(rest.encode()).fetchone() == (0,)
    print(json.dumps({"messages a week to the team": weeks, "crashes": year.crashes, "mails": len(year.mail.taken)}))
