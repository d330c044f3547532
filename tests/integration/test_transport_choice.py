"""The transport of a source is chosen by its connection alone, and what fails holds nothing else up."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from agency_servers import PASSWORD, SftpAgency, sftp_agency
from saferkc.alerts import list_alerts
from saferkc.contracts import load_contracts
from saferkc.landing import FetchError, bring_in, receive
from saferkc.landing.fetch import check, fetch
from saferkc.landing.transports import endpoint_of
from saferkc.settings import Settings
from saferkc.warehouse.connection import connect

FEED, VARIABLE = "mps_recorded_crime", "AIRFLOW_CONN_SAFERKC_MPS"


@pytest.fixture(autouse=True)
def airflow_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path_factory.mktemp("airflow")))
    monkeypatch.delenv(VARIABLE, raising=False)


@pytest.fixture
def agency(tmp_path: Path) -> Iterator[SftpAgency]:
    with sftp_agency(tmp_path / "agency") as agency:
        yield agency


def connect_to(monkeypatch: pytest.MonkeyPatch, kind: str, **values: Any) -> None:
    monkeypatch.setenv(VARIABLE, json.dumps({"conn_type": kind, **values}))


def connect_to_sftp(monkeypatch: pytest.MonkeyPatch, agency: SftpAgency, password: str = PASSWORD) -> None:
    extra = {"host_key": agency.host_key, "settle_seconds": 0.05}
    connect_to(monkeypatch, "sftp", host="127.0.0.1", port=agency.port, login="saferkc", password=password, extra=extra)


def name_of_month(settings: Settings) -> str:
    return "simulated_" + load_contracts(settings.contracts_dir)[FEED].delivery.examples[0].removeprefix("simulated_")


def arrived(settings: Settings, arrivals: list[int]) -> list[str]:
    with connect(settings) as connection:
        return [
            row[0]
            for row in connection.execute(
                "select source_name from quality.arrival where arrival_id = any(%s) order by arrival_id", [arrivals]
            )
        ]


def test_without_a_connection_what_is_put_into_the_inbox_is_taken(settings: Settings) -> None:
    assert endpoint_of("mps") is None
    assert bring_in(settings, FEED) == []
    name = name_of_month(settings)
    (settings.inbox / "mps").mkdir(parents=True)
    (settings.inbox / "mps" / name).write_text("x")
    assert arrived(settings, bring_in(settings, FEED)) == [name]


def test_feed_moves_from_folder_to_sftp_by_its_connection_alone(
    settings: Settings, agency: SftpAgency, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    share, name = tmp_path / "share", name_of_month(settings)
    share.mkdir()
    (share / name).write_text("in a folder")
    (share / "simulated_link.csv").symlink_to(settings.runtime_file)
    connect_to(monkeypatch, "fs", extra={"path": str(share), "settle_seconds": 0})
    assert arrived(settings, bring_in(settings, FEED)) == [name]
    (agency.folder / name).write_text("on a server")
    connect_to_sftp(monkeypatch, agency)
    assert arrived(settings, bring_in(settings, FEED)) == [name, name]
    assert len(bring_in(settings, FEED)) == 2
    assert list((settings.inbox / "mps").iterdir()) == []
    assert (share / name).exists()
    assert (agency.folder / name).exists()


def test_connection_as_a_url_and_the_inbox_itself_as_a_folder(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    (settings.inbox / "mps").mkdir(parents=True)
    (settings.inbox / "mps" / name_of_month(settings)).write_text("x")
    monkeypatch.setenv(VARIABLE, f"fs://?path={settings.inbox / 'mps'}")
    assert len(bring_in(settings, FEED)) == 1


@pytest.mark.parametrize(
    ("kind", "extra", "reason"),
    [
        ("ftp", {}, "is of type ftp; the types are fs, http, sftp"),
        ("fs", {}, "set `path` in its extra to a whole path"),
        ("fs", {"path": "/nowhere"}, "there is no folder /nowhere"),
        ("fs", "[1]", "is no JSON object"),
    ],
)
def test_connection_that_can_not_work_says_what_to_mend(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, kind: str, extra: object, reason: str
) -> None:
    connect_to(monkeypatch, kind, extra=extra)
    with pytest.raises(FetchError, match=reason):
        bring_in(settings, FEED)
    with pytest.raises(FetchError, match=reason):
        endpoint = endpoint_of("mps")
        assert endpoint is not None
        check(settings, endpoint, "mps")


def test_connection_of_a_source_that_no_contract_has_is_told(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    connect_to(monkeypatch, "fs", extra={"path": str(tmp_path)})
    endpoint = endpoint_of("mps")
    assert endpoint is not None
    with pytest.raises(FetchError, match="no contract has the source msp"):
        check(settings, endpoint, "msp")


def test_fetch_that_fails_holds_up_nothing_that_lies_in_the_inbox_and_is_one_alert(
    settings: Settings, agency: SftpAgency, monkeypatch: pytest.MonkeyPatch
) -> None:
    def alerts() -> list[tuple[str, int]]:
        with connect(settings) as connection:
            return [(alert.title, alert.times_seen) for alert in list_alerts(connection)]

    agency.stop()
    connect_to_sftp(monkeypatch, agency)
    (settings.inbox / "mps").mkdir(parents=True)
    (settings.inbox / "mps" / name_of_month(settings)).write_text("by hand")
    # while tries are left it is not worth an alert; what lies in the inbox is landed all the same
    with pytest.raises(FetchError) as failure:
        bring_in(settings, FEED, is_last_try=False)
    assert failure.value.is_passing
    assert list((settings.inbox / "mps").iterdir()) == []
    assert alerts() == []
    assert len(bring_in(settings, FEED)) == 1
    with pytest.raises(FetchError):
        bring_in(settings, "mps_other_crime")
    assert alerts() == [("mps: nothing could be fetched", 2)]

    agency.serve()
    connect_to_sftp(monkeypatch, agency, password="wrong one")  # noqa: S106
    with pytest.raises(FetchError) as failure:
        bring_in(settings, "mps_other_crime", is_last_try=False)
    assert not failure.value.is_passing
    with connect(settings) as connection:
        (alert,) = list_alerts(connection)
    assert "does not let saferkc in" in alert.body
    assert "wrong one" not in alert.body

    connect_to_sftp(monkeypatch, agency)
    assert bring_in(settings, "mps_other_crime") == []
    assert alerts() == []


def test_feeds_that_fetch_side_by_side_bring_a_file_once(
    settings: Settings, agency: SftpAgency, monkeypatch: pytest.MonkeyPatch
) -> None:
    (agency.folder / name_of_month(settings)).write_text("x")
    connect_to_sftp(monkeypatch, agency)
    feeds = ["mps_recorded_crime", "mps_other_crime", "mps_borough_crime_rates"]
    threads = [threading.Thread(target=bring_in, args=(settings, feed)) for feed in feeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(agency.opened) == 1
    assert len(receive(settings, FEED)) == 1


def test_a_file_called_after_somebody_is_fetched_and_its_name_kept_nowhere(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    offered = tmp_path / "angelou"
    offered.mkdir()
    name = "simulated_Zyxqua Quorvath referral.docx"
    (offered / name).write_bytes(b"anything")
    extra = {"path": str(offered), "settle_seconds": 0.05, "delete_after_fetch": True}
    monkeypatch.setenv("AIRFLOW_CONN_SAFERKC_ANGELOU", json.dumps({"conn_type": "fs", "extra": extra}))
    endpoint = endpoint_of("angelou")
    assert endpoint is not None
    assert fetch(settings, "angelou_referrals", endpoint) == [name]
    assert fetch(settings, "angelou_referrals", endpoint) == []
    assert "simulated_unknown_" in caplog.text
    assert list(offered.iterdir()) == []
    inbox = settings.inbox / "angelou"
    assert [path.name for path in inbox.iterdir()] == [name]
    kept = [path for path in settings.home.rglob("*") if path.is_file() and inbox not in path.parents]
    assert kept
    for word in ("zyxqua", "quorvath"):
        assert word not in caplog.text.lower()
        assert not [path for path in kept if word.encode() in path.read_bytes().lower()]
