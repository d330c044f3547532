"""Links in messages: to the pages, and signed ones that answer, made for each recipient when a message is sent.

What is kept in the database holds no signed link, only what it will be for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from saferkc.alerts.answering import DAYS_OF_A_LINK, Answer
from saferkc.settings import Settings

_BASE = "https://link.saferkc.invalid"
_LINK = re.compile(
    rf"{re.escape(_BASE)}/(?:alerts/(?P<page>\d+)|answer/(?P<alert>\d+)/(?P<answer>[a-z_]+)|(?P<home>home))"
)
# where the pages stand among Airflow's
_PAGES = "/saferkc"


def page_of(alert_id: int) -> str:
    """What stands for the page of an alert until the message is sent."""
    return f"{_BASE}/alerts/{alert_id}"


def answer_of(alert_id: int, answer: Answer) -> str:
    """What stands for the link of an answer until the message is sent."""
    return f"{_BASE}/answer/{alert_id}/{answer}"


def all_pages() -> str:
    """What stands for the first of the pages until the message is sent."""
    return f"{_BASE}/home"


def pages_url(settings: Settings) -> str:
    """Where the pages are seen from: as set, or on this machine."""
    port = settings.runtime().get("airflow_port", 8080)
    return settings.messages.pages_url or f"http://127.0.0.1:{port}{_PAGES}"


def for_recipient(
    settings: Settings,
    text: str,
    row: Mapping[str, Any],
    recipient: str,
    sign: Callable[..., str],
) -> str:
    """Put links in their places, those that answer signed for this recipient. A copy has the same ones."""
    base = pages_url(settings)

    def put(found: re.Match[str]) -> str:
        if found["answer"] is None:
            return _page(base, found)
        token_id = sha256(f"{row['idempotency_key']}\0{found[0]}\0{recipient}".encode()).hexdigest()[:24]
        token = sign(
            settings,
            int(found["alert"]),
            found["answer"],
            recipient,
            row["queued_at"] + timedelta(days=DAYS_OF_A_LINK),
            token_id=token_id,
        )
        return f"{base}/answer?token={quote(token)}"

    return _LINK.sub(put, text)


def for_everybody(settings: Settings, text: str) -> str:
    """Put links to pages in their places, also where a link would answer."""
    base = pages_url(settings)
    return _LINK.sub(lambda found: _page(base, found), text)


def _page(base: str, found: re.Match[str]) -> str:
    number = found["page"] or found["alert"]
    return f"{base}/alerts/{number}" if number else f"{base}/"
