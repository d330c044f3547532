"""The figures as Markdown, ready for README.md."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from measuring import Measured, is_quiet, machine

BARE, LOAD, CHECK, BOTH = "bare", "load", "check", "both"


@dataclass(frozen=True)
class Street:
    """Street CSV made by the simulator: its files, its lines, and the records that the contract makes of them."""

    files: list[str]
    lines: int
    records: int
    bytes: int

    def part(self, count: int, per_file: int) -> Street:
        """The first ``count`` files; their records are not counted."""
        files = self.files[:count]
        return Street(files, count * per_file, 0, sum(Path(file).stat().st_size for file in files))


@dataclass
class Line:
    """One line of the table: its figures, round by round."""

    title: str
    does: str
    seconds: list[float] = field(default_factory=list)
    peaks: list[float] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)
    runs: list[Measured] = field(default_factory=list)


def on_what(versions: Mapping[str, str]) -> str:
    """Say on what the figures were measured."""
    return "; ".join(f"{what} {value}" for what, value in (machine() | dict(versions)).items()) + "."


def report(
    street: Street | None,
    lines: Mapping[str, Line],
    memory: Sequence[Mapping[str, float]],
    rounds: int,
    versions: Mapping[str, str],
) -> str:
    """Return machine and versions, the table of the contenders, and that of the memory."""
    parts = [on_what(versions)]
    if street:
        parts += [*_loading_table(street, lines, rounds)]
    if memory:
        rows = "\n".join(
            f"| {entry['rows']:,} | {entry['bytes'] / 1e6:,.0f} | {entry['seconds']:.1f} | {entry['peak_mib']:,.0f} |"
            for entry in memory
        )
        parts.append(f"| rows in one file | MB | seconds | peak memory, MiB |\n|--:|--:|--:|--:|\n{rows}")
    return "\n\n".join(parts)


def _loading_table(street: Street, lines: Mapping[str, Line], rounds: int) -> Iterator[str]:
    head = f"{street.lines:,} rows in {len(street.files)} files, {street.bytes / 1e6:,.0f} MB; rounds: {rounds}"
    rows = "\n".join(
        f"| {line.title} | {spread(line.seconds, 1)} | {spread(line.ratios, 2)} | {max(line.peaks):,.0f}"
        f" | {line.does} |"
        for line in lines.values()
    )
    yield (
        f"| {head} | seconds: median (least to most) | times the bare COPY | peak memory, MiB | what it does |\n"
        f"|---|--:|--:|--:|---|\n{rows}"
    )
    for name in (LOAD, CHECK):
        if name in lines:
            yield f"Inside {lines[name].title}, median seconds: {_inside(lines[name])}."
    yield from warning_of_noise([run for name, line in lines.items() if name != BOTH for run in line.runs])


def warning_of_noise(runs: Sequence[Measured]) -> Iterator[str]:
    """Say how many measurements other work may have disturbed, if any."""
    loud = sum(not is_quiet(run) for run in runs)
    if loud:
        yield f"**Not to be quoted:** {loud} of {len(runs)} measurements began while the machine was busy otherwise."


def _inside(line: Line) -> str:
    parts = [key for key in ("imports", "receive", "load", "check") if key in line.runs[0].report]
    return ", ".join(f"{part} {statistics.median(run.report[part] for run in line.runs):.2f}" for part in parts)


def spread(values: Sequence[float], digits: int) -> str:
    """Median, least and most, as text."""
    if not values:
        return "-"
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"
