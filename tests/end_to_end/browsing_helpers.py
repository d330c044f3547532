"""The pages of a home in a browser, behind Airflow's own sign-in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from home_helpers import Home
from playwright.sync_api import Browser, Page
from saferkc.orchestration.environment import airflow_url

# the machine may be busy: nothing here is about time
PATIENCE = 120_000


def url(home: Home, path: str) -> str:
    return f"{airflow_url(home.settings)}/saferkc{path}"


def password(home: Home, name: str) -> str:
    return str(home.settings.runtime()["people_passwords"][name])


@contextmanager
def signed_in(home: Home, browser: Browser, name: str, path: str = "/", width: int = 1280) -> Iterator[Page]:
    """A page at ``path``, to which its sign-in has led back."""
    context = browser.new_context(viewport={"width": width, "height": 850})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(url(home, path))
    page.locator("input[name=username]").fill(name)
    page.locator("input[name=password]").fill(password(home, name))
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile(r"/saferkc/"))
    yield page
    context.close()
