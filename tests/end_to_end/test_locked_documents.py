"""Keys and passwords of locked documents are Airflow connections, read in the tasks of a real night."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from home_helpers import Home
from pysequoia import Tsk, encrypt
from saferkc.warehouse.connection import connect, fetch_all

sys.path.append(str(Path(__file__).parents[1]))
from workbooks import locked, workbook

SECRET = "wrong-on-purpose-7f3a"  # noqa: S105  (of a test)


@pytest.fixture
def connected(published_home: Home, tmp_path: Path) -> Iterator[Home]:
    """The home with a key that is not that of the message, and a password that is not that of the workbook."""
    connections = {
        "saferkc_police_pgp": {"conn_type": "generic", "extra": {"private_key": str(Tsk.generate("ours (simulated)"))}},
        "saferkc_angelou_workbook": {"conn_type": "generic", "password": SECRET},
    }
    file = tmp_path / "connections.json"
    file.write_text(json.dumps(connections))
    assert published_home.saferkc("airflow", "connections", "import", str(file))[0] == 0
    yield published_home
    for name in connections:
        published_home.saferkc("airflow", "connections", "delete", name)


def test_a_night_asks_airflow_for_what_opens_a_document(connected: Home) -> None:
    message = encrypt(b"Crime Reference\n", recipients=[Tsk.generate("another (simulated)").extract_certificate()])
    for source, name, content in (
        ("police", "simulated_victims_20171102.csv.pgp", message),
        (
            "angelou",
            "simulated_Angelou referrals 2017-11-02.xlsx",
            locked(workbook({"Referrals": [["x"]]}), "simulated"),
        ),
    ):
        folder = connected.settings.inbox / source
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    status, output = connected.saferkc("nightly", "--feed", "police_victims", "--feed", "angelou_referrals")
    assert status == 0, output
    with connect(connected.settings) as connection:
        refused = fetch_all(
            connection,
            "select reason from quality.delivery where source_name ~ '(2017-11-02.xlsx|20171102.csv.pgp)$' order by 1",
        )
    reasons = [str(row["reason"]) for row in refused]
    assert [reason.split(";")[0] for reason in reasons] == [
        "it is encrypted for another key than that of connection saferkc_police_pgp",
        "the password of connection saferkc_angelou_workbook does not open it",
    ]
    logs = connected.settings.airflow_home / "logs"
    assert not [file for file in logs.rglob("*") if file.is_file() and SECRET.encode() in file.read_bytes()]
