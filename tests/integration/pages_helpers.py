"""Pages without a web server: who asks is given, and the questions to the warehouse are counted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from fastapi.testclient import TestClient
from saferkc.pages import app as pages
from saferkc.pages.access import Person, reader
from saferkc.settings import Settings
from saferkc.warehouse import connection as warehouse


class Counted(psycopg.Cursor[Any]):
    """A cursor that counts what is asked through any of its kind."""

    asked = 0

    def execute(self, *given: Any, **named: Any) -> Any:
        Counted.asked += 1
        return super().execute(*given, **named)


@contextmanager
def looking(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, *, may_answer: bool = True, audience: str = "partnership"
) -> Iterator[TestClient]:
    """Somebody called Ada, signed in, before the pages of a home."""
    ada = Person("Ada", may_answer, audience)

    def connect(*given: Any, **named: Any) -> warehouse.Connection:
        found = warehouse.connect(*given, **named)
        found.cursor_factory = Counted
        return found

    monkeypatch.setattr(pages, "connect", connect)
    # the answerer asks the reader who it is
    monkeypatch.setattr("saferkc.pages.access.reader", lambda _: _as(ada))
    pages.app.dependency_overrides = {
        reader: lambda: ada,
        pages.settings_of: lambda: settings,
    }
    try:
        with TestClient(pages.app, follow_redirects=False, base_url="http://testserver") as client:
            yield client
    finally:
        pages.app.dependency_overrides = {}


async def _as(person: Person) -> Person:
    return person


def questions(client: TestClient, path: str) -> int:
    """How many questions a page asks the warehouse."""
    Counted.asked = 0
    response = client.get(path)
    assert response.status_code == 200, response.text
    return Counted.asked
