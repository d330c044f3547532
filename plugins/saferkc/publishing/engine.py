"""Great Expectations, imported once and kept quiet, with the expectations that are our own."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import logging
import os
import re
import sys
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any


@cache
def great_expectations() -> Any:
    """Import Great Expectations and return it."""
    # read when the package is imported; it calls out otherwise
    os.environ["GX_ANALYTICS_ENABLED"] = "False"
    with quiet():
        import great_expectations as gx  # noqa: PLC0415 - three seconds, which only a check should cost

    # this one sets its own level and would talk past its parent's
    logging.getLogger("great_expectations.data_context.types.base").setLevel(logging.NOTSET)
    return gx


@cache
def own_expectations(folder: Path) -> dict[str, Any]:
    """Load the expectations that are our own from the modules in a folder, by name (``expect_no_rows``).

    They are registered with Great Expectations by being loaded, which its pages need as well.
    """
    great_expectations()
    found: dict[str, Any] = {}
    for path in sorted(folder.glob("[a-z]*.py")):
        name = f"expectations.{path.stem}"
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            raise ImportError(f"{path} can't be loaded")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module  # where pydantic looks for the names that annotations use
        with quiet():
            spec.loader.exec_module(module)
        found |= {
            re.sub(r"(?<!^)(?=[A-Z])", "_", key).lower(): value
            for key, value in vars(module).items()
            if key.startswith("Expect") and value.__module__ == name
        }
    return found


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Let neither GX nor what it uses print, warn or log: Airflow would keep hundreds of lines a task."""
    names = ("great_expectations", "sqlalchemy", "posthog", "tzlocal")
    before = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
