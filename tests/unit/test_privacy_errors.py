"""Unexpected errors on data about people say what and where, and not what the value was."""

from __future__ import annotations

import traceback

import psycopg
import pytest
from saferkc.privacy.errors import WithheldError, without_values
from saferkc.privacy.keys import KeyRingError
from small_contracts import column, small_contract

SECRET = "Zebedee Nevershown"  # noqa: S105
PEOPLE = small_contract([column("age", classification="personal")])
OPEN = small_contract([column("age")])


def choke_on_a_value() -> None:
    try:
        int(SECRET)
    except ValueError as error:
        raise RuntimeError(f"can't read {SECRET!r}") from error


def test_the_words_of_an_unexpected_error_stay_inside() -> None:
    with pytest.raises(WithheldError) as caught:
        without_values(PEOPLE, "loading delivery 7", choke_on_a_value)
    told = "".join(traceback.format_exception(caught.value))
    assert "Zebedee" not in told
    assert "loading delivery 7: RuntimeError at test_privacy_errors.py:" in told
    assert "choke_on_a_value" in told
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None


def test_open_data_and_our_own_errors_are_told_in_full() -> None:
    with pytest.raises(RuntimeError, match=SECRET):
        without_values(OPEN, "loading", choke_on_a_value)
    for error in (KeyRingError("bring it back"), psycopg.OperationalError("connection lost"), KeyboardInterrupt()):
        with pytest.raises(type(error)) as caught:
            without_values(PEOPLE, "loading", lambda error=error: raised(error))
        assert caught.value is error


def raised(error: BaseException) -> None:
    raise error


def test_what_goes_well_is_left_alone() -> None:
    assert without_values(PEOPLE, "loading", lambda: 7) == 7
