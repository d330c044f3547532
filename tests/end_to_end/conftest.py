"""One home with real Airflow, shared by all end-to-end tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import headless_browser
from home_helpers import FIRST_MONTHS, NIGHT_SECONDS, Home, new_home
from playwright.sync_api import Browser

HERE = Path(__file__).parent
# they leave the shared home other than they found it: with later months, a change that was confirmed, and canaries
LAST = ["test_crashes", "test_nights_after_answers"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """End with these tests, so that Airflow does not run beside all others."""
    items.sort(key=lambda item: LAST.index(item.path.stem) + 2 if item.path.stem in LAST else HERE in item.path.parents)
    for item in items:
        if HERE in item.path.parents and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(NIGHT_SECONDS + 600))


@pytest.fixture(scope="session")
def running_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home that is up, with nothing delivered yet."""
    home = new_home(tmp_path_factory.mktemp("end-to-end") / "home")
    try:
        status, output = home.saferkc("up")
        assert status == 0, output
        yield home
    finally:
        home.clear()


@pytest.fixture(scope="session")
def published_home(running_home: Home) -> Home:
    """The home after a first night over simulated deliveries."""
    running_home.deliver(*FIRST_MONTHS)
    status, output = running_home.saferkc("nightly")
    assert status == 0, output
    return running_home


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with headless_browser() as found:
        yield found
