"""The pages by themselves, as Airflow's web server mounts them, for whoever asks: the benchmark of the pages asks.

Usage: pages_server.py PORT; SAFERKC_HOME and SAFERKC_WAREHOUSE_URL say of which warehouse. Nobody signs in here: who
asks may answer, and sees counts as the community safety team does. Each answer says in the header ``x-queries`` how
many questions it put to the warehouse; one request at a time.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg
import uvicorn
from fastapi import FastAPI, Request, Response
from saferkc.pages import PREFIX
from saferkc.pages import app as pages
from saferkc.pages.access import Person, reader
from saferkc.warehouse import connection as warehouse


class Counted(psycopg.Cursor[Any]):
    """A cursor that counts what is asked through any of its kind."""

    asked = 0

    def execute(self, *given: Any, **named: Any) -> Any:
        """As that of any cursor."""
        Counted.asked += 1
        return super().execute(*given, **named)


def _connect(*given: Any, **named: Any) -> warehouse.Connection:
    found = warehouse.connect(*given, **named)
    found.cursor_factory = Counted
    return found


async def _count(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    before = Counted.asked
    response = await call_next(request)
    response.headers["x-queries"] = str(Counted.asked - before)
    return response


def serve(port: int) -> None:
    """Serve the pages until the process is ended."""
    pages.connect = _connect  # type: ignore[assignment]
    pages.app.dependency_overrides[reader] = lambda: Person("Ada", may_answer=True, audience="community_safety_team")
    web = FastAPI()
    web.mount(PREFIX, pages.app)
    web.middleware("http")(_count)
    uvicorn.run(web, host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    serve(int(sys.argv[1]))
