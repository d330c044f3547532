"""A night that fetches from a real SFTP server, through real Airflow and a connection that people set in it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncssh
import pytest
from home_helpers import Home
from saferkc.contracts import load_contracts
from saferkc.warehouse.connection import connect, fetch_all

sys.path.append(str(Path(__file__).parents[1] / "integration"))
from agency_servers import PASSWORD, SftpAgency, sftp_agency

FEED = "mps_recorded_crime"


@pytest.fixture
def agency(tmp_path: Path) -> Iterator[SftpAgency]:
    with sftp_agency(tmp_path / "agency") as agency:
        yield agency


@pytest.fixture
def connected(published_home: Home, agency: SftpAgency, tmp_path: Path) -> Iterator[Home]:
    """The home with a connection to the agency."""
    connection = {
        "conn_type": "sftp",
        "host": "127.0.0.1",
        "port": agency.port,
        "login": "saferkc",
        "password": PASSWORD,
        "extra": {"host_key": agency.host_key, "settle_seconds": 0.1},
    }
    file = tmp_path / "connections.json"
    file.write_text(json.dumps({"saferkc_mps": connection}))
    assert published_home.saferkc("airflow", "connections", "import", str(file))[0] == 0
    yield published_home
    published_home.saferkc("airflow", "connections", "delete", "saferkc_mps")


def deliveries(home: Home) -> list[dict[str, object]]:
    with connect(home.settings) as connection:
        return fetch_all(connection, "select feed, source_name, state from quality.delivery order by delivery_id")


def test_night_fetches_what_is_new_though_nothing_lies_in_the_inbox(connected: Home, agency: SftpAgency) -> None:
    example = load_contracts(connected.settings.contracts_dir)[FEED].delivery.examples[0]
    name = f"simulated_{example.removeprefix('simulated_')}"
    (agency.folder / name).write_text("no,such,columns\n1,2,3\n")
    before = deliveries(connected)
    status, output = connected.saferkc("nightly")
    assert status == 0, output
    assert deliveries(connected) == [*before, {"feed": FEED, "source_name": name, "state": "refused"}]

    status, output = connected.saferkc("nightly")
    assert status == 0, output
    assert f"success: ingest_{FEED}" in output  # it was asked, and had nothing new
    assert len(deliveries(connected)) == len(before) + 1
    assert agency.opened == [name]
    assert (agency.folder / name).exists()
    # the password stands in Airflow's database, encrypted, and nowhere else
    files = [path for path in connected.settings.home.rglob("*") if path.is_file() and not path.is_socket()]
    assert [path for path in files if PASSWORD.encode() in path.read_bytes()] == []


def test_doctor_and_night_say_what_is_amiss_with_a_connection(connected: Home, agency: SftpAgency) -> None:
    _, output = connected.saferkc("doctor")
    assert "ok     connections" in output
    agency.stop()
    agency.serve([asyncssh.generate_private_key("ssh-ed25519")])
    _, output = connected.saferkc("doctor")
    assert "AMISS  connections: connection saferkc_mps: the host key of 127.0.0.1 HAS CHANGED" in output
    status, output = connected.saferkc("nightly")
    assert status == 1
    assert f"ingest_{FEED}: task land failed" in output
    _, output = connected.saferkc("alerts")
    assert "HAS CHANGED" in output
