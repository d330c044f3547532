"""The pages in a browser, behind Airflow's own sign-in: who may read reads, who may answer answers, and nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing_helpers import password, signed_in, url
from home_helpers import SUSPECTED, Home, ask_about
from playwright.sync_api import Browser
from saferkc.alerts import read_alert, read_history
from saferkc.alerts.answering import sign
from saferkc.orchestration.environment import airflow_url
from saferkc.warehouse.connection import connect

PAGES = ("/", "/alerts", "/changes", "/series", "/deliveries")


@pytest.fixture
def alert_id(running_home: Home) -> Iterator[int]:
    """The alert of a change that is suspected; gone afterwards, since no delivery of this home shows it."""
    number = ask_about(running_home, SUSPECTED)
    yield number
    with connect(running_home.settings) as connection:
        change_id = read_alert(connection, number).change_id
        connection.execute("delete from quality.recording_decision where change_id = %s", [change_id])
        connection.execute("delete from quality.alert_event where alert_id = %s", [number])
        connection.execute("delete from quality.alert where alert_id = %s", [number])
        connection.execute("delete from quality.recording_change where change_id = %s", [change_id])


def state(home: Home, alert_id: int) -> str:
    with connect(home.settings) as connection:
        return read_alert(connection, alert_id).state


def test_somebody_signs_in_reads_tonight_and_confirms_a_change(
    running_home: Home, browser: Browser, alert_id: int
) -> None:
    with signed_in(running_home, browser, "ada") as page:
        assert page.get_by_role("heading", name="Tonight", exact=True).is_visible()
        assert page.get_by_role("link", name="police_offences").is_visible()
        page.get_by_role("link", name="Alerts").click()
        page.get_by_role("link", name="Burglary: probably a change in recording").first.click()
        assert page.get_by_text("“Burglary in a Dwelling” is gone").is_visible()
        # by keyboard alone: from the field of the note to the first button
        page.get_by_label("Why?").focus()
        page.keyboard.type("Home Office Counting Rules of 1 April 2017")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.get_by_text("Home Office Counting Rules of 1 April 2017").first.wait_for()
        assert page.get_by_label("Why?").count() == 0
    assert state(running_home, alert_id) == "confirmed"
    with connect(running_home.settings) as connection:
        last = read_history(connection, alert_id)[-1]
    assert (last.event, last.by_whom) == ("confirmed", "ada")


def test_who_may_only_read_cannot_answer_by_page_link_or_http(
    running_home: Home, browser: Browser, alert_id: int
) -> None:
    with signed_in(running_home, browser, "ada", f"/alerts/{alert_id}") as page:
        token = page.locator("input[name=form_token]").first.get_attribute("value")
    link = sign(running_home.settings, alert_id, "recording_change", "team", datetime.now(UTC) + timedelta(days=1))
    with signed_in(running_home, browser, "ben", f"/alerts/{alert_id}") as page:
        assert page.get_by_text("“Burglary in a Dwelling” is gone").is_visible()
        assert page.get_by_role("button").count() == 0
        answer = page.goto(url(running_home, f"/answer?token={link}"))
        assert answer is not None
        assert answer.status == 403
        cookies = {one["name"]: one["value"] for one in page.context.cookies()}
    sent = {"answer": "recording_change", "note": "mine", "form_token": token or "", "token": link}
    # the cookie of a browser, the token of a program, and nobody at all
    login = {"username": "ben", "password": password(running_home, "ben")}
    bearer = httpx.post(f"{airflow_url(running_home.settings)}/auth/token", json=login).json()["access_token"]
    callers: list[tuple[dict[str, Any], int]] = [
        ({"cookies": cookies}, 403),
        ({"headers": {"Authorization": f"Bearer {bearer}"}}, 403),
        ({}, 401),
    ]
    for caller, code in callers:
        for path in (f"/alerts/{alert_id}", "/answer", "/changes/1"):
            assert httpx.post(url(running_home, path), data=sent, timeout=60, **caller).status_code == code, path
    assert state(running_home, alert_id) == "open"
    for path in (*PAGES, f"/alerts/{alert_id}", "/series/chart.svg?name=burglary/all"):
        told = httpx.get(url(running_home, path), timeout=60)
        assert told.status_code == 303, "who has not signed in is led to the sign-in"
        assert told.headers["location"].startswith("/api/v2/auth/login?next="), path


def test_pages_reach_wcag_aa_on_a_phone_and_stand_in_the_navigation(
    running_home: Home, browser: Browser, alert_id: int
) -> None:
    tags = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
    with signed_in(running_home, browser, "ada", width=390) as page:
        for path in (*PAGES, f"/alerts/{alert_id}"):
            page.goto(url(running_home, path))
            found = Axe().run(page, options=tags)
            assert found.violations_count == 0, f"{path}: {found.generate_report()}"
            assert page.evaluate("document.documentElement.scrollWidth") <= 390, f"{path} scrolls sideways"
        page.set_viewport_size({"width": 1280, "height": 850})
        page.goto(airflow_url(running_home.settings))
        page.locator("a[href$='/plugin/saferkc']").first.click()
        page.frame_locator("iframe").get_by_role("heading", name="Tonight", exact=True).wait_for()
