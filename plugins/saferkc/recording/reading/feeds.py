"""Feeds as the detector takes them, one after another: a night reads those that something new came for."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date

from saferkc.contracts import Contract, load_contracts
from saferkc.privacy.showing import hidden_codes
from saferkc.recording.months import months_before, months_between
from saferkc.recording.reading.beside import SISTERS, restated_by, sisters_of
from saferkc.recording.reading.boroughs import borough_names, read_boroughs
from saferkc.recording.reading.counts import Cell, count
from saferkc.recording.reading.lag import lag_of
from saferkc.recording.reading.panels import by_month, panels_of, rates_of
from saferkc.recording.reading.trees import TREES, Tree
from saferkc.recording.reading.window import Window, latest, window
from saferkc.recording.series import Feed, Floats, Panel
from saferkc.settings import Settings
from saferkc.warehouse.connection import Connection

# the feeds of the warehouse that count something
FEEDS = tuple(dict.fromkeys(tree.feed for tree in TREES))


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
    reader = _Reader(connection, settings, months)
    for tree in TREES:
        if only is None or tree.feed in only:
            yield from reader.feeds(tree)


# names of wards that are published
_PLACES = """
select ward_name from raw.reference_lsoa_ward where ward_name is not null
union
select ward_name from raw.mps_recorded_crime where ward_name is not null
"""


class _Reader:
    """One look: what is counted once is kept for the feeds that it stands beside."""

    def __init__(self, connection: Connection, settings: Settings, length: int | None) -> None:
        self._connection, self._length = connection, length
        self._contracts = load_contracts(settings.contracts_dir)
        self._boroughs = read_boroughs(settings.dbt_project_dir)
        self._names = borough_names(settings.dbt_project_dir / "seeds")
        self._key = settings.secret("row_token_key")
        self._plain: dict[str, tuple[tuple[Feed, ...], Window | None]] = {}

    def feeds(self, tree: Tree) -> Iterator[Feed]:
        """The feeds of a tree with all that stands beside them."""
        feeds, seen = self._read(tree)
        if seen is None:
            return
        earlier = self._earlier(tree, seen)
        for feed in feeds:
            lag = None
            if not tree.by_area:
                lag = lag_of(
                    self._connection, self._contracts[tree.feed], len(feed.panels[0].areas), feed.months,
                    is_simulated=seen.is_simulated,
                )  # fmt: skip
            beside = self._beside(feed, seen)
            yield replace(
                feed,
                sisters=beside,
                same_records=frozenset(name for name, _ in beside.values()),
                rates=(*feed.rates, *((lag,) if lag else ())),
                earlier=earlier.get(feed.name, ()),
            )

    def _read(self, tree: Tree) -> tuple[tuple[Feed, ...], Window | None]:
        """The feeds of a tree without what stands beside them; none where nothing was delivered."""
        if tree.name not in self._plain:
            seen = window(self._connection, self._contracts[tree.feed], tree.scope)
            feeds: list[Feed] = []
            if seen is not None:
                cells = count(
                    self._connection, tree, self._boroughs, is_simulated=seen.is_simulated, since=self._since(seen)
                )
                for named, own in _parts(tree, cells):
                    months = latest(seen.months(by_month(own)), self._length)
                    panels = panels_of(named, own, months, seen.covered, _known(self._contracts[tree.feed]))
                    if panels:
                        rates = rates_of(named, own, panels[0].areas, months)
                        feeds.append(
                            Feed(
                                named.name, panels, rates=rates, everything=tree.everything, area_names=self._names,
                                hidden=self._hidden(tree, panels),
                            )
                        )  # fmt: skip
            self._plain[tree.name] = tuple(feeds), seen
        return self._plain[tree.name]

    def _hidden(self, tree: Tree, panels: Sequence[Panel]) -> Mapping[str, str]:
        contract = self._contracts[tree.feed]
        columns = [column for column in contract.columns if column.name in tree.label_columns]
        labels = {label for panel in panels for label in (panel.parent, *panel.children)} - set(tree.own_words)
        places = _PLACES if tree.dimension == "place" else None
        known = [row[0] for row in self._connection.execute(places)] if places else []
        return hidden_codes(columns, labels, self._key, known)

    def _since(self, seen: Window) -> date | None:
        if self._length is None:
            return None
        return months_before(seen.last, self._length - 1)

    def _beside(self, feed: Feed, seen: Window) -> Mapping[str, tuple[str, Floats]]:
        for sister in SISTERS:
            if sister.feed != feed.name:
                continue
            read = [self._read(tree) for tree in TREES if tree.name in sister.others]
            # what is simulated says nothing of what is real
            others = [feeds[0] for feeds, other in read if feeds and other and other.is_simulated == seen.is_simulated]
            if len(others) == len(sister.others):
                return sisters_of(feed, sister, others)
        return {}

    def _earlier(self, tree: Tree, seen: Window) -> Mapping[str, tuple[Panel, ...]]:
        """The panels of each feed as they were before history was last restated; none where it was not."""
        before = restated_by(self._connection, tree.feed, is_simulated=seen.is_simulated)
        if before is None:
            return {}
        cells = count(
            self._connection, tree, self._boroughs,
            is_simulated=seen.is_simulated, since=self._since(seen), before=before,
        )  # fmt: skip
        found = {}
        for named, own in _parts(tree, cells):
            there = by_month(own)
            if there:
                months = months_between(min(there), max(there))
                found[named.name] = panels_of(named, own, months, frozenset(there))
        return found


def _parts(tree: Tree, cells: list[Cell]) -> Iterator[tuple[Tree, list[Cell]]]:
    """The cells of each feed that a tree gives: one, or one an area."""
    if not tree.by_area:
        yield tree, cells
        return
    for area in sorted({cell.area for cell in cells}):
        yield replace(tree, name=f"{tree.name} of {area}"), [cell for cell in cells if cell.area == area]


def _known(contract: Contract) -> frozenset[str]:
    """Labels that the contract lists as known, whichever column they are of."""
    return frozenset(label for column in contract.columns for rule in column.quality for label in rule.valid_values)
