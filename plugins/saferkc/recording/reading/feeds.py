"""Feeds as the detector takes them, one after another: a night reads those that something new came for."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime

from saferkc.contracts import Contract, load_contracts
from saferkc.recording.reading.boroughs import Boroughs, read_boroughs
from saferkc.recording.reading.counts import Cell, count
from saferkc.recording.reading.panels import by_month, panels_of, rates_of
from saferkc.recording.reading.trees import TREES, Tree
from saferkc.recording.reading.window import Window, latest, window
from saferkc.recording.series import Feed
from saferkc.settings import Settings
from saferkc.warehouse.connection import Connection


def read_feeds(
    connection: Connection,
    settings: Settings,
    *,
    only: Collection[str] | None = None,
    months: int | None = None,
) -> Iterator[Feed]:
    """Read the monthly series of each feed that counts something, from raw, as the records stand now.

    ``only`` restricts them to these feeds of the warehouse; ``months`` to so many of the newest whole months. One
    feed of the warehouse may give several: "police_offences" and "police_offences by ward of …". What is simulated
    and what is real never meet. Nothing is yielded for a feed that nothing was delivered for.
    """
    contracts = load_contracts(settings.contracts_dir)
    boroughs = read_boroughs(settings.dbt_project_dir / "seeds")
    for tree in TREES:
        if only is None or tree.feed in only:
            yield from _read(connection, contracts[tree.feed], tree, boroughs, months)


def delivered_since(connection: Connection, moment: datetime | None) -> frozenset[str]:
    """Feeds of the warehouse for which something was admitted since a moment, or ever."""
    rows = connection.execute(
        "select distinct feed from quality.delivery where state = 'admitted'"
        " and (%(since)s::timestamptz is null or finished_at > %(since)s)",
        {"since": moment},
    )
    return frozenset(row[0] for row in rows)


def _read(
    connection: Connection, contract: Contract, tree: Tree, boroughs: Boroughs, length: int | None
) -> Iterator[Feed]:
    seen = window(connection, contract, tree.scope)
    if seen is None:
        return
    since = _since(seen, length)
    cells = count(connection, tree, boroughs, is_simulated=seen.is_simulated, since=since)
    for name, own in _parts(tree, cells).items():
        named = replace(tree, name=name)
        span = latest(seen.months(by_month(own)), length)
        panels = panels_of(named, own, span, seen.covered, _known(contract))
        if panels:
            yield Feed(name, panels, rates=rates_of(named, own, panels[0].areas, span))


def _since(seen: Window, length: int | None) -> date | None:
    if length is None:
        return None
    number = seen.last.year * 12 + seen.last.month - length
    return date(number // 12, number % 12 + 1, 1)


def _parts(tree: Tree, cells: list[Cell]) -> Mapping[str, list[Cell]]:
    """The cells of each feed that a tree gives: one, or one an area."""
    if not tree.by_area:
        return {tree.name: cells}
    areas = sorted({cell.area for cell in cells})
    return {f"{tree.name} of {area}": [cell for cell in cells if cell.area == area] for area in areas}


def _known(contract: Contract) -> frozenset[str]:
    """Labels that the contract lists as known, whichever column they are of."""
    return frozenset(label for column in contract.columns for rule in column.quality for label in rule.valid_values)
