"""Files from a real SFTP server: only from the one we know, only whole ones, each once, nothing removed unasked."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from agency_servers import PASSWORD, SftpAgency, home_with_feeds, sftp_agency
from saferkc.landing.fetch import check, fetch
from saferkc.landing.transports import Endpoint, FetchError
from saferkc.landing.transports.memory import Offered, now, remembering, writing
from saferkc.settings import Settings


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return home_with_feeds(tmp_path)


@pytest.fixture
def agency(tmp_path: Path) -> Iterator[SftpAgency]:
    with sftp_agency(tmp_path / "agency") as agency:
        yield agency


def in_inbox(home: Settings) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((home.inbox / "police").rglob("*")) if path.is_file()}


def offer(agency: SftpAgency, day: int, content: bytes = b"note_id\n1\n") -> Path:
    path = agency.folder / f"notes_201704{day:02}.csv"
    path.write_bytes(content)
    return path


def test_new_files_are_brought_byte_for_byte_and_readable_by_their_owner_only(
    home: Settings, agency: SftpAgency
) -> None:
    large = os.urandom(9_000_001)
    offer(agency, 3)
    offer(agency, 4, large)
    offer(agency, 5, b"")
    assert fetch(home, "notes", agency.endpoint()) == [f"notes_2017040{day}.csv" for day in (3, 4, 5)]
    assert in_inbox(home) == {
        "notes_20170403.csv": b"note_id\n1\n",
        "notes_20170404.csv": large,
        "notes_20170405.csv": b"",
    }
    assert {path.stat().st_mode & 0o777 for path in (home.inbox / "police").iterdir()} == {0o600}
    assert sorted(path.name for path in agency.folder.iterdir()) == sorted(in_inbox(home))


def test_file_that_was_taken_is_not_fetched_again_but_its_new_version_is(home: Settings, agency: SftpAgency) -> None:
    offered = offer(agency, 3)
    fetch(home, "notes", agency.endpoint())
    (home.inbox / "police" / offered.name).unlink()  # landed
    assert fetch(home, "notes", agency.endpoint()) == []
    assert agency.opened == [offered.name]

    offer(agency, 3, b"note_id\n1\n2\n")
    assert fetch(home, "notes", agency.endpoint()) == [offered.name]
    assert in_inbox(home) == {offered.name: b"note_id\n1\n2\n"}


def test_new_version_never_writes_over_one_that_was_not_landed_yet(home: Settings, agency: SftpAgency) -> None:
    offered = offer(agency, 3)
    fetch(home, "notes", agency.endpoint())
    offer(agency, 3, b"note_id\n2\n3\n")
    assert fetch(home, "notes", agency.endpoint()) == []
    assert in_inbox(home) == {offered.name: b"note_id\n1\n"}
    (home.inbox / "police" / offered.name).unlink()
    assert fetch(home, "notes", agency.endpoint()) == [offered.name]


def test_file_that_is_still_being_written_is_left_until_it_is_whole(home: Settings, agency: SftpAgency) -> None:
    growing = offer(agency, 3, b"note_id\n" * 200_000)

    def grow() -> None:
        with growing.open("ab") as stream:
            stream.write(b"9\n")

    agency.while_reading = grow
    offer(agency, 4).with_suffix(".csv.part").write_bytes(b"half")
    (agency.folder / ".hidden.csv").write_bytes(b"x")
    assert fetch(home, "notes", agency.endpoint()) == ["notes_20170404.csv"]
    agency.while_reading = None
    assert fetch(home, "notes", agency.endpoint()) == [growing.name]
    assert in_inbox(home)[growing.name] == growing.read_bytes()
    assert len(in_inbox(home)) == 2


def test_file_that_grows_between_two_looks_is_not_even_begun(home: Settings, agency: SftpAgency) -> None:
    growing = offer(agency, 3)
    writer = subprocess.Popen(["/bin/sh", "-c", f"while echo 1 >> {growing}; do sleep 0.02; done"])
    try:
        assert fetch(home, "notes", agency.endpoint(settle_seconds=0.3)) == []
    finally:
        writer.kill()
        writer.wait()
    assert agency.opened == []


def test_nothing_is_removed_at_the_agency_unless_the_connection_says_so(home: Settings, agency: SftpAgency) -> None:
    offer(agency, 3)
    fetch(home, "notes", agency.endpoint())
    offer(agency, 4)
    fetch(home, "notes", agency.endpoint())
    assert len(list(agency.folder.iterdir())) == 2
    assert fetch(home, "notes", agency.endpoint(delete_after_fetch=True)) == []
    assert list(agency.folder.iterdir()) == []
    assert sorted(in_inbox(home)) == ["notes_20170403.csv", "notes_20170404.csv"]


def test_only_files_proper_of_plain_names_and_of_the_pattern_are_taken(
    home: Settings, agency: SftpAgency, tmp_path: Path
) -> None:
    (tmp_path / "secret.csv").write_text("the agency's own")
    (agency.folder / "link.csv").symlink_to(tmp_path / "secret.csv")
    (agency.folder / "folder.csv").mkdir()
    (agency.folder / "..\\..\\climbs.csv").write_text("x")
    (agency.folder / "bell\a.csv").write_text("x")
    (agency.folder / "readme.txt").write_text("x")
    offer(agency, 3)
    assert fetch(home, "notes", agency.endpoint(pattern="*.csv")) == ["notes_20170403.csv"]
    assert fetch(home, "notes", agency.endpoint()) == ["readme.txt"]


@pytest.mark.filterwarnings("ignore:Warning. bcrypt")  # a key that is locked weakly opens fast
def test_key_of_a_client_lets_in_where_no_password_does(home: Settings, agency: SftpAgency, tmp_path: Path) -> None:
    offer(agency, 3)
    locked = agency.client_key.export_private_key(passphrase="locked", rounds=4).decode()  # noqa: S106
    (tmp_path / "key").write_bytes(agency.client_key.export_private_key())
    ways: list[dict[str, Any]] = [
        {"private_key": locked, "private_key_passphrase": "locked"},
        {"key_file": str(tmp_path / "key")},
    ]
    for extra in ways:
        endpoint = agency.endpoint(**extra)
        check(home, Endpoint(**(vars(endpoint) | {"password": None})), "police")
    assert fetch(home, "notes", endpoint) == ["notes_20170403.csv"]
    with pytest.raises(FetchError, match="private key can't be read"):
        check(home, agency.endpoint(private_key=locked, private_key_passphrase="wrong"), "police")  # noqa: S106


def test_unknown_host_key_is_refused_before_any_login_and_the_error_says_what_to_set(
    home: Settings, agency: SftpAgency
) -> None:
    with pytest.raises(FetchError, match=r"host key of 127\.0\.0\.1 is not known") as refusal:
        fetch(home, "notes", agency.endpoint(host_key=None))
    assert agency.key.get_fingerprint() in str(refusal.value)
    assert not refusal.value.is_passing
    assert agency.logins == 0
    # what the error says to set does let us in
    line = str(refusal.value).partition("extra to: ")[2]
    check(home, agency.endpoint(host_key=line), "police")


@pytest.mark.parametrize("kind", ["ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa"])
def test_changed_host_key_is_refused_whatever_its_kind(home: Settings, agency: SftpAgency, kind: str) -> None:
    endpoint = agency.endpoint()
    check(home, endpoint, "police")
    logins = agency.logins
    agency.stop()
    changed = asyncssh.generate_private_key(kind)
    agency.serve([changed])
    with pytest.raises(FetchError, match="HAS CHANGED") as refusal:
        fetch(home, "notes", endpoint)
    assert changed.get_fingerprint() in str(refusal.value)
    assert agency.key.get_fingerprint() in str(refusal.value)
    assert not refusal.value.is_passing
    assert agency.logins == logins


def test_server_of_several_keys_is_asked_for_the_one_that_we_know(home: Settings, agency: SftpAgency) -> None:
    agency.stop()
    rsa, ecdsa = (asyncssh.generate_private_key(kind) for kind in ("ssh-rsa", "ecdsa-sha2-nistp521"))
    agency.serve([agency.key, ecdsa, rsa])
    for key in (agency.key, ecdsa, rsa):
        line = key.export_public_key().decode()
        for written in (line, f"[127.0.0.1]:{agency.port} {line}", line.split()[1], ["", line]):
            check(home, agency.endpoint(host_key=written), "police")


def test_while_a_server_changes_its_key_both_may_be_known(home: Settings, agency: SftpAgency) -> None:
    coming = asyncssh.generate_private_key("ecdsa-sha2-nistp256")
    endpoint = agency.endpoint(host_key=f"{agency.host_key}\n{coming.export_public_key().decode()}")
    check(home, endpoint, "police")
    agency.stop()
    agency.serve([coming])
    check(home, endpoint, "police")


def test_host_key_check_can_not_be_turned_off(home: Settings, agency: SftpAgency) -> None:
    with pytest.raises(FetchError, match="`no_host_key_check` of its extra can't be changed"):
        fetch(home, "notes", agency.endpoint(no_host_key_check=True))
    assert agency.logins == 0


def test_wrong_settings_are_named_and_no_secret_is_told(
    home: Settings, agency: SftpAgency, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = "secret-that-is-wrong"  # noqa: S105
    known = vars(agency.endpoint())
    cases = [
        (known | {"password": secret}, "does not let saferkc in"),
        (known | {"password": None}, "set a password"),
        (known | {"login": None}, "set the host and the login"),
        (known | {"extra": known["extra"] | {"host_key": secret}}, "`host_key` of its extra is no public key"),
        (known | {"extra": known["extra"] | {"private_key": secret}}, "private key can't be read"),
        (known | {"extra": known["extra"] | {"key_file": "/nowhere"}}, "`key_file` can't be read: No such file"),
        (known | {"extra": known["extra"] | {"path": "missing"}}, "shows no folder missing"),
        (known | {"extra": known["extra"] | {"delet": secret, "settle_seconds": secret}}, "`delet`"),
    ]
    for given, reason in cases:
        endpoint = Endpoint(**given)
        with pytest.raises(FetchError, match=reason) as refusal:
            fetch(home, "notes", endpoint)
        assert not refusal.value.is_passing, reason
        assert secret not in "".join(traceback.format_exception(refusal.value)) + repr(endpoint), reason
    assert PASSWORD not in caplog.text
    assert secret not in caplog.text


def test_server_that_does_not_answer_is_worth_another_try(home: Settings, agency: SftpAgency) -> None:
    endpoint = agency.endpoint()
    offer(agency, 3)
    agency.stop()
    for broken in (endpoint, Endpoint(**(vars(endpoint) | {"host": "no-such-host.invalid"}))):
        with pytest.raises(FetchError) as failure:
            fetch(home, "notes", broken)
        assert failure.value.is_passing
    agency.serve()
    assert fetch(home, "notes", endpoint) == ["notes_20170403.csv"]


def test_feeds_of_one_source_share_a_visit_and_its_failure(home: Settings, agency: SftpAgency) -> None:
    asked_at = now()
    fetch(home, "notes", agency.endpoint(), asked_at=asked_at)
    offer(agency, 3)
    assert fetch(home, "notes", agency.endpoint(), asked_at=asked_at) == []
    assert agency.logins == 1
    assert fetch(home, "notes", agency.endpoint(), asked_at=now()) == ["notes_20170403.csv"]

    wrong = Endpoint(**(vars(agency.endpoint()) | {"password": "wrong"}))
    asked_at, logins = now(), agency.logins
    for _ in range(5):
        with pytest.raises(FetchError, match="does not let saferkc in"):
            fetch(home, "notes", wrong, asked_at=asked_at)
    assert agency.logins == logins + 1


def test_crash_between_remembering_and_placing_is_made_good(home: Settings, agency: SftpAgency) -> None:
    offered = offer(agency, 3)
    seen = Offered(offered.name, offered.stat().st_size, float(int(offered.stat().st_mtime)))
    with remembering(home, "police") as memory:
        draft = memory.draft(seen.name)
        with writing(draft) as copy:
            copy.write(offered.read_bytes())
        # what `place` writes before it moves the draft
        with memory.database:
            memory.note(f"sftp://127.0.0.1:{agency.port}/.", seen, draft, copy.sha256)
    assert fetch(home, "notes", agency.endpoint()) == []
    assert in_inbox(home) == {offered.name: offered.read_bytes()}
    assert agency.opened == []


def test_killed_at_any_moment_every_file_comes_once_and_whole(
    home: Settings, agency: SftpAgency, tmp_path: Path
) -> None:
    offered = {offer(agency, day, os.urandom(400_000)).name for day in range(1, 21)}
    program = tmp_path / "fetching.py"
    program.write_text(
        f"""
from pathlib import Path
from saferkc.landing.fetch import fetch
from saferkc.landing.transports import Endpoint
from saferkc.settings import Settings
home = Settings(home=Path({str(home.home)!r}), project_root=Path({str(home.project_root)!r}),
    external_warehouse_url=None)
endpoint = Endpoint(**{vars(agency.endpoint(settle_seconds=0))!r})
print("begins", flush=True)
fetch(home, "notes", endpoint)
"""
    )
    for pause in (0.1, 0.2, 0.35):
        agency.while_reading = lambda: time.sleep(0.002)
        fetching = subprocess.Popen([sys.executable, program], stdout=subprocess.PIPE)
        assert fetching.stdout is not None
        fetching.stdout.readline()
        time.sleep(pause)
        fetching.send_signal(signal.SIGKILL)
        fetching.communicate()
    before = in_inbox(home)
    agency.while_reading = None
    agency.opened.clear()
    brought = set(fetch(home, "notes", agency.endpoint()))
    assert set(in_inbox(home)) == offered
    assert in_inbox(home) == {name: (agency.folder / name).read_bytes() for name in offered}
    assert brought.isdisjoint(before)
    assert sorted(agency.opened) == sorted(brought)
    assert fetch(home, "notes", agency.endpoint()) == []
    assert list((home.home / "fetching" / "police").glob("*.part")) == []
