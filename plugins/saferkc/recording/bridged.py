"""The arithmetic of ``dbt_project/macros/bridging.sql`` on arrays: counts by a new rule, with their 90 % bounds.

The marts compute it in the database; here it is for whole simulations. Both must say the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from saferkc.recording.series import Floats

# the normal distribution's square at the ends of its middle 90 %
Z_SQUARED = 2.7055


@dataclass(frozen=True)
class Bridged:
    """Counts by the new rule and their 90 % bounds, all of one shape."""

    estimate: Floats
    low: Floats
    high: Floats


def bridged(counts: Floats, weight: Floats, low: Floats, high: Floats) -> Bridged:
    """Bridge counts of old classes, shape (…, classes), to one new class; weights have a shape that fits to it.

    The result has the shape of counts without the last axis. Bounds of a year are those of the year's counts.
    """
    estimate = (counts * weight).sum(axis=-1)
    chance = (Z_SQUARED * counts * weight * (1 - weight)).sum(axis=-1)
    below = np.sqrt(chance + ((counts * (weight - low)) ** 2).sum(axis=-1))
    above = np.sqrt(chance + ((counts * (high - weight)) ** 2).sum(axis=-1))
    certain = np.where(low >= 1, counts, 0.0).sum(axis=-1)
    possible = np.where(high > 0, counts, 0.0).sum(axis=-1)
    return Bridged(estimate, np.maximum(certain, estimate - below), np.minimum(possible, estimate + above))


def bridged_difference(now: Floats, before: Floats, weight: Floats, low: Floats, high: Floats) -> Bridged:
    """Bridge the difference of counts by the old rule that share their weights, shapes as in ``bridged``."""
    estimate = ((now - before) * weight).sum(axis=-1)
    # from the ends of the bounds: a weight that came out as 0 would leave no chance at all
    chance = (Z_SQUARED * (now + before) * (low * (1 - low) + high * (1 - high)) / 2).sum(axis=-1)
    rises = now >= before
    below = np.sqrt(chance + (((now - before) * np.where(rises, weight - low, high - weight)) ** 2).sum(axis=-1))
    above = np.sqrt(chance + (((now - before) * np.where(rises, high - weight, weight - low)) ** 2).sum(axis=-1))
    certain, possible = low >= 1, high > 0
    least = np.where(certain, now, 0.0).sum(axis=-1) - np.where(possible, before, 0.0).sum(axis=-1)
    most = np.where(possible, now, 0.0).sum(axis=-1) - np.where(certain, before, 0.0).sum(axis=-1)
    return Bridged(estimate, np.maximum(least, estimate - below), np.minimum(most, estimate + above))


def shares_of_places(counts: Floats) -> Bridged:
    """Estimate which share of an old area's records counts in each new one, with 90 % bounds, each of shape (areas,).

    ``counts`` are records that tell both, shape (places, areas): those of one place go one way together, so a place is
    one observation, and a busy one makes the others count for less (Kish's effective number). Bounds are Wilson's.
    Raises ``ValueError`` where nothing was counted.
    """
    if not counts.sum():
        raise ValueError("nothing was counted: of such an area nobody can say where its records went")
    places = counts.sum(axis=1)
    observations = places.sum() ** 2 / (places**2).sum()
    share = counts.sum(axis=0) / places.sum()
    centre = (observations * share + Z_SQUARED / 2) / (observations + Z_SQUARED)
    half = np.sqrt(Z_SQUARED * (observations * share * (1 - share) + Z_SQUARED / 4)) / (observations + Z_SQUARED)
    return Bridged(share, np.maximum(centre - half, 0), np.minimum(centre + half, 1))


def is_worth_bridging(counts: Floats, weight: Floats, low: Floats, high: Floats) -> npt.NDArray[np.bool_]:
    """Tell whether a bridge of what moved tells more than the figures as recorded, shapes as in ``bridged``.

    ``counts`` are those of a usual month, or year, of the classes that gave. It does where the bounds, half their width
    each way, are no further away than what moved: then the mean error is at most about half of that of the figures as
    recorded, unless hardly anything moved (5 % of a class) and chance made it look like more.
    """
    chance = (Z_SQUARED * counts * weight * (1 - weight)).sum(axis=-1)
    unknown = ((counts * (high - low) / 2) ** 2).sum(axis=-1)
    return np.asarray(chance + unknown <= (counts * weight).sum(axis=-1) ** 2)
