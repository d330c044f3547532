"""Unexpected errors on data about people: told by their kind and place, never by their words.

The words of an error of a library or of the database often hold the value that it choked on, and errors go into
logs, pages and mail.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import PurePath
from typing import TypeVar

import psycopg

from saferkc.contracts import Contract
from saferkc.privacy.sensitivity import is_open

Result = TypeVar("Result")


class WithheldError(Exception):
    """Something unexpected went wrong with data about people; the message says what and where, without a value."""


def without_values(contract: Contract, what: str, work: Callable[[], Result]) -> Result:
    """Do ``work`` and let no unexpected error out with its words, where the contract's data is about people.

    Errors of our own, which hold no value, and a lost connection go out as they are. Raises ``WithheldError`` in
    place of any other. A function and no ``with`` block: what is raised out of one drags the error behind it along.
    """
    try:
        return work()
    except Exception as error:
        if is_open(contract) or _is_ours(error) or _is_lost_connection(error):
            raise
        withheld = f"{what}: {_told(error)}; its words are not shown, since they may hold a value of a record"
    raise WithheldError(withheld)


def _is_ours(error: BaseException) -> bool:
    return type(error).__module__.split(".")[0] == "saferkc"


def _is_lost_connection(error: BaseException) -> bool:
    return isinstance(error, psycopg.OperationalError)


def _told(error: BaseException) -> str:
    """The kind of an error and the places of the code that it came through, innermost first."""
    kind = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    if isinstance(error, psycopg.Error) and error.sqlstate:
        kind += f" (SQLSTATE {error.sqlstate})"
    elif isinstance(error, OSError) and error.errno:
        kind += f" (errno {error.errno})"
    frames = traceback.extract_tb(error.__traceback__)[::-1]
    return f"{kind} at " + " < ".join(f"{PurePath(f.filename).name}:{f.lineno} {f.name}" for f in frames[:6])
