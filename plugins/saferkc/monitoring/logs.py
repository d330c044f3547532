"""Structured logs: what the library logs, as lines of JSON under ``<home>/logs``, with what each is about.

One file a day. No value of a record stands in them: our own messages hold none, and of an error only its kind is
written, since its words may come from anywhere.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from structlog.contextvars import bound_contextvars, merge_contextvars
from structlog.stdlib import ExtraAdder, ProcessorFormatter, add_log_level, add_logger_name

from saferkc.settings import Settings

LIBRARY = "saferkc"


class _DailyFile(logging.Handler):
    """Appends each line to the file of its day, in one write, so that processes can share it."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            line = (self.format(record) + "\n").encode()
            with log_file(self.folder).open("ab", buffering=0) as handle:
                handle.write(line)
        except OSError:
            # a disk that is full must not end a night: the tasks' own logs say the rest
            return


def log_file(folder: Path) -> Path:
    """Return the file of today, by UTC."""
    return folder / f"{datetime.now(UTC):%Y-%m-%d}.jsonl"


@contextmanager
def about(settings: Settings, **ids: Any) -> Iterator[None]:
    """Write what the library logs meanwhile, with these ids (those that are None are left out) in every line."""
    _write_to(settings.logs)
    with bound_contextvars(**{name: value for name, value in ids.items() if value is not None}):
        yield


def _write_to(folder: Path) -> None:
    logger = logging.getLogger(LIBRARY)
    ours = [handler for handler in logger.handlers if isinstance(handler, _DailyFile)]
    if ours and ours[0].folder == folder:
        return
    for handler in ours:
        logger.removeHandler(handler)
    handler = _DailyFile(folder)
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=[
                merge_contextvars,
                add_log_level,
                add_logger_name,
                ExtraAdder(),
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                _only_the_kind_of_errors,
            ],
            processors=[ProcessorFormatter.remove_processors_meta, structlog.processors.JSONRenderer(default=str)],
        )
    )
    logger.addHandler(handler)
    if logger.getEffectiveLevel() > logging.INFO:
        logger.setLevel(logging.INFO)


def _only_the_kind_of_errors(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    fault = event.pop("exc_info", None)
    if isinstance(fault, tuple) and fault[0] is not None:
        event["error"] = fault[0].__name__
    return event
