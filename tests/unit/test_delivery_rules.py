"""How much of a delivery may be spoilt before the whole of it is refused."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest
from hypothesis import given
from hypothesis import strategies as st
from saferkc.loading.delivery_rules import check_whole
from saferkc.loading.faults import Refused
from small_contracts import column, small_contract


def is_refused(held: int, quarantined: int, **limits: Any) -> bool:
    contract = small_contract([column("a")], limits={"minimum_rows": 0} | limits)
    connection = MagicMock()
    connection.execute.return_value.fetchone.return_value = None  # nothing was delivered before
    tally = SimpleNamespace(held=held, quarantined=quarantined, faults=Counter({"it is no date": quarantined}), seen={})
    try:
        check_whole(connection, contract, SimpleNamespace(tally=tally, scope="all"), False, 1)  # type: ignore[arg-type]
    except Refused as refusal:
        assert "break the contract" in str(refusal)
        return True
    return False


@pytest.mark.parametrize(("held", "quarantined", "refused"), [(1, 1, False), (2, 2, True), (9, 5, False), (9, 6, True)])
def test_in_a_small_night_a_few_spoilt_rows_say_nothing_of_the_others(
    held: int, quarantined: int, refused: bool
) -> None:
    assert is_refused(held, quarantined, quarantined_share=0.05, quarantined_rows=10) is refused


@given(st.integers(1, 2000), st.integers(0, 2000), st.integers(0, 20))
def test_a_delivery_is_refused_for_its_share_once_more_are_spoilt_than_a_few(
    held: int, quarantined: int, few: int
) -> None:
    quarantined = min(held, quarantined)
    refused = is_refused(held, quarantined, quarantined_share=0.05, quarantined_rows=few)
    by_share = is_refused(held, quarantined, quarantined_share=0.05)
    assert by_share == (quarantined > 0.05 * held)
    if quarantined > few:
        assert refused == by_share
    if refused:
        assert by_share
