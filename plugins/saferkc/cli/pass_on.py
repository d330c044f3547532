"""``saferkc airflow …``: Airflow's own command line, on this home and no other."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

from saferkc.orchestration.environment import airflow_environment
from saferkc.orchestration.lifecycle import airflow_database_up
from saferkc.settings import Settings, SettingsError


def run_airflow(settings: Settings, arguments: Sequence[str]) -> int:
    """Run it to its end and return its exit status. Raises ``SettingsError`` in a home that was never started."""
    if "airflow_database_version" not in settings.runtime():
        raise SettingsError(f"{settings.home} was never started: run `saferkc up` (or `make run`) first")
    with airflow_database_up(settings):
        command = [sys.executable, "-m", "airflow", *arguments]
        return subprocess.run(command, env=airflow_environment(settings), check=False).returncode  # noqa: S603
