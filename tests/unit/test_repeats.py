"""Rows that repeat one of the same document are numbered exactly, however the document falls into blocks."""

from __future__ import annotations

from collections import Counter

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from saferkc.loading import repeats
from saferkc.loading.repeats import Repeats

blocks_of_hashes = st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=12), max_size=8)


@given(blocks_of_hashes)
def test_equal_hashes_are_numbered_in_their_order_through_all_blocks(blocks: list[list[str]]) -> None:
    met: Counter[str] = Counter()
    numbering = Repeats()
    for block in blocks:
        expected = []
        for value in block:
            met[value] += 1
            expected.append(met[value])
        assert numbering.number(pl.Series("row_hash", block, dtype=pl.String)).to_list() == expected


@given(blocks_of_hashes)
def test_a_key_of_an_earlier_block_is_noticed(blocks: list[list[str]]) -> None:
    met: set[str] = set()
    keys = Repeats()
    for block in blocks:
        assert keys.meets_again(pl.Series(block, dtype=pl.String)) == bool(met & set(block))
        met |= set(block)


def test_what_would_take_too_much_memory_is_left_to_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeats, "MOST_REMEMBERED", 3)
    numbering = Repeats()
    numbering.number(pl.Series(["a", "b"]))
    assert not numbering.overflowed
    numbering.number(pl.Series(["c", "d"]))
    assert numbering.overflowed
    assert not numbering._times
    assert numbering.number(pl.Series(["a", "a"])).to_list() == [1, 2]
