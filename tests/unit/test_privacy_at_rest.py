"""Keys and originals at rest: made once, kept, never replaced unseen; what was locked comes out byte for byte."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyrage
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from saferkc.cli import doctor
from saferkc.cli.keys import list_keys, rotate_key
from saferkc.landing.store import hash_stream, land, landing_path, open_document, open_landed
from saferkc.privacy import at_rest
from saferkc.privacy.at_rest import DamagedError, TooLargeError
from saferkc.privacy.keys import KeyRing, KeyRingError, LandingKeys
from saferkc.settings import Settings

SECRET = b"Zebedee Nevershown, 3 April 1985\n"


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", project_root=tmp_path, external_warehouse_url=None)


def landed(home: Settings, content: bytes, name: str = "offences.csv") -> str:
    file = home.home / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    sha256, size = land(home, file, encrypted=True)
    assert size == len(content)
    file.unlink()
    return sha256


def everything_in(folder: Path) -> bytes:
    return b"\n".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


# --- keys of tokens ---------------------------------------------------------------------------------------


def test_each_purpose_has_a_key_of_its_own_and_keeps_it(home: Settings) -> None:
    first = KeyRing(home).current("person")
    assert first[0] == "k1"
    assert len(first[1]) == 32
    assert KeyRing(home).current("person") == first
    assert KeyRing(home).current("phone")[1] != first[1]
    assert home.keys == home.home / "keys"
    assert (home.keys / "tokens.json").stat().st_mode & 0o777 == 0o600
    assert first[1].hex() not in (home.home / "known_keys.json").read_text()


def test_a_new_key_is_current_and_the_old_one_stays(home: Settings) -> None:
    ring = KeyRing(home)
    old = ring.current("person")
    assert ring.rotate("person") == "k2"
    new = ring.current("person")
    assert new[0] == "k2"
    assert new[1] != old[1]
    assert ring.key("person", "k1") == old[1]
    with pytest.raises(KeyRingError, match="key k3 of person"):
        ring.key("person", "k3")


def test_many_that_ask_at_once_get_the_same_key(home: Settings) -> None:
    gate = threading.Barrier(8)

    def ask(n: int) -> tuple[bytes, str]:
        gate.wait()
        return KeyRing(home).current(f"purpose_{n % 2}")[1], str(LandingKeys(home).recipient())

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(ask, range(8)))
    assert len({key for key, _ in found}) == 2
    assert len({recipient for _, recipient in found}) == 1


def test_a_lost_key_is_an_error_and_no_new_one_is_made(home: Settings) -> None:
    ring = KeyRing(home)
    ring.current("person")
    ring.rotate("person")
    content = ring.path.read_text()
    ring.path.unlink()
    with pytest.raises(KeyRingError, match="bring the file back from its backup"):
        KeyRing(home).current("person")
    assert not ring.path.exists()
    without_old = json.loads(content)
    del without_old["person"]["keys"]["k1"]
    for damaged in (json.dumps(without_old), content[:20], content.replace('"k2": "', '"k2": "00')):
        ring.path.write_text(damaged)
        ring.path.chmod(0o600)
        with pytest.raises(KeyRingError, match="backup"):
            KeyRing(home).current("person")
    ring.path.write_text(content)
    assert KeyRing(home).current("person")[0] == "k2"


def test_keys_that_others_can_read_are_not_used(home: Settings) -> None:
    ring = KeyRing(home)
    ring.current("person")
    ring.path.chmod(0o640)
    with pytest.raises(KeyRingError, match="can be read by others"):
        ring.current("person")


def test_keys_may_lie_elsewhere(home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAFERKC_KEYS", str(tmp_path / "vault"))
    elsewhere = Settings.load(home.home)
    KeyRing(elsewhere).current("person")
    LandingKeys(elsewhere).recipient()
    assert sorted(path.name for path in (tmp_path / "vault").iterdir()) == ["landing.txt", "lock", "tokens.json"]
    assert not (home.home / "keys").exists()


def test_the_command_lists_and_renews_keys_and_shows_none(home: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    ring = KeyRing(home)
    old = ring.current("person")[1]
    landed(home, SECRET)
    rotate_key(home, "person")
    rotate_key(home, "landing")
    assert list_keys(home) == 0
    said = capsys.readouterr().out
    assert "person: k2 is current, 1 older kept" in said
    assert "landing: age1" in said
    assert old.hex() not in said
    assert ring.current("person")[1].hex() not in said
    assert "AGE-SECRET" not in said
    assert doctor._keys(home) is None
    with pytest.raises(KeyRingError, match="no keys of nobody"):
        rotate_key(home, "nobody")
    ring.path.unlink()
    assert list_keys(home) == 1
    assert "Gone: person" in capsys.readouterr().out
    assert "person" in (doctor._keys(home) or "")
    (home.keys / "landing.txt").unlink()
    assert "key" in (doctor._keys(home) or "")


# --- originals at rest ------------------------------------------------------------------------------------


@examples(max_examples=25)
@given(size=st.one_of(st.integers(0, 300), st.integers(65_000, 66_000), st.integers(2_000_000, 2_100_000)))
def test_what_was_locked_comes_out_byte_for_byte(tmp_path_factory: pytest.TempPathFactory, size: int) -> None:
    home = Settings(home=tmp_path_factory.mktemp("home"), project_root=Path(), external_warehouse_url=None)
    content = (SECRET * (size // len(SECRET) + 1))[:size]
    sha256 = landed(home, content)
    with open_landed(home, sha256) as stream:
        assert stream.read() == content
    with open_landed(home, sha256, seekable=True) as stream:
        assert (stream.seek(0, os.SEEK_END), stream.seek(0), stream.read()) == (size, 0, content)


def test_nothing_of_it_lies_in_plain_and_it_is_found_under_the_hash_of_its_plain_bytes(home: Settings) -> None:
    sha256 = landed(home, SECRET * 1000)
    path = landing_path(home, sha256, encrypted=True)
    assert path.name == f"{sha256}.age"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [p for p in home.landing.rglob("*") if p.is_file()] == [path]
    assert b"Zebedee" not in everything_in(home.home)
    with open_document(home, sha256, None, "offences.csv") as stream:
        assert hash_stream(stream) == (sha256, len(SECRET) * 1000)
    before = path.read_bytes()
    assert landed(home, SECRET * 1000) == sha256
    assert path.read_bytes() == before, "the same bytes twice are one file"


def test_a_stream_may_be_left_before_its_end(home: Settings) -> None:
    sha256 = landed(home, SECRET * 200_000)
    before = threading.active_count()
    for _ in range(5):
        with open_landed(home, sha256) as stream:
            assert stream.readline() == SECRET
    assert threading.active_count() == before


def test_the_tool_of_the_format_can_read_it(home: Settings) -> None:
    """Whoever has the key file can open an original without this program: ``age --decrypt --identity landing.txt``."""
    path = landing_path(home, landed(home, SECRET), encrypted=True)
    (line,) = [line for line in (home.keys / "landing.txt").read_text().splitlines() if not line.startswith("#")]
    assert pyrage.decrypt(path.read_bytes(), [pyrage.x25519.Identity.from_str(line)]) == SECRET


def test_after_a_new_key_old_and_new_originals_open(home: Settings) -> None:
    old = landed(home, SECRET)
    LandingKeys(home).rotate()
    new = landed(home, SECRET * 2)
    for sha256, times in ((old, 1), (new, 2)):
        with open_landed(home, sha256) as stream:
            assert stream.read() == SECRET * times


def test_a_lost_landing_key_is_said_clearly_and_never_replaced(home: Settings) -> None:
    sha256 = landed(home, SECRET)
    keys = home.keys / "landing.txt"
    content = keys.read_text()
    keys.unlink()
    with pytest.raises(KeyRingError, match="landed originals was in use and is not in"), open_landed(home, sha256):
        pass
    with pytest.raises(KeyRingError, match="was in use and is not in"):
        landed(home, SECRET * 2)
    assert not keys.exists()
    keys.write_text(f"{pyrage.x25519.Identity.generate()}\n")
    keys.chmod(0o600)
    with pytest.raises(KeyRingError, match=r"none of the keys in .* opens landed file"), open_landed(home, sha256) as s:
        s.read()
    keys.write_text(content)
    with open_landed(home, sha256) as stream:
        assert stream.read() == SECRET


@pytest.mark.parametrize("spoil", ["cut", "changed", "emptied"])
def test_an_original_that_was_tampered_with_is_noticed(home: Settings, spoil: str) -> None:
    sha256 = landed(home, SECRET * 50_000)
    path = landing_path(home, sha256, encrypted=True)
    content = bytearray(path.read_bytes())
    if spoil == "changed":
        content[len(content) // 2] ^= 1
    path.write_bytes({"cut": content[: len(content) // 2], "changed": content, "emptied": b""}[spoil])
    with pytest.raises(DamagedError, match="changed or cut short"), open_landed(home, sha256) as stream:
        while stream.read(1 << 20):
            pass


def test_what_must_be_opened_in_memory_has_a_limit(home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    sha256 = landed(home, SECRET)
    monkeypatch.setattr(at_rest, "LARGEST_IN_MEMORY", len(SECRET) - 1)
    with pytest.raises(TooLargeError, match="too large"), open_landed(home, sha256, seekable=True):
        pass
    with open_landed(home, sha256) as stream:
        assert stream.read() == SECRET
    monkeypatch.setattr(at_rest, "LARGEST_IN_MEMORY", len(SECRET))
    with open_landed(home, sha256, seekable=True) as stream:
        assert isinstance(stream, io.BytesIO)


def test_an_object_store_gets_the_encrypted_file_too(home: Settings, tmp_path: Path) -> None:
    store = tmp_path / "store"
    elsewhere = dataclasses.replace(home, landing_url=f"file://{store}")
    sha256 = landed(elsewhere, SECRET * 10_000)
    assert [path.name for path in store.rglob("*") if path.is_file()] == [f"{sha256}.age"]
    assert b"Zebedee" not in everything_in(store)
    assert not home.landing.exists()
    with open_landed(elsewhere, sha256) as stream:
        assert stream.read() == SECRET * 10_000


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="asks Linux how much memory was used")
def test_memory_does_not_grow_with_the_document(home: Settings) -> None:
    """A hundred megabytes go in and come out again within a few."""
    file = home.home / "large.csv"
    file.parent.mkdir(parents=True)
    with file.open("wb") as out:
        for _ in range(100):
            out.write((SECRET * 32_000)[: 1 << 20])
    LandingKeys(home).recipient()
    Path("/proc/self/clear_refs").write_text("5")  # the highest use of memory is counted from here
    before = most_memory_used()
    sha256, size = land(home, file, encrypted=True)
    with open_landed(home, sha256) as stream:
        assert hash_stream(stream) == (sha256, size)
    grown = most_memory_used() - before
    assert grown < 40 << 10, f"{grown} KiB more than before"


def most_memory_used() -> int:
    """The most memory (KiB) that this process has had at once."""
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1])
