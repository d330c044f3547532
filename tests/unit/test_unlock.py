"""OpenPGP messages are read with the key of a connection; a wrong key, or a message that was touched, is refused."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pysequoia import CipherSuite, Tsk, encrypt
from saferkc.contracts.registry import plain_name
from saferkc.landing import archives
from saferkc.landing.archives import archive_fault
from saferkc.landing.errors import BombError, UnlockError
from saferkc.landing.store import land, open_document, open_landed
from saferkc.landing.unlock import Secret, connection_secret, decrypted, is_encrypted
from saferkc.settings import Settings

OUR_KEY, ANOTHER = Tsk.generate("ours (simulated)"), Tsk.generate("another (simulated)")
RSA_KEY = Tsk.generate("ours, of the older kind (simulated)", cipher_suite=CipherSuite.RSA2k)
LINES = b"".join(b"%d,Simulated Nevershown,1980-01-02\n" % number for number in range(20_000))


def message(content: bytes, key: Tsk = OUR_KEY, *, armoured: bool = False) -> bytes:
    return encrypt(content, recipients=[key.extract_certificate()], armor=armoured)


def holder(key: Tsk | str | None, password: str | None = None) -> Callable[[str], Secret | None]:
    return lambda name: Secret(name, password, None if key is None else str(key))


def read(content: bytes, key: Tsk | str | None = OUR_KEY) -> bytes:
    with decrypted(io.BytesIO(content), "police", holder(key)) as plain:
        return plain.read()


@pytest.mark.parametrize("key", [OUR_KEY, RSA_KEY], ids=["curve", "RSA"])
@pytest.mark.parametrize("armoured", [False, True])
@pytest.mark.parametrize("content", [b"", b"one line\n", LINES], ids=["nothing", "a line", "many lines"])
def test_a_message_for_our_key_is_read(content: bytes, armoured: bool, key: Tsk) -> None:
    assert read(message(content, key, armoured=armoured), key) == content


def test_a_message_larger_than_any_buffer_is_read_as_a_stream() -> None:
    content = os.urandom(1 << 20) * 40
    with decrypted(io.BytesIO(message(content)), "police", holder(OUR_KEY)) as plain:
        assert plain.read(1000) == content[:1000]
        rest = 0
        while block := plain.read(1 << 20):
            rest += len(block)
    assert rest == len(content) - 1000


def test_a_message_for_another_key_says_so() -> None:
    with pytest.raises(UnlockError, match="another key than that of connection saferkc_police_pgp"):
        read(message(LINES, ANOTHER))


@pytest.mark.parametrize(
    "content",
    [b"", b"id,name\n1,x\n", bytes(OUR_KEY.extract_certificate()), message(LINES)[:40]],
    ids=["nothing", "lines", "a certificate", "the beginning of a message"],
)
def test_what_is_no_message_says_so(content: bytes) -> None:
    with pytest.raises(UnlockError, match="no OpenPGP message"):
        read(content)


@pytest.mark.parametrize("place", [0.5, 0.9])
def test_a_message_that_was_changed_or_cut_is_never_read_to_its_end(place: float) -> None:
    whole = message(LINES)
    changed = bytearray(whole)
    changed[int(len(whole) * place)] ^= 1
    for spoilt in (bytes(changed), whole[: int(len(whole) * place)], whole[:-5]):
        with pytest.raises(UnlockError):
            read(spoilt)


def test_a_key_that_is_not_set_or_not_readable_says_so_and_shows_nothing() -> None:
    for key in (None, ""):
        with pytest.raises(UnlockError, match="connection saferkc_police_pgp with our private key is not set"):
            read(message(LINES), key)
    with pytest.raises(UnlockError, match="can't be read") as refused:
        read(message(LINES), "not-a-key-but-secret")
    assert "not-a-key" not in str(refused.value)
    assert "hidden" not in repr(Secret("name", "hidden", "hidden"))


def test_a_document_that_is_left_half_read_leaves_no_process() -> None:
    with decrypted(io.BytesIO(message(os.urandom(1 << 20) * 30)), "police", holder(OUR_KEY)) as plain:
        plain.read(10)
        process = plain.raw._process  # type: ignore[attr-defined]
    assert process.poll() is not None


def test_a_stream_that_fails_while_it_is_decrypted_says_why() -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > 100_000:
                raise EOFError("of the disk")
            return super().read(size)

    with (
        pytest.raises(EOFError, match="of the disk"),
        decrypted(Failing(message(os.urandom(1 << 20))), "police", holder(OUR_KEY)) as plain,
    ):
        plain.read()


def test_keys_come_from_an_airflow_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "AIRFLOW_CONN_SAFERKC_POLICE_PGP",
        '{"conn_type": "generic", "password": "simulated", "extra": {"private_key": "a key"}}',
    )
    secret = connection_secret("saferkc_police_pgp")
    assert secret == Secret("saferkc_police_pgp", "simulated", "a key")
    monkeypatch.setenv("AIRFLOW_CONN_SAFERKC_POLICE_PGP", '{"conn_type": "generic", "extra": "[1]"}')
    with pytest.raises(UnlockError, match="no JSON object"):
        connection_secret("saferkc_police_pgp")


@pytest.mark.parametrize("ending", [".pgp", ".gpg", ".ASC"])
def test_any_document_may_have_the_ending_of_a_message(ending: str) -> None:
    assert plain_name(f"offences_20170403.csv{ending}") == "offences_20170403.csv"
    assert is_encrypted(f"offences_20170403.csv{ending}") and not is_encrypted("offences_20170403.csv")


# --- from landing ---------------------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    connection = {"conn_type": "generic", "extra": {"private_key": str(OUR_KEY)}}
    monkeypatch.setenv("AIRFLOW_CONN_SAFERKC_POLICE_PGP", json.dumps(connection))
    return Settings(home=tmp_path / "home", project_root=tmp_path, external_warehouse_url=None)


def landed(home: Settings, name: str, content: bytes) -> str:
    file = home.home / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(content)
    return land(home, file, encrypted=True)[0]


def opened(home: Settings, name: str, content: bytes, member: str | None = None) -> bytes:
    sha256 = landed(home, name, content)
    with open_document(home, sha256, member, member or name, source="police") as stream:
        return stream.read()


def test_a_document_is_unpacked_and_decrypted_in_whatever_way_it_was_packed(home: Settings) -> None:
    assert opened(home, "victims_20170403.csv.pgp", message(LINES)) == LINES
    assert opened(home, "victims_20170403.csv.gz.gpg", message(gzip.compress(LINES))) == LINES
    assert (
        opened(home, "police_20170403.zip", zipped({"v.csv.asc": message(LINES, armoured=True)}), "v.csv.asc") == LINES
    )
    assert opened(home, "police_20170403.zip", zipped({"v.csv.gz": gzip.compress(LINES)}), "v.csv.gz") == LINES


def test_landing_keeps_a_message_as_it_came_and_no_plain_bytes_beside_it(home: Settings) -> None:
    content = message(LINES)
    sha256 = landed(home, "victims_20170403.csv.pgp", content)
    assert sha256 == hashlib.sha256(content).hexdigest()
    with open_landed(home, sha256) as stream:
        assert stream.read() == content
    (home.home / "victims_20170403.csv.pgp").unlink()
    kept = [file for file in home.home.rglob("*") if file.is_file()]
    assert kept and not any(b"Nevershown" in file.read_bytes() for file in kept)


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_gzip_bomb_is_given_up(home: Settings, wrapped: bool) -> None:
    bomb = gzip.compress(b"1,Simulated Nevershown\n" * (12 << 20), 9)
    name, content = ("v.csv.gz.pgp", message(bomb)) if wrapped else ("v.csv.gz", bomb)
    with (
        pytest.raises(BombError, match="200 times its size"),
        open_document(home, landed(home, name, content), None, name, source="police") as stream,
    ):
        while stream.read(1 << 20):
            pass


# --- archives -------------------------------------------------------------------------------------------------


def zipped(members: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return content.getvalue()


def fault(content: bytes) -> str | None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive_fault(archive, len(content))


def test_an_ordinary_archive_has_no_fault() -> None:
    assert fault(zipped({"2017-04/street.csv": LINES, "folder/": b"", "a..b.csv": b"x" * 1000})) is None


_ORDINARY = zipped({"2017-04/street.csv": LINES[:2000], "victims.csv": b"x" * 1000})


@given(place=st.floats(0, 1), put=st.binary(max_size=20))
def test_whatever_bytes_are_wrong_in_an_archive_it_is_opened_or_found_broken(place: float, put: bytes) -> None:
    at = int(len(_ORDINARY) * place)
    with contextlib.suppress(archives.BROKEN_ARCHIVE):
        fault(_ORDINARY[:at] + put + _ORDINARY[at + len(put) :])


@pytest.mark.parametrize(
    "name",
    ["../v.csv", "a/../../v.csv", "/etc/v.csv", "..\\v.csv", "C:\\v.csv", "C:v.csv", "\\\\host\\share\\v.csv", "a/.."],
)
def test_a_path_that_leads_out_of_the_archive_is_a_fault(name: str) -> None:
    assert "path that leads out" in (fault(zipped({"good.csv": b"x", name: b"x"})) or "")


def test_a_member_that_unpacks_to_too_much_is_a_fault() -> None:
    assert "zip bomb" in (fault(zipped({"v.csv": b"0" * (80 << 20)})) or "")


def test_members_over_each_other_are_a_fault() -> None:
    content = zipped({"a.csv": os.urandom(5000), "b.csv": b"x"})
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.getinfo("b.csv").compress_size = 4000
        assert "over each other" in (archive_fault(archive, len(content)) or "")


def test_more_members_than_any_agency_sends_are_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "_MOST_MEMBERS", 3)
    assert "4 members" in (fault(zipped({f"{n}.csv": b"x" for n in range(4)})) or "")
