"""Nights in any order against a plain model: what stands, what was known on any day, what was held at any time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from extracts_helpers import (
    CASES,
    DELETED,
    REFERRALS,
    SOURCE,
    Extract,
    Model,
    Record,
    contract,
    only_once,
    with_feeds,
)
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule
from hypothesis.stateful import run_state_machine_as_test as run
from loading_helpers import assert_accounts, drop, wipe
from saferkc.landing import receive
from saferkc.loading import load_arrivals
from saferkc.settings import Settings
from saferkc.warehouse.connection import connect

FIRST = datetime(2017, 4, 1)
NUMBERS = st.integers(1, 4)
# few values, so that a record often goes back to what it was
RECORDS: st.SearchStrategy[Record] = st.tuples(st.sampled_from(["open", "closed", DELETED]), st.sampled_from(["", "x"]))
WHOLE = st.dictionaries(NUMBERS, RECORDS, max_size=4)


@pytest.fixture(scope="module")
def two_feeds(
    new_warehouse: Any, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    folder = tmp_path_factory.mktemp("extracts")
    with new_warehouse(folder, template_database) as own:
        yield with_feeds(own, folder / "project", contract(CASES, "changes"), contract(REFERRALS, "full"))


class Nights(RuleBasedStateMachine):
    """An agency takes extracts day by day; they arrive in any order, some twice, some judged again."""

    feed = CASES
    home: Settings
    waiting: Bundle[Extract] = Bundle("waiting")
    sent: Bundle[Extract] = Bundle("sent")

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.taken = FIRST
        self.held: dict[datetime, dict[int, Record]] = {}

    @initialize()
    def begin(self) -> None:
        wipe(self.home)
        self.connection = connect(self.home, autocommit=True)

    @rule(target=waiting, content=WHOLE, spoilt=st.sets(NUMBERS, max_size=1), days=st.integers(1, 2))
    def take_an_extract(self, content: dict[int, Record], spoilt: set[int], days: int) -> Extract:
        self.taken += timedelta(days=days)
        return Extract(self.feed, self.taken, content, frozenset(spoilt - content.keys()))

    @rule(target=waiting, before=sent, content=WHOLE)
    def correct_an_extract(self, before: Extract, content: dict[int, Record]) -> Extract:
        """Taken again later on the same day, as its name says."""
        return Extract(self.feed, before.taken + timedelta(minutes=70), content)

    @rule(target=sent, extract=consumes(waiting))
    def arrive(self, extract: Extract) -> Extract:
        self._deliver(extract)
        return extract

    @rule(extract=sent)
    def arrive_again(self, extract: Extract) -> None:
        self._deliver(extract)

    @rule(target=sent, first=consumes(waiting), second=consumes(waiting))
    def arrive_together(self, first: Extract, second: Extract) -> Extract:
        if first.name == second.name:  # in one inbox the second would take the place of the first
            self._deliver(second)
            self._deliver(first)
        else:
            self._deliver(second, first)
        return first

    @invariant()
    def stands_what_should(self) -> None:
        days = {extract.taken.date() for extract in self.model.arrived}
        days |= {day - timedelta(days=1) for day in days}
        standing = self._records(f"raw.{self.feed}", "withdrawn_delivery_id is null")
        known = {date.max: standing} | self._each(f"raw.{self.feed}_as_known_on(asked)", sorted(days))
        for day, found in known.items():
            expected, unread = self.model.known_on(day), self.model.unread_on(day)
            assert found.keys() - unread == expected.keys() - unread, day
            assert all(found[number] == expected[number] for number in found.keys() - unread), day

    def teardown(self) -> None:
        held = self._each(f"raw.{self.feed}_as_held_at(asked)", list(self.held))
        assert held == self.held
        assert_accounts(self.home)
        self.connection.close()

    def _deliver(self, *extracts: Extract) -> None:
        for extract in extracts:
            drop(self.home, extract.name, extract.content, SOURCE)
        loaded = load_arrivals(self.home, self.feed, receive(self.home, self.feed))
        assert not loaded.refused
        for extract in sorted(extracts, key=lambda e: e.taken):  # the order of loading
            self.model.receive(extract)
        ((now,),) = self.connection.execute("select clock_timestamp()").fetchall()
        self.held[now] = self._records(f"raw.{self.feed}", "withdrawn_delivery_id is null")

    def _records(self, table: str, where: str) -> dict[int, Record]:
        query = f"select case_id::int, status, coalesce(note, '') from {table} where {where}"
        return only_once((number, (status, note)) for number, status, note in self.connection.execute(query.encode()))

    def _each(self, function: str, asked: Sequence[object]) -> dict[Any, dict[int, Record]]:
        """What a function answers to each argument, in one query."""
        query = f"select asked, case_id::int, status, coalesce(note, '') from unnest(%s) as asked, {function}"
        rows = self.connection.execute(query.encode(), [asked]).fetchall() if asked else []
        return {
            value: only_once((number, (status, note)) for at, number, status, note in rows if at == value)
            for value in asked
        }


@pytest.mark.parametrize("feed", [CASES, REFERRALS])
def test_whatever_the_order_of_arrival_the_warehouse_says_what_the_extracts_mean(
    two_feeds: Settings, feed: str
) -> None:
    def machine() -> Nights:
        nights = Nights()
        nights.feed, nights.home = feed, two_feeds
        return nights

    run(
        machine,
        settings=hypothesis_settings(
            max_examples=20,
            stateful_step_count=15,
            phases=[Phase.explicit, Phase.generate],  # a failing run is short as it is, and shrinking takes minutes
            suppress_health_check=list(HealthCheck),
            deadline=None,
        ),
    )
