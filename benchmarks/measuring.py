"""Whole processes, measured: wall seconds and peak memory, on a machine that is quiet where it can be."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

_POLL_SECONDS = 0.01
QUIET_PERCENT = 25.0


class ChildError(Exception):
    """A measured process ended with an error; the message holds its last words."""


@dataclass(frozen=True)
class Measured:
    """One run of one process: wall seconds with its start, peak memory in MiB, and what it reported itself.

    ``cpu_seconds`` is its own work, without the server's; ``busy_percent`` how busy all cores were with other work
    just before.
    """

    seconds: float
    cpu_seconds: float
    peak_mib: float
    busy_percent: float
    report: dict[str, Any] = field(default_factory=dict)


def measure(
    command: Sequence[str], environment: Mapping[str, str], *, patience: float = 0.0, cwd: Path | None = None
) -> Measured:
    """Run ``command`` to its end and measure it; waits up to ``patience`` seconds for a quiet machine first.

    Raises ``ChildError`` where the command fails.
    """
    busy = wait_for_quiet(patience)
    with tempfile.TemporaryDirectory() as scratch, (Path(scratch) / "output").open("w+b") as output:
        report = Path(scratch) / "report.json"
        environment = dict(environment) | {"BENCHMARK_REPORT": str(report)}
        started = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603  (the commands are this folder's own)
            command, env=environment, cwd=cwd, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            peak = _watch(process.pid)
            seconds = time.perf_counter() - started
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            if process.returncode is None:
                process.kill()
                process.wait()
        if process.returncode != 0:
            output.seek(0)
            words = output.read().decode(errors="replace").strip()[-3000:]
            raise ChildError(f"{Path(command[0]).name} ended with {process.returncode}: {words}")
        content = json.loads(report.read_text()) if report.exists() else {}
    # a child's figure begins with what its parent had when it was made: below that, only watching tells
    if usage.ru_maxrss > resource.getrusage(resource.RUSAGE_SELF).ru_maxrss:
        peak = max(peak, usage.ru_maxrss)
    return Measured(seconds, usage.ru_utime + usage.ru_stime, peak / 1024, busy, content)


def _watch(pid: int) -> int:
    """Wait for the process to end, without reaping it; return the highest memory seen, in KiB."""
    peak = 0
    status = Path(f"/proc/{pid}/status")
    while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
        try:
            marks = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        except OSError:
            marks = []
        peak = max([peak, *(int(line.split()[1]) for line in marks)])
        time.sleep(_POLL_SECONDS)
    return peak


def wait_for_quiet(patience: float) -> float:
    """Wait until the cores are mostly idle, or patience ends; return how busy they were in the end, in percent."""
    give_up = time.monotonic() + patience
    while True:
        busy: float = psutil.cpu_percent(interval=0.5)
        if busy < QUIET_PERCENT or time.monotonic() > give_up:
            return busy


def is_quiet(measured: Measured) -> bool:
    """Tell whether other work was unlikely to have disturbed the run."""
    return measured.busy_percent < QUIET_PERCENT


def machine() -> dict[str, str]:
    """Say on what the figures were measured."""
    names = [line.split(":", 1)[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    systems = [line.split("=", 1)[1].strip('"') for line in _lines("/etc/os-release") if line.startswith("PRETTY_NAME")]
    return {
        "processor": names[0] if names else "unknown",
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": f"{systems[0] if systems else 'unknown'}, kernel {os.uname().release}",
    }


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if Path(path).exists() else []
