"""The figures of the warehouse's benchmark as Markdown, ready for README.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from measuring import Measured, is_quiet, machine
from queries import Timing, percentile

if TYPE_CHECKING:
    from warehouse import Figures

_SLOWEST_MODELS = 12


def report(figures: Figures, nights: Mapping[str, str]) -> str:
    """Return machine and versions, then the tables of building, of the slowest models, and of the queries.

    Of a run that broke off they hold what was measured before.
    """
    parts = ["; ".join(f"{what} {value}" for what, value in (machine() | figures.versions).items()) + "."]
    parts.append(_size(figures))
    if "full: models" in figures.runs:
        parts += [_building(figures, nights), _slowest(figures)]
    if figures.queries:
        parts += _queries(figures.queries)
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
    compared = (
        f"{len(figures.tables)} tables with {sum(figures.tables.values()):,} rows compared with the hand-written ones"
        f" after the full build and the nights: {equal}."
        if figures.tables
        else "No table was compared: the run broke off before."
    )
    return (
        f"{figures.years} years, {figures.scale} boroughs: {sum(figures.rows.values()):,} raw rows ({rows}). {compared}"
    )


def _building(figures: Figures, nights: Mapping[str, str]) -> str:
    runs = figures.runs

    def seconds(name: str) -> float | None:
        return runs[name].seconds if name in runs else None

    by_hand, full = seconds("by hand"), runs["full: models"].seconds
    parts = [part for part in ("models", "tests", "publish") if f"full: {part}" in runs]
    whole = sum(runs[f"full: {part}"].seconds for part in parts)
    lines = [
        "| | records changed | models, seconds | times by hand | share of the full build | tests | publishing"
        " | all, share of the full |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
        f"| hand-written SQL, all tables anew | | {_number(by_hand, 1)} | 1.00 | | | | |",
    ]
    built = {
        name: title
        for name, title in ({"full": "full build by dbt"} | dict(nights)).items()
        if f"{name}: models" in runs
    }
    for name, title in built.items():
        models = runs[f"{name}: models"].seconds
        taken = [seconds(f"{name}: {part}") for part in parts]
        everything = None if None in taken else sum(value or 0.0 for value in taken) / whole
        changed = f"{figures.corrected[name]:,}" if name in figures.corrected else ""
        lines.append(
            f"| {title} | {changed} | {models:.1f} | {_number(models / by_hand if by_hand else None, 2)}"
            f" | {models / full:.3f} | {_number(seconds(f'{name}: tests'), 1)}"
            f" | {_number(seconds(f'{name}: publish'), 1)} | {_number(everything, 3)} |"
        )
    reading = ", ".join(f"{runs[f'{name}: models'].report['before_the_first_node']:.1f}" for name in built)
    return "\n".join(lines) + (
        f"\n\nOf the seconds of models, dbt reads the project before it begins with the first: {reading}."
    )


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _slowest(figures: Figures) -> str:
    """The slowest models of the full build and of the night that is to be measured by its aim."""

    def seconds(name: str) -> dict[str, float]:
        if name not in figures.runs:
            return {}
        return {str(node["name"]): float(str(node["seconds"])) for node in _nodes(figures.runs[name])}

    full, night, spread = seconds("full: models"), seconds("recent: models"), seconds("spread: models")
    hand = figures.runs["by hand"].report["statements"] if "by hand" in figures.runs else {}
    slowest = sorted(full, key=lambda each: -full[each])[:_SLOWEST_MODELS]
    slowest += [name for name in sorted(night, key=lambda each: -night[each])[:_SLOWEST_MODELS] if name not in slowest]
    rows = []
    for name in slowest:
        own = sum(value for words, value in hand.items() if f" {name} " in f"{words} ")
        by_hand = f"{own:.1f}" if own else "left to dbt" if hand else ""
        rows.append(
            f"| {name} | {full.get(name, 0.0):.1f} | {by_hand} | {_number(night.get(name), 1)}"
            f" | {_number(spread.get(name), 1)} |"
        )
    return (
        "| slowest models | full build, seconds | by hand | night with 1 % of the last three months"
        " | night with 1 % of all years |\n|---|--:|--:|--:|--:|\n"
    ) + "\n".join(rows)


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
