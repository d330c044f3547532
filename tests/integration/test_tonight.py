"""How tonight stands: each feed by its calendar and its own history, and the marts by their time."""

from __future__ import annotations

import os
from datetime import datetime

import pytest
from publishing_helpers import deliver, start_build
from saferkc.contracts.calendar import LONDON
from saferkc.monitoring import (
    FeedTonight,
    deadline_tonight,
    feeds_tonight,
    keep_task_run,
    last_builds,
    latest_task_runs,
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
