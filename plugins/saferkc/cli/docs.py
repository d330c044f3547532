"""``saferkc docs``: pages that are made from dbt's artifacts and kept in the repository."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from saferkc.alerts.mail import as_page
from saferkc.alerts.sending import preview_messages
from saferkc.cli.console import say
from saferkc.orchestration.dbt import parse_apart
from saferkc.orchestration.environment import USER, airflow_url
from saferkc.pages import PREFIX
from saferkc.publishing import diagram
from saferkc.settings import Settings

if TYPE_CHECKING:  # a development package
    from playwright.sync_api import Browser

# pictures of pages: name, address, and the width of the screen
_PICTURES = (
    ("page-tonight", "/", 1280),
    ("page-tonight-phone", "/", 390),
    ("page-alerts", "/alerts", 1280),
    ("page-changes", "/changes", 1280),
    ("page-series", "/series?name=burglary/residential", 1280),
    ("page-series-phone", "/series?name=burglary/residential", 390),
    ("page-deliveries", "/deliveries", 1280),
)
# so much of a page is in the picture
_HEIGHT = 1000
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class NoBrowserError(Exception):
    """There is nothing to make pictures with; the message says what to install."""


def picture_pages(settings: Settings) -> None:
    """Make the pictures of the pages in docs/images, from a home that is up. Raises ``NoBrowserError``."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise NoBrowserError("pictures of pages need the development packages: run `make setup`") from None
    program = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if program is None:
        raise NoBrowserError("pictures of pages need a Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"], timeout=120_000)
        for name, path, width in _PICTURES:
            context = browser.new_context(viewport={"width": width, "height": _HEIGHT})
            page = context.new_page()
            page.goto(f"{airflow_url(settings)}{PREFIX}{path}")
            page.locator("input[name=username]").fill(USER)
            page.locator("input[name=password]").fill(str(settings.runtime()["airflow_password"]))
            page.get_by_role("button", name="Sign in").click()
            page.wait_for_url(f"**{PREFIX}/**")
            page.wait_for_load_state("networkidle")
            picture = settings.project_root / "docs" / "images" / f"{name}.png"
            page.screenshot(path=picture)
            say(f"{picture}: made")
            context.close()
        _picture_digest(settings, browser)
        browser.close()


def _picture_digest(settings: Settings, browser: Browser) -> None:
    """Make the picture of the digest that the team would get on Monday."""
    digest = next((one for audience, one in preview_messages(settings) if audience == "community_safety_team"), None)
    if digest is None:
        say("the team has nothing to be told: its mail's picture stays as it is")
        return
    page = browser.new_page(viewport={"width": 760, "height": _HEIGHT})
    page.set_content(as_page(digest))
    picture = settings.project_root / "docs" / "images" / "mail-digest.png"
    page.screenshot(path=picture)
    say(f"{picture}: made")
    page.close()


def draw_stars(settings: Settings) -> None:
    """Draw the stars anew from the models as they stand, and say whether anything changed."""
    changed = diagram.draw(settings, parse_apart(settings))
    say(f"{diagram.stars_file(settings)}: {'drawn anew' if changed else 'in step already'}")


def check_stars(settings: Settings) -> int:
    """Check that the drawn stars are those of the models; return the exit status."""
    if diagram.stale(settings, parse_apart(settings)):
        say(f"{diagram.stars_file(settings)}: not in step with the models; run `saferkc docs diagram`")
        return 1
    say("The stars are drawn as the models are.")
    return 0
