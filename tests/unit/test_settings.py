"""What a home remembers, though many ask at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from saferkc.settings import Settings, SettingsError


def test_all_who_ask_for_a_secret_at_once_get_the_same(tmp_path: Path) -> None:
    settings = Settings.load(tmp_path / "home")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: settings.secret("row_token_key"), range(40)))
    assert len(set(answers)) == 1
    assert len(answers[0]) == 32


def test_what_is_remembered_at_once_is_all_remembered(tmp_path: Path) -> None:
    settings = Settings.load(tmp_path / "home")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: settings.remember(**{f"n{n}": n}), range(40)))
    assert settings.runtime() == {f"n{n}": n for n in range(40)}
    assert settings.runtime_file.stat().st_mode & 0o777 == 0o600


def test_people_who_may_sign_in_are_named_with_a_role(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAFERKC_PEOPLE", "ada:user, ben:viewer")
    assert Settings.load().people == (("ada", "user"), ("ben", "viewer"))
    for wrong in ("ada", "ada:owner", "admin:user", "a b:user"):
        monkeypatch.setenv("SAFERKC_PEOPLE", wrong)
        with pytest.raises(SettingsError, match="SAFERKC_PEOPLE"):
            Settings.load()
