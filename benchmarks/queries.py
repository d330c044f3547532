"""Analysts' queries, timed one after another on one connection, in another order each time."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

_PLANS_KEPT = 3


@dataclass
class Timing:
    """One query: its milliseconds run by run without the first, rows that it gives, and its plan where it is slow."""

    name: str
    first_ms: float = 0.0
    milliseconds: list[float] = field(default_factory=list)
    rows: int = 0
    plan: str = ""

    def at(self, share: float) -> float:
        """Milliseconds within which ``share`` of the runs were answered."""
        return percentile(self.milliseconds, share)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least ``share`` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, min(len(ordered), -(-int(share * 1000) * len(ordered) // 1000)) - 1)]


def read_queries(path: Path) -> dict[str, str]:
    """Read the queries of a file: each has a line ``-- question`` above it and ends with a semicolon."""
    queries = {}
    for part in path.read_text().split(";\n"):
        lines = part.strip().splitlines()
        if lines:
            queries[lines[0].removeprefix("-- ")] = "\n".join(lines[1:])
    return queries


def time_queries(url: str, queries: dict[str, str], repeats: int) -> list[Timing]:
    """Run every query once cold and ``repeats`` times more, in another order each time; plans of the slowest."""
    timings = {name: Timing(name) for name in queries}
    order = list(queries)
    chance = random.Random(2017)  # noqa: S311 - no secret
    with psycopg.connect(url, autocommit=True) as connection:
        for turn in range(repeats + 1):
            chance.shuffle(order)
            for name in order:
                begun = time.perf_counter()
                rows = connection.execute(queries[name].encode()).fetchall()
                taken = 1000 * (time.perf_counter() - begun)
                timings[name].rows = len(rows)
                if turn:
                    timings[name].milliseconds.append(taken)
                else:
                    timings[name].first_ms = taken
        slowest = sorted(timings.values(), key=lambda timing: -timing.at(0.95))[:_PLANS_KEPT]
        for timing in slowest:
            explain = f"explain (analyze, buffers, costs off, timing off) {queries[timing.name]}"
            timing.plan = "\n".join(row[0] for row in connection.execute(explain.encode()))
    return list(timings.values())
