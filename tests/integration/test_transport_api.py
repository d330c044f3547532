"""Records from a real paged API over TLS: all of them or none, in spite of faults, and no page twice."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import hypothesis
import pytest
from agency_servers import TOKEN, Answer, ApiAgency, api_agency, home_with_feeds
from hypothesis import strategies as st
from saferkc.landing.fetch import check, fetch
from saferkc.landing.transports import Endpoint, FetchError
from saferkc.landing.transports.memory import now, remembering
from saferkc.settings import Settings

SECRET_OF_A_RECORD = "Unmistakable Name"  # noqa: S105


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return home_with_feeds(tmp_path)


@pytest.fixture
def agency(tmp_path: Path) -> Iterator[ApiAgency]:
    with api_agency(tmp_path) as agency:
        agency.records = records(35)
        yield agency


def records(count: int) -> list[dict[str, Any]]:
    return [
        {"id": number, "what": f"{SECRET_OF_A_RECORD} {number}", "where": {"ward": None}} for number in range(count)
    ]


def brought(home: Settings) -> list[dict[str, Any]]:
    """The records of the one file in the inbox, which is taken out of it."""
    (path,) = (home.inbox / "council").iterdir()
    lines = path.read_bytes().splitlines()
    path.unlink()
    return [json.loads(line) for line in lines]


def today() -> str:
    return f"{datetime.now(ZoneInfo('Europe/London')):%Y%m%d}"


def test_all_pages_become_one_file_named_after_the_contract_and_readable_by_its_owner_only(
    home: Settings, agency: ApiAgency
) -> None:
    (name,) = fetch(home, "actions", agency.endpoint())
    assert name == f"actions_{today()}.jsonl"
    assert (home.inbox / "council" / name).stat().st_mode & 0o777 == 0o600
    assert brought(home) == agency.records
    assert agency.pages_asked == [1, 2, 3, 4, 1]  # the first once more, to see that nothing moved meanwhile
    assert {asked.authorization for asked in agency.asked} == {f"Bearer {TOKEN}"}


@pytest.mark.parametrize("count", [1, 10, 11, 30])
def test_links_and_numbers_lead_to_the_same_records(home: Settings, agency: ApiAgency, count: int) -> None:
    agency.records = records(count)
    fetch(home, "actions", agency.endpoint())
    assert brought(home) == agency.records
    agency.is_linked = True
    agency.records.append({"id": "more"})
    fetch(home, "actions", agency.endpoint())
    assert brought(home) == agency.records


def test_api_that_says_nothing_of_its_pages_is_read_to_the_first_empty_one(home: Settings, agency: ApiAgency) -> None:
    def bare(page: int, usual: dict[str, Any]) -> None:
        for name in ("page", "pages", "total"):
            del usual[name]
        if page == 2:  # fewer than others, and yet not the last
            usual["items"] = usual["items"][:3]

    agency.doing = bare
    fetch(home, "actions", agency.endpoint())
    assert brought(home) == agency.records[:13] + agency.records[20:]
    assert agency.pages_asked == [1, 2, 3, 4, 5, 1]


def test_extract_is_dated_as_the_agency_says_and_named_simulated_where_it_is(home: Settings, agency: ApiAgency) -> None:
    agency.doing = lambda _, usual: usual.update(as_of="2017-04-02T23:30:00+00:00")
    # half past eleven in universal time is past midnight in London's summer
    assert fetch(home, "actions", agency.endpoint(simulated=True)) == ["simulated_actions_20170403.jsonl"]


def test_nothing_new_brings_nothing(home: Settings, agency: ApiAgency) -> None:
    fetch(home, "actions", agency.endpoint())
    brought(home)
    assert fetch(home, "actions", agency.endpoint()) == []
    assert list((home.inbox / "council").iterdir()) == []
    agency.records[20]["what"] = "changed"
    fetch(home, "actions", agency.endpoint())
    assert brought(home) == agency.records


def test_only_what_changed_since_the_last_fetch_is_asked_for(home: Settings, agency: ApiAgency) -> None:
    endpoint = agency.endpoint(since_param="changed_since", params={"kind": "all"}, page_size_param="size")
    fetch(home, "actions", endpoint)
    brought(home)
    assert {"changed_since"}.isdisjoint(name for asked in agency.asked for name in asked.query)
    agency.asked.clear()
    agency.records = []
    assert fetch(home, "actions", endpoint) == []
    yesterday = datetime.now(ZoneInfo("Europe/London")).date() - timedelta(days=1)
    assert agency.asked[0].query == {"changed_since": yesterday.isoformat(), "kind": "all", "size": "500"}


def test_whole_extract_without_a_record_is_no_extract(home: Settings, agency: ApiAgency) -> None:
    agency.records = []
    with pytest.raises(FetchError, match="without a single record"):
        fetch(home, "actions", agency.endpoint())


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_busy_or_broken_server_is_asked_again(home: Settings, agency: ApiAgency, status: int) -> None:
    left = {2: 2, 4: 1}

    def busy(page: int, _: dict[str, Any]) -> Answer | None:
        if left.get(page, 0):
            left[page] -= 1
            return Answer(status, body=SECRET_OF_A_RECORD.encode())
        return None

    agency.doing = busy
    fetch(home, "actions", agency.endpoint())
    assert brought(home) == agency.records
    assert agency.pages_asked == [1, 2, 2, 2, 3, 4, 4, 1]


def test_retry_after_is_kept_to_in_seconds_and_as_a_moment(home: Settings, agency: ApiAgency) -> None:
    asks = ["1", format_datetime(datetime.now(UTC) + timedelta(seconds=3), usegmt=True)]

    def busy(page: int, _: dict[str, Any]) -> Answer | None:
        return Answer(429, {"Retry-After": asks.pop(0)}) if page == 2 and asks else None

    agency.doing = busy
    moment = asks[1]
    fetch(home, "actions", agency.endpoint())
    second, third, fourth = (asked.at for asked in agency.asked if asked.page == 2)
    assert third - second >= 1
    assert brought(home) == agency.records
    assert fourth > third
    assert now() >= datetime.strptime(moment, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)


def test_long_retry_after_ends_the_fetch_and_the_next_one_goes_on_from_the_last_page(
    home: Settings, agency: ApiAgency
) -> None:
    agency.doing = lambda page, _: Answer(429, {"Retry-After": "3600"}) if page == 3 else None
    with pytest.raises(FetchError, match="come back in 3600 s") as failure:
        fetch(home, "actions", agency.endpoint())
    assert failure.value.is_passing
    agency.doing = None
    agency.asked.clear()
    fetch(home, "actions", agency.endpoint())
    assert brought(home) == agency.records
    assert agency.pages_asked == [2, 3, 4, 1]  # the last page that came once more, to see that nothing moved


def test_answers_cut_short_or_no_json_are_asked_for_again_and_given_up_in_the_end(
    home: Settings, agency: ApiAgency
) -> None:
    faults = [Answer(is_cut=True, body=b"[" * 99), Answer(body=b"<html>"), Answer(body=b'{"items": [NaN]}')]
    agency.doing = lambda page, _: faults.pop() if page == 3 and faults else None
    fetch(home, "actions", agency.endpoint())
    assert brought(home) == agency.records
    agency.doing = lambda *_: Answer(body=f'{{"{SECRET_OF_A_RECORD}'.encode())
    with pytest.raises(FetchError, match="no good answer in 6 tries: an answer that is no JSON") as failure:
        fetch(home, "actions", agency.endpoint())
    assert failure.value.is_passing
    assert SECRET_OF_A_RECORD not in "".join(traceback.format_exception(failure.value))


def test_pages_that_came_lie_encrypted_until_all_are_there(home: Settings, agency: ApiAgency) -> None:
    agency.doing = lambda page, _: Answer(500) if page == 3 else None
    with pytest.raises(FetchError):
        fetch(home, "actions", agency.endpoint())
    kept = [path for path in home.home.rglob("*") if path.is_file()]
    assert any(path.stat().st_size > 10_000 for path in kept)
    assert not any(SECRET_OF_A_RECORD.encode() in path.read_bytes() for path in kept)
    assert not (home.inbox / "council").exists()


@pytest.mark.parametrize("is_linked", [True, False])
def test_record_that_comes_in_midway_makes_the_fetch_start_over(
    home: Settings, agency: ApiAgency, is_linked: bool
) -> None:
    def doing(page: int, usual: dict[str, Any]) -> None:
        if page == 2 and len(agency.records) == 35:
            agency.records.insert(0, {"id": "new"})
        usual.clear()
        usual |= agency.usual(page)

    agency.is_linked, agency.doing = is_linked, doing
    fetch(home, "actions", agency.endpoint())
    assert brought(home) == agency.records
    assert len(agency.records) == 36
    assert agency.pages_asked.count(1) == 3  # begun, begun anew, and looked at in the end


def test_change_of_a_page_that_was_fetched_already_is_seen_in_the_end(home: Settings, agency: ApiAgency) -> None:
    def doing(page: int, _: dict[str, Any]) -> None:
        if page == 4:
            agency.records[0] = {"id": 0, "what": "corrected meanwhile"}

    agency.doing = doing
    fetch(home, "actions", agency.endpoint())
    assert brought(home) == agency.records
    assert agency.pages_asked == [1, 2, 3, 4, 1, 1, 2, 3, 4, 1]


def repeats(page: int, usual: dict[str, Any], agency: ApiAgency) -> None:
    if page == 3:
        usual["items"] = agency.usual(2)["items"]


def mixes(page: int, usual: dict[str, Any], agency: ApiAgency) -> None:
    if page == 3:
        usual["items"][0] = agency.records[4]


def skips(page: int, usual: dict[str, Any], _: ApiAgency) -> None:
    if page == 3:
        usual["items"] = usual["items"][:-1]


def jumps(page: int, usual: dict[str, Any], agency: ApiAgency) -> None:
    if page == 3:
        usual |= agency.usual(4)


def counts_on(page: int, usual: dict[str, Any], _: ApiAgency) -> None:
    usual["total"] += page


def empties(page: int, usual: dict[str, Any], _: ApiAgency) -> None:
    if page == 2:
        usual["items"] = []


def ages(page: int, usual: dict[str, Any], _: ApiAgency) -> None:
    usual["as_of"] = f"2017-04-0{page}"


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (repeats, "page 3 repeats page 2"),
        (mixes, "page 3 repeats a record of page 1"),
        (skips, "35 records were announced and 34 came: some were skipped"),
        (jumps, "page 3 was asked for and page 4 came"),
        (counts_on, "page 2 announces another extract, or another total, than the first page"),
        (empties, "page 2 is empty, and more was announced"),
        (ages, "page 2 announces another extract"),
    ],
)
def test_pages_that_never_fit_together_are_refused_with_the_reason(
    home: Settings, agency: ApiAgency, fault: Any, reason: str
) -> None:
    agency.doing = lambda page, usual: fault(page, usual, agency)
    with pytest.raises(FetchError, match=reason) as refusal:
        fetch(home, "actions", agency.endpoint())
    assert not refusal.value.is_passing
    assert "tried 3 times" in str(refusal.value)
    assert not (home.inbox / "council").exists()
    agency.doing = None  # mended by the agency
    fetch(home, "actions", agency.endpoint())
    assert brought(home) == agency.records


def test_link_that_leads_in_a_circle_is_refused(home: Settings, agency: ApiAgency) -> None:
    agency.is_linked = True
    agency.doing = lambda page, usual: usual.update(next="/v1/actions?cursor=2") if page == 3 else None
    with pytest.raises(FetchError, match="page 4 repeats page 2"):
        fetch(home, "actions", agency.endpoint())


def test_page_that_changed_before_the_next_fetch_makes_that_start_over(home: Settings, agency: ApiAgency) -> None:
    agency.doing = lambda page, _: Answer(503, {"Retry-After": "999"}) if page == 3 else None
    with pytest.raises(FetchError):
        fetch(home, "actions", agency.endpoint())
    agency.doing = None
    agency.asked.clear()
    agency.records.insert(0, {"id": "new"})
    fetch(home, "actions", agency.endpoint())
    assert brought(home) == agency.records
    assert agency.pages_asked == [2, 1, 2, 3, 4, 1]


def test_link_that_is_no_longer_known_makes_the_fetch_start_over(home: Settings, agency: ApiAgency) -> None:
    agency.is_linked = True
    agency.doing = lambda page, _: Answer(503, {"Retry-After": "999"}) if page == 3 else None
    with pytest.raises(FetchError):
        fetch(home, "actions", agency.endpoint())
    gone = [Answer(410)]
    agency.doing = lambda page, _: gone.pop() if page == 2 and gone else None
    fetch(home, "actions", agency.endpoint())
    assert brought(home) == agency.records


@pytest.fixture
def fetching(home: Settings, agency: ApiAgency, tmp_path: Path) -> list[str]:
    """The command of a process that fetches."""
    program = tmp_path / "fetching.py"
    program.write_text(
        f"""
from pathlib import Path
from saferkc.landing.fetch import fetch
from saferkc.landing.transports import Endpoint
from saferkc.settings import Settings
home = Settings(home=Path({str(home.home)!r}), project_root=Path({str(home.project_root)!r}),
    external_warehouse_url=None)
print("begins", flush=True)
fetch(home, "actions", Endpoint(**{vars(agency.endpoint())!r}))
"""
    )
    return [sys.executable, str(program)]


def test_killed_in_the_middle_it_goes_on_from_the_last_page(
    home: Settings, agency: ApiAgency, fetching: list[str]
) -> None:
    came, goes_on = threading.Event(), threading.Event()

    def hold(page: int, _: dict[str, Any]) -> None:
        if page == 4:
            came.set()
            goes_on.wait(30)

    agency.doing = hold
    process = subprocess.Popen(fetching)
    assert came.wait(60)
    process.kill()
    process.wait()
    agency.doing = None
    goes_on.set()
    agency.asked.clear()
    fetch(home, "actions", agency.endpoint())
    assert brought(home) == agency.records
    assert agency.pages_asked == [3, 4, 1]


def test_killed_at_any_moment_the_records_come_once(home: Settings, agency: ApiAgency, fetching: list[str]) -> None:
    agency.records = records(200)
    agency.doing = lambda *_: time.sleep(0.005)
    for pause in (0.05, 0.15, 0.2, 0.25, 0.3):
        process = subprocess.Popen(fetching, stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(pause)
        process.kill()
        process.communicate()
    last = fetch(home, "actions", agency.endpoint())
    assert len(last) <= 1
    assert brought(home) == agency.records
    assert fetch(home, "actions", agency.endpoint()) == []
    assert list((home.home / "fetching" / "council").glob("*.part")) == []


@pytest.mark.parametrize("change", ["a day later", "another question"])
def test_pages_of_another_fetch_are_not_gone_on_from(home: Settings, agency: ApiAgency, change: str) -> None:
    agency.doing = lambda page, _: Answer(503, {"Retry-After": "999"}) if page == 3 else None
    with pytest.raises(FetchError):
        fetch(home, "actions", agency.endpoint())
    agency.doing = None
    agency.asked.clear()
    if change == "a day later":
        with remembering(home, "council") as memory, memory.database:
            memory.database.execute("update walk set began_at = ?", [(now() - timedelta(hours=13)).isoformat()])
    fetch(home, "actions", agency.endpoint(params={"question": "another"} if change == "another question" else {}))
    assert agency.pages_asked == [1, 2, 3, 4, 1]
    assert brought(home) == agency.records


def test_feed_that_the_api_does_not_have_is_left_to_the_inbox(home: Settings, agency: ApiAgency) -> None:
    assert fetch(home, "actions", agency.endpoint(path=None, paths={"other_feed": "/v1/other"})) == []
    assert agency.asked == []
    fetch(home, "actions", agency.endpoint(path=None, paths={"actions": "/v1/actions"}))
    assert brought(home) == agency.records


def test_certificate_of_another_authority_is_refused_before_the_token_is_sent(
    home: Settings, agency: ApiAgency
) -> None:
    for extra in ({"ca_file": None}, {"ca_file": str(agency.ca_file)}):
        endpoint = agency.endpoint(**extra)
        if extra["ca_file"]:  # the right authority, and another machine's name
            endpoint = Endpoint(**(vars(endpoint) | {"host": "127.0.0.2"}))
            check_fails(home, endpoint, "did not|certificate|no good answer")
        else:
            check_fails(home, endpoint, "certificate of https://localhost:[0-9]+ is not one that we trust")
    assert agency.asked == []


def check_fails(home: Settings, endpoint: Endpoint, reason: str) -> FetchError:
    with pytest.raises(FetchError, match=reason) as failure:
        check(home, endpoint, "council")
    return failure.value


def test_wrong_settings_are_named_and_no_secret_is_told(
    home: Settings, agency: ApiAgency, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = "secret-that-is-wrong"  # noqa: S105
    (tmp_path / "no.pem").write_text(secret)
    known = vars(agency.endpoint())
    cases: list[tuple[dict[str, Any], str]] = [
        ({"password": secret}, "does not accept the token .status 401."),
        ({"password": None}, "set its password"),
        ({"password": f"{secret}\nX-Other: {secret}"}, "set its password"),
        ({"host": "http://localhost"}, "over https only"),
        ({"schema": "http"}, "over https only"),
        ({"host": None}, "set the host"),
        ({"host": f"user:{secret}@localhost"}, "set the host"),
        ({"extra": known["extra"] | {"path": None}}, "set `path`"),
        ({"extra": known["extra"] | {"path": f"https://elsewhere.invalid/{secret}"}}, "another server"),
        ({"extra": known["extra"] | {"path": f"/v1/{secret}\n"}}, "`path` in its extra is no address"),
        ({"extra": known["extra"] | {"ca_file": "/nowhere"}}, "`ca_file` /nowhere: No such file"),
        ({"extra": known["extra"] | {"ca_file": str(tmp_path / "no.pem")}}, "no certificate in PEM form"),
        ({"extra": known["extra"] | {"records": "results"}}, "no list of records at `results`"),
        ({"extra": known["extra"] | {"verify": False}}, "`verify`: Extra inputs"),
        ({"extra": known["extra"] | {"page_size": secret}}, "`page_size`"),
    ]
    for change, reason in cases:
        endpoint = Endpoint(**(known | change))
        with pytest.raises(FetchError, match=reason) as refusal:
            fetch(home, "actions", endpoint)
        assert not refusal.value.is_passing, reason
        assert secret not in "".join(traceback.format_exception(refusal.value)), reason
    assert secret not in caplog.text
    assert TOKEN not in caplog.text
    assert SECRET_OF_A_RECORD not in caplog.text


def test_link_that_is_no_address_is_told_without_its_words(home: Settings, agency: ApiAgency) -> None:
    agency.is_linked = True
    agency.doing = lambda _, usual: usual.update(next=f"https://localhost:port/{SECRET_OF_A_RECORD}")
    with pytest.raises(FetchError, match=r"the link to the next page that https://localhost.* is no address") as fault:
        fetch(home, "actions", agency.endpoint())
    assert SECRET_OF_A_RECORD not in "".join(traceback.format_exception(fault.value))


def test_token_is_never_sent_on(home: Settings, agency: ApiAgency, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with api_agency(tmp_path / "other") as other:
        address = f"https://localhost:{other.port}/v1/actions"
        agency.doing = lambda *_: Answer(302, {"Location": address})
        check_fails(home, agency.endpoint(), "sends us to another address")
        agency.is_linked = True
        agency.doing = lambda _, usual: usual.update(next=address)
        with pytest.raises(FetchError, match="names a page of another server"):
            fetch(home, "actions", agency.endpoint())
        assert other.asked == []


def test_refused_request_and_server_that_is_gone(home: Settings, agency: ApiAgency) -> None:
    agency.doing = lambda *_: Answer(404)
    assert not check_fails(home, agency.endpoint(), "refuses the request for /v1/actions .status 404.").is_passing
    gone = Endpoint(**(vars(agency.endpoint()) | {"port": 1}))
    assert check_fails(home, gone, "no good answer in 6 tries: ConnectError").is_passing


@hypothesis.settings(max_examples=15, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
@hypothesis.given(data=st.data())
def test_whatever_goes_wrong_a_file_holds_every_record_once_or_does_not_come(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Any run of faults, in up to four fetches: what comes is what the agency has at the end of that fetch."""
    folder = tmp_path_factory.mktemp("api")
    home = home_with_feeds(folder)
    with api_agency(folder) as agency:
        agency.records = records(data.draw(st.integers(1, 40), "records"))
        agency.is_linked = data.draw(st.booleans(), "linked")
        kinds = st.sampled_from(["well"] * 6 + ["busy", "stop", "cut", "insert", "remove"])
        faults = data.draw(st.lists(st.tuples(kinds, st.integers(0, 39)), max_size=30), "faults")

        def doing(page: int, usual: dict[str, Any]) -> Answer | None:
            kind, where = faults.pop() if faults else ("well", 0)
            # links say no total, so that only a change that moves the first page can be seen
            where = 0 if agency.is_linked else where % len(agency.records)
            match kind:
                case "busy":
                    return Answer(503)
                case "stop":
                    return Answer(429, {"Retry-After": "999"})
                case "cut":
                    return Answer(is_cut=True)
                case "insert":
                    agency.records.insert(where, {"id": f"new {time.monotonic_ns()}"})
                case "remove" if len(agency.records) > 1:
                    del agency.records[where]
            usual.clear()
            usual |= agency.usual(page)
            return None

        agency.doing = doing
        for _ in range(4):
            try:
                names = fetch(home, "actions", agency.endpoint(backoff_seconds=0.001))
            except FetchError:
                assert list((home.inbox / "council").glob("*")) == []
                continue
            if names:
                assert brought(home) == agency.records
