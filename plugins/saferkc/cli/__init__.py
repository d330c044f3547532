"""The command ``saferkc``: what people type. Every command is a few lines over the library.

Commands import what they need when they run: Airflow, dbt and the like take seconds to import, and ``saferkc
status`` should answer at once.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; expected errors are one line on stderr and exit status 1."""
    from saferkc.cli.commands import app
    from saferkc.cli.console import complain

    try:
        app()
    except KeyboardInterrupt:
        complain("stopped; what was under way in Airflow goes on there")
        sys.exit(130)
    except Exception as error:
        message = _expected(error)
        if message is None:
            raise
        complain(message)
        sys.exit(1)


def _expected(error: Exception) -> str | None:
    """Return what to tell about an error that was foreseen, and None for one that was not."""
    kind = type(error)
    if kind.__module__.startswith("saferkc."):
        return str(error)
    if kind.__name__ in ("UndefinedTable", "InvalidSchemaName"):
        return "the warehouse is not set up yet: run `saferkc up`"
    if kind.__name__ in ("OperationalError", "ConnectionTimeout") and kind.__module__.startswith("psycopg"):
        return f"the warehouse does not answer: {' '.join(str(error).split())}"
    return None
