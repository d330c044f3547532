"""Wards that are redrawn, in a simulated borough whose records are coded both ways: what their bridge is worth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from saferkc.recording.bridged import bridged, shares_of_places
from saferkc.simulation.area_cases import WARDS, Redrawn, redrawn

SEEDS = range(1000, 1020)
# the kind of offence that the records show, and another whose busy points are its own
SHOWN, OTHER = 0, 1


def weights(borough: Redrawn, *, by_record: bool = False) -> tuple[np.ndarray, ...]:
    """Weights and their bounds, shape (former wards, wards); ``by_record`` takes every record for an observation."""
    found = np.zeros((3, WARDS, WARDS))
    for ward in range(WARDS):
        coded = borough.coded_both_ways(SHOWN, ward)
        if not coded.sum():
            continue
        if by_record:
            coded = np.repeat(np.eye(WARDS), coded.sum(axis=0).astype(int), axis=0)
        share = shares_of_places(coded)
        found[:, ward] = np.where(share.estimate > 0, (share.estimate, share.low, share.high), 0)
    return tuple(found)


def held(borough: Redrawn, kind: int, *, by_record: bool = False) -> tuple[float, float, float]:
    """Share of months within the bounds, mean error, and that of the former ward's own figure."""
    own = weights(borough, by_record=by_record)
    former = borough.by_ward(kind, borough.before)[: borough.place]
    truth = borough.by_ward(kind, borough.after)[: borough.place]
    made = [bridged(former, *(part[:, ward] for part in own)) for ward in range(WARDS)]
    low, estimate, high = (np.stack([getattr(m, name) for m in made], axis=1) for name in ("low", "estimate", "high"))
    is_held = (low <= truth + 1e-9) & (truth <= high + 1e-9)
    return float(is_held.mean()), float(np.abs(estimate - truth).mean()), float(np.abs(former - truth).mean())


@pytest.mark.parametrize("volume", [130, 1300])
def test_bounds_hold_the_truth_and_the_error_is_less_than_half(volume: float) -> None:
    found = np.mean([held(redrawn(seed, volume, moved=0.1), OTHER) for seed in SEEDS], axis=0)
    # wider than 90 % promises: records of one kind are made to speak for all
    assert 0.9 <= found[0] <= 0.99
    assert found[1] < found[2] / 2


def test_records_of_one_point_are_one_observation() -> None:
    """Taken for one each, they would promise more than they know of another kind of offence."""
    boroughs = [redrawn(seed, 1300, moved=0.1) for seed in SEEDS]
    by_record = np.mean([held(borough, OTHER, by_record=True)[0] for borough in boroughs])
    by_place = np.mean([held(borough, OTHER)[0] for borough in boroughs])
    assert by_record < 0.85 < by_place


def test_the_simulation_loses_no_record() -> None:
    borough = redrawn(1, 300)
    for kind in (SHOWN, OTHER):
        total = borough.records[kind].sum(axis=1)
        np.testing.assert_allclose(borough.by_ward(kind, borough.before).sum(axis=1), total)
        np.testing.assert_allclose(borough.by_ward(kind, borough.after).sum(axis=1), total)
    assert (borough.before != borough.after).any()


@given(arrays(float, (6, 3), elements=st.integers(0, 500).map(float)))
def test_shares_of_an_area_add_up_to_one_within_their_bounds(counts: np.ndarray) -> None:
    if not counts.sum():
        with pytest.raises(ValueError, match="nobody can say"):
            shares_of_places(counts)
        return
    found = shares_of_places(counts)
    assert found.estimate.sum() == pytest.approx(1)
    assert (found.low <= found.estimate + 1e-9).all()
    assert (found.estimate <= found.high + 1e-9).all()
    assert (found.low >= 0).all()
    assert (found.high <= 1).all()
