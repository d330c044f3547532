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
        if not _is_expected(error):
            raise
        complain(str(error))
        sys.exit(1)


def _is_expected(error: Exception) -> bool:
    """Tell whether the error is one that the library foresaw and describes in words for its user."""
    module = type(error).__module__
    return module.startswith("saferkc.") or (module.startswith("psycopg") and "connect" in str(error).lower())
