"""How tonight stands: each feed by its calendar and its own history, and the marts by their time."""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta

import pytest
from publishing_helpers import deliver, start_build
from saferkc.cli.status import status
from saferkc.contracts.calendar import LONDON
from saferkc.monitoring import (
    FeedTonight,
    deadline_tonight,
    feeds_tonight,
    keep_task_run,
    last_builds,
    latest_task_runs,
    look,
    settle_deadlines,
    settle_late,
    timed,
)
from saferkc.settings import Settings, SettingsError
from saferkc.warehouse.connection import Connection, connect


def at(said: str) -> datetime:
    return datetime.fromisoformat(said).replace(tzinfo=LONDON)


def tonight(settings: Settings, connection: Connection, now: str) -> dict[str, FeedTonight]:
    return {one.feed: one for one in feeds_tonight(settings, connection, at(now))}


def test_feeds_stand_as_their_calendars_and_histories_say(settings: Settings) -> None:
    with connect(settings) as connection:
        # the council comes at ten past four, and the police at twenty past, of late with more rows
        for day in range(20, 27):
            deliver(connection, "council_enforcement_actions", day, received_at=at(f"2026-11-{day} 04:10"))
            deliver(connection, "police_offences", 10 * day, received_at=at(f"2026-11-{day} 04:20"))
        deliver(connection, "rahab_clients", 9, received_at=at("2026-10-05 11:00"))
        deliver(connection, "police_offences", 500, received_at=at("2026-11-27 04:50"))
        refused = {"state": "refused", "reason": "cut off", "rows_admitted": 0, "rows_in": 0, "rows_refused": 7}
        deliver(connection, "tmo_asb_cases", 5, received_at=at("2026-11-25 04:00"))
        deliver(connection, "tmo_asb_cases", received_at=at("2026-11-27 04:00"), **refused)

        early = tonight(settings, connection, "2026-11-27 03:00")
        assert early["council_enforcement_actions"].state == "expected"
        assert early["council_enforcement_actions"].next_due_at == at("2026-11-27 04:30")
        assert early["tmo_asb_cases"].state == "late"  # nothing came in the night before either

        now = tonight(settings, connection, "2026-11-27 06:00")
        states = {name: feed.state for name, feed in now.items()}
        assert {name: state for name, state in states.items() if state != "never_came"} == {
            "council_enforcement_actions": "late",
            "police_offences": "arrived",
            "tmo_asb_cases": "refused",
            "rahab_clients": "late",  # due on 7 November, a Saturday, so on Monday the 9th
        }
        council, police = now["council_enforcement_actions"], now["police_offences"]
        assert (council.minutes_late, council.usually_minutes_late) == (90, -20)
        assert council.minutes_later_than_usual == 110
        assert now["rahab_clients"].due_at == at("2026-11-09 17:00")
        assert (police.minutes_late, police.minutes_later_than_usual) == (20, 30)
        assert police.tonight is not None and police.tonight.rows_in == 500
        assert (police.usual_rows, len(police.history)) == (230, 7)
        assert now["tmo_asb_cases"].tonight is not None and now["tmo_asb_cases"].tonight.rows_refused == 7
        assert now["reference_lsoa_ward"].due_at is None


def test_marts_are_in_time_when_all_that_came_is_in_them(settings: Settings) -> None:
    with connect(settings) as connection:

        def state(now: str) -> tuple[str, str]:
            deadline = deadline_tonight(settings, connection, at(now))
            return deadline.state, deadline.why

        assert state("2026-11-27 07:00") == ("met", "everything that came is published")
        delivery = deliver(connection, rows=5, received_at=at("2026-11-27 04:00"))
        assert state("2026-11-27 05:00")[0] == "ahead"
        missed, why = state("2026-11-27 06:00")
        assert (missed, why) == (
            "missed",
            "1 admitted deliveries are not in the published marts; no build has been begun for them",
        )
        build = start_build(connection)
        assert f"build {build} is under way since" in state("2026-11-27 06:00")[1]
        connection.execute("insert into quality.build_delivery values (%s, %s)", (build, delivery))
        connection.execute("update quality.build set state = 'published', finished_at = now()")
        assert state("2026-11-27 06:01")[0] == "met"
        # what comes after the time is tomorrow's
        deliver(connection, rows=5, received_at=at("2026-11-27 06:30"))
        assert state("2026-11-27 07:00")[0] == "met"
        assert state("2026-11-28 07:00")[0] == "missed"


def test_the_time_of_the_marts_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "SAFERKC_MARTS_BY", "7:xx")
    with pytest.raises(SettingsError, match="SAFERKC_MARTS_BY"):
        Settings.load()


def test_tasks_are_held_against_what_they_usually_take(settings: Settings) -> None:
    for seconds in (10, 30, 20, 600):
        keep_task_run(settings, "load", seconds, "police_offences")
    keep_task_run(settings, "load", 1, "tmo_asb_cases")
    keep_task_run(settings, "load", 999, "police_offences", error=ValueError("Jane Doe"))

    @timed("publish")
    def publish(_: Settings, build_id: int) -> None:
        raise RuntimeError(f"Jane Doe of build {build_id}")

    with connect(settings) as connection:
        build = start_build(connection)
        with pytest.raises(RuntimeError):
            publish(settings, build)
        runs = {(run.task, run.feed): run for run in latest_task_runs(connection)}
        assert not runs["load", "police_offences"].succeeded
        assert runs["load", "police_offences"].usual_seconds == pytest.approx(25)
        assert runs["load", "tmo_asb_cases"].usual_seconds is None
        (newest,) = last_builds(connection)
        assert [(run.task, run.succeeded) for run in newest.tasks] == [("publish", False)]
    lines = "".join(file.read_text() for file in settings.logs.glob("*.jsonl"))
    assert '"build_id": ' in lines and "RuntimeError" in lines
    assert "Jane" not in lines


def test_a_task_that_found_nothing_is_no_measure(settings: Settings) -> None:
    @timed("land")
    def land(_: Settings, feed: str) -> list[int]:
        return [] if feed == "police_offences" else [1]

    assert land(settings, "police_offences") == []
    assert land(settings, "tmo_asb_cases") == [1]
    with connect(settings) as connection:
        assert [run.feed for run in latest_task_runs(connection)] == ["tmo_asb_cases"]


def alerts_of(connection: Connection, key: str) -> list[tuple[str, str, int]]:
    return connection.execute(
        "select dedup_key, state, times_seen from quality.alert where dedup_key like %s order by alert_id", [key]
    ).fetchall()


def test_a_late_feed_is_told_of_once_for_each_time_and_closes_when_it_comes(settings: Settings) -> None:
    with connect(settings) as connection:
        deliver(connection, "tmo_asb_cases", 5, received_at=at("2026-11-24 04:00"))
        look(settings, at("2026-11-25 04:00"))
        assert alerts_of(connection, "late:%") == []
        for moment in ("2026-11-25 04:40", "2026-11-25 05:10", "2026-11-25 23:40"):
            assert look(settings, at(moment)).late == ("tmo_asb_cases",)
        connection.rollback()
        assert alerts_of(connection, "late:%") == [("late:tmo_asb_cases", "open", 1)]
        look(settings, at("2026-11-26 04:40"))
        connection.rollback()
        assert alerts_of(connection, "late:%") == [("late:tmo_asb_cases", "open", 2)]
        # closed by hand: told again for the next night, not for this
        connection.execute("update quality.alert set state = 'resolved'")
        connection.commit()
        look(settings, at("2026-11-26 05:10"))
        connection.rollback()
        assert [state for _, state, _ in alerts_of(connection, "late:%")] == ["resolved"]
        look(settings, at("2026-11-27 04:40"))
        connection.rollback()
        assert [state for _, state, _ in alerts_of(connection, "late:%")] == ["resolved", "open"]
        # what was landed has come, though it is not loaded yet
        connection.execute(
            "insert into quality.landed_file (sha256, bytes, first_name) values (repeat('0', 64), 1, 'a')"
        )
        connection.execute(
            "insert into quality.arrival (feed, source_name, landed_sha256, received_at)"
            " values ('tmo_asb_cases', 'a', repeat('0', 64), %s)",
            [at("2026-11-27 04:41")],
        )
        connection.commit()
        assert look(settings, at("2026-11-27 05:10")).late == ()
        connection.rollback()
        assert {state for _, state, _ in alerts_of(connection, "late:%")} == {"resolved"}


def test_a_feed_that_comes_closes_its_alert_itself(settings: Settings) -> None:
    with connect(settings) as connection:
        for feed in ("tmo_asb_cases", "council_enforcement_actions"):
            deliver(connection, feed, 5, received_at=at("2026-11-24 04:00"))
        look(settings)
        connection.rollback()
        assert [state for _, state, _ in alerts_of(connection, "late:%")] == ["open", "open"]
        deliver(connection, "tmo_asb_cases", 5, received_at="now")
        for feed in ("tmo_asb_cases", "council_enforcement_actions"):
            settle_late(settings, connection, feed)
        assert {key: state for key, state, _ in alerts_of(connection, "late:%")} == {
            "late:tmo_asb_cases": "resolved",
            "late:council_enforcement_actions": "open",
        }


def test_marts_that_are_not_ready_are_told_of_once_a_night_until_they_are(settings: Settings) -> None:
    with connect(settings) as connection:
        delivery = deliver(connection, "police_open_street", 5, received_at=at("2026-11-25 04:00"))
        for moment in ("2026-11-25 05:40", "2026-11-25 06:10", "2026-11-25 06:40", "2026-11-25 21:10"):
            look(settings, at(moment))
        connection.rollback()
        assert alerts_of(connection, "deadline:%") == [("deadline:2026-11-25", "open", 1)]
        look(settings, at("2026-11-26 06:10"))
        connection.rollback()
        assert [row[:2] for row in alerts_of(connection, "deadline:%")] == [
            ("deadline:2026-11-25", "resolved"),
            ("deadline:2026-11-26", "open"),
        ]
        build = start_build(connection)
        connection.execute("insert into quality.build_delivery values (%s, %s)", (build, delivery))
        settle_deadlines(settings, connection, at("2026-11-26 06:50"))
        assert alerts_of(connection, "deadline:%")[-1][1] == "open"  # it runs, and is not published
        connection.execute("update quality.build set state = 'published', finished_at = now()")
        settle_deadlines(settings, connection, at("2026-11-26 07:00"))
        assert {row[1] for row in alerts_of(connection, "deadline:%")} == {"resolved"}
        audiences = connection.execute("select distinct audience, group_key from quality.alert").fetchall()
        assert audiences == [("engineers", "build")]


def test_status_shows_tonight_on_a_terminal(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    now = datetime.now(LONDON)
    with connect(settings) as connection:
        for days, rows in ((4, 0), (3, 50), (2, 100)):
            deliver(connection, "tmo_asb_cases", rows, received_at=now - timedelta(days=days))
        build = start_build(connection)
    for seconds in (10, 10, 90):
        keep_task_run(settings, "publish", seconds, build_id=build)
    look(settings)
    status(settings, as_json=False)
    shown = " ".join(capsys.readouterr().out.split())
    assert "tmo_asb_cases late" in shown and "▁▅█" in shown
    assert "publish 90 s (usually 10 s)" in shown
    assert "MISSED" in shown or "to come" in shown
    assert "Nothing has ever come for: angelou_referrals" in shown
    assert "tmo_asb_cases: nothing has come; it was due by" in shown
    status(settings, as_json=True)
    told = json.loads(capsys.readouterr().out)
    (feed,) = [one for one in told["tonight"] if one["feed"] == "tmo_asb_cases"]
    assert (feed["state"], feed["usual_rows"], len(feed["history"])) == ("late", 50, 3)
    assert told["builds"][0]["tasks"][-1]["usual_seconds"] == pytest.approx(10)
    assert set(told) >= {"builds", "deliveries", "alerts", "deadline", "running", "services"}
