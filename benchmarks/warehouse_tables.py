"""The figures of the warehouse's benchmark as Markdown, ready for README.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from measuring import Measured, is_quiet, machine
from queries import Timing, percentile

if TYPE_CHECKING:
    from warehouse import Figures

_SLOWEST_MODELS = 12


def report(figures: Figures, nights: Mapping[str, str], versions: Mapping[str, str]) -> str:
    """Return machine and versions, then the tables of building, of the slowest models, and of the queries."""
    parts = ["; ".join(f"{what} {value}" for what, value in (machine() | dict(versions)).items()) + "."]
    parts += [_size(figures), _building(figures, nights), _slowest(figures), *_queries(figures.queries)]
    loud = sum(not is_quiet(run) for run in figures.runs.values())
    if loud:
        parts.append(
            f"**Not to be quoted:** {loud} of {len(figures.runs)} measurements began while the machine was busy"
            " otherwise."
        )
    return "\n\n".join(parts)


def _size(figures: Figures) -> str:
    rows = ", ".join(f"{count:,} in {table}" for table, count in figures.rows.items())
    equal = "not equal: " + "; ".join(figures.unequal) if figures.unequal else "all equal"
    return (
        f"{figures.years} years, {figures.scale} boroughs: {sum(figures.rows.values()):,} raw rows ({rows})."
        f" {len(figures.tables)} tables with {sum(figures.tables.values()):,} rows compared with the hand-written"
        f" ones, after the full build and after the nights: {equal}."
    )


def _building(figures: Figures, nights: Mapping[str, str]) -> str:
    runs = figures.runs
    by_hand, full = runs["by hand"].seconds, runs["full: models"].seconds
    whole = sum(runs[f"full: {part}"].seconds for part in ("models", "tests", "publish"))
    lines = [
        "| | records changed | models, seconds | times by hand | share of the full build | tests | publishing"
        " | all, share of the full |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
        f"| hand-written SQL, all tables anew | | {by_hand:.1f} | 1.00 | | | | |",
        f"| the same after the nights | | {runs['by hand, after the nights'].seconds:.1f} |"
        f" {runs['by hand, after the nights'].seconds / by_hand:.2f} | | | | |",
    ]
    for name, title in ({"full": "full build by dbt"} | dict(nights)).items():
        models, tests, publish = (runs[f"{name}: {part}"].seconds for part in ("models", "tests", "publish"))
        changed = f"{figures.corrected[name]:,}" if name in figures.corrected else ""
        lines.append(
            f"| {title} | {changed} | {models:.1f} | {models / by_hand:.2f} | {models / full:.3f} | {tests:.1f}"
            f" | {publish:.1f} | {(models + tests + publish) / whole:.3f} |"
        )
    reading = ", ".join(f"{runs[f'{name}: models'].report['before_the_first_node']:.1f}" for name in ("full", *nights))
    return "\n".join(lines) + (
        f"\n\nOf the seconds of models, dbt reads the project before it begins with the first: {reading}."
    )


def _slowest(figures: Figures) -> str:
    def seconds(name: str) -> dict[str, float]:
        return {node["name"]: node["seconds"] for node in _nodes(figures.runs[name])}

    full, spread = seconds("full: models"), seconds("spread: models")
    hand = figures.runs["by hand"].report["statements"]
    rows = []
    for name in sorted(full, key=lambda each: -full[each])[:_SLOWEST_MODELS]:
        own = sum(value for words, value in hand.items() if f" {name} " in f"{words} ")
        by_hand = f"{own:.1f}" if own else "left to dbt"
        rows.append(f"| {name} | {full[name]:.1f} | {by_hand} | {spread.get(name, 0.0):.1f} |")
    return (
        "| slowest models | full build, seconds | by hand | night with 1 % of all years |\n|---|--:|--:|--:|\n"
        + "\n".join(rows)
    )


def _nodes(run: Measured) -> list[dict[str, object]]:
    nodes: list[dict[str, object]] = run.report["nodes"]
    return nodes


def _queries(timings: list[Timing]) -> Iterator[str]:
    every = [value for timing in timings for value in timing.milliseconds]
    rows = [
        f"| {timing.name} | {timing.rows:,} | {timing.first_ms:.1f} | {timing.at(0.5):.1f} | {timing.at(0.95):.1f} |"
        for timing in timings
    ]
    rows.append(f"| all together | | | {percentile(every, 0.5):.1f} | {percentile(every, 0.95):.1f} |")
    yield "| query | rows | first run, ms | p50 | p95 |\n|---|--:|--:|--:|--:|\n" + "\n".join(rows)
    for timing in sorted(timings, key=lambda each: -each.at(0.95)):
        if timing.plan:
            yield f"Plan of: {timing.name}\n\n```\n{timing.plan}\n```"
