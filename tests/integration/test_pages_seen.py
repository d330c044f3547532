"""Pages of one thing, in a browser and without Airflow: WCAG 2.2 AA on a phone, and a button that is pressed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from browser import headless_browser
from pages_helpers import looking
from playwright.sync_api import Browser, Page
from publishing_helpers import deliver
from saferkc.alerts import read_alert
from saferkc.alerts.answering import sign
from saferkc.pages import app as pages
from saferkc.recording.ledger import add_change
from saferkc.recording.telling import tell_people
from saferkc.settings import Settings
from saferkc.warehouse.connection import connect

TAGS = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
PHONE = {"width": 390, "height": 850}
CHANGE = {
    "series": "Burglary in a Dwelling", "parent_series": "Burglary", "feed": "police_offences", "geography": "all",
    "effective_month": datetime(2017, 4, 1).date(), "kind": "recording", "nature": "split", "confidence": 0.9,
    "evidence": {"sentences": ["From April 2017 “Burglary in a Dwelling” is gone."], "classes": ["Burglary"]},
    "state": "suspected", "register_id": None, "treatment": "bridge",
}  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with headless_browser() as found:
        yield found


@contextmanager
def served() -> Iterator[str]:
    """The pages on a port of their own; their address."""
    server = uvicorn.Server(uvicorn.Config(pages.app, host="127.0.0.1", port=0, log_level="error"))
    ready = threading.Event()
    started = server.startup

    async def startup(sockets: list[object] | None = None) -> None:
        await started(sockets)  # type: ignore[arg-type]
        ready.set()

    server.startup = startup  # type: ignore[method-assign, assignment]
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert ready.wait(60)
    (socket,) = server.servers[0].sockets
    try:
        yield f"http://127.0.0.1:{socket.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(60)


@pytest.fixture
def page(settings: Settings, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    """Ada's phone, before the pages of a home in which a change is asked about and a delivery has bad lines."""
    with connect(settings) as connection:
        add_change(connection, CHANGE)
        tell_people(connection, {})
        number = deliver(connection, "police_offences", 5, rows_in=8, rows_quarantined=3)
        connection.execute(
            "insert into quality.quarantine (delivery_id, feed, line_number, column_name, rule, reason)"
            " select %s, 'police_offences', n, 'offence_code', 'unknown_code', 'no such code'"
            " from generate_series(1, 3) as n",
            [number],
        )
        for success in (True, False):
            connection.execute(
                "insert into quality.check_result (delivery_id, feed, suite, check_name, table_name, severity, success,"
                " meaning, next_step) values (%s, 'police_offences', 's', 'no_gap', 't', 'error', %s, 'm', 'n')",
                [number, success],
            )
    with looking(settings, monkeypatch), served() as address:
        context = browser.new_context(viewport=PHONE, base_url=address)  # type: ignore[arg-type]
        yield context.new_page()
        context.close()


def test_a_change_a_delivery_and_an_answer_reach_wcag_aa_on_a_phone(page: Page, settings: Settings) -> None:
    link = sign(settings, 1, "recording_change", "team", datetime.now(UTC) + timedelta(days=1))
    shown = {
        "/changes/1": "First found", "/deliveries/1": "Quarantined lines", f"/answer?token={link}": "Your answer",
        "/alerts/999": "no alert 999",
    }  # fmt: skip
    for path, text in shown.items():
        page.goto(path)
        assert page.get_by_text(text).first.is_visible(), path
        found = Axe().run(page, options=TAGS)
        assert found.violations_count == 0, f"{path}: {found.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], f"{path} scrolls sideways"


def test_a_reminder_is_put_off_by_its_button_once_a_reason_is_given(page: Page, settings: Settings) -> None:
    page.goto("/alerts/1")
    button = page.get_by_role("button", name="Snooze for 7 days")
    button.click()
    assert page.get_by_label("Why?").is_visible(), "the browser keeps a form without its reason"
    page.get_by_label("Why?").fill("away until Monday")
    button.click()
    page.get_by_role("cell", name="away until Monday").wait_for()
    with connect(settings) as connection:
        alert = read_alert(connection, 1)
    assert alert.state == "acknowledged" and alert.snoozed_until is not None
