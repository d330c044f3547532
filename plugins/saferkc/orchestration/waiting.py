"""Waiting for the ingest runs, so that a build sees the whole night."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from saferkc.settings import Settings


def feeds_of(settings: Settings) -> list[str]:
    """Return the names of all feeds, without reading the contracts (the DAG files are read often)."""
    return sorted(path.stem for path in settings.contracts_dir.glob("*.yaml"))


def wait_for_ingests(
    feeds: Sequence[str],
    unfinished_runs: Callable[[str], int],
    *,
    poll_seconds: float = 1.0,
    timeout_seconds: float = 4 * 3600,
) -> None:
    """Return when no ingest run is queued or running; ``unfinished_runs`` counts those of a DAG.

    Raises ``TimeoutError`` after ``timeout_seconds``, naming the feeds that are still under way.
    """
    deadline = time.monotonic() + timeout_seconds
    left = list(feeds)
    while left:
        left = [feed for feed in left if unfinished_runs(f"ingest_{feed}")]
        if not left:
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"still being taken in after {timeout_seconds / 3600:.0f} h: {', '.join(left)}")
        time.sleep(poll_seconds)
