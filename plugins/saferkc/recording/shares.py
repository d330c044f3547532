"""Moves between the classes of one whole: one gains what another loses, in the same month, and the whole is level.

For two classes the steps at a month are explained in five ways: nothing, only the first, only the second, both in
proportion (crime rose or fell), or so many a month moved from one to the other. A move is believed where it explains
the steps better than each of the other four by a margin. With one more free choice than "nothing" and as many as the
others, the margin is a difference of chi-squares: 12 means that the next best explanation is e^6 times less likely.
A move may also be believed beside a real rise or fall of both, at the price of one more free choice, as long as one
class rises and the other falls.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from saferkc.recording.series import Floats
from saferkc.recording.steps import AFTER, LEAST_BEFORE, Steps, restlessness, step_at

# a move must itself agree with what is seen: 1 % point of chi-square with one degree of freedom
_AGREES = 6.63
# 95 % point: months that explain the steps almost as well belong to the interval
_INTERVAL = 3.84
# so near to each other two moves of one pair are one
ONE_MOVE_MONTHS = 6
# what a second free choice costs, and how clearly each class must go its own way then, in standard errors
_SECOND_CHOICE, _OWN_WAY = 3.84, 2.0


@dataclass(frozen=True)
class Move:
    """So many a month moved from class ``loser`` to class ``gainer`` (numbers of children) in row ``row``.

    ``place`` is the first month, ``earliest`` and ``latest`` its interval, as numbers of months. ``margin`` is by how
    much a move explains the steps better than anything else. ``gained`` and ``lost`` are the steps of the two, as they
    are; ``level_t`` is the step of both together in standard errors: what is left for a real rise or fall.
    """

    row: int
    gainer: int
    loser: int
    place: int
    earliest: int
    latest: int
    moved: float
    standard_error: float
    share_of_loser: float
    gained: float
    lost: float
    margin: float
    level_t: float
    after: int


@dataclass(frozen=True)
class Scan:
    """Margins of all pairs at all months that were looked at, shape (months, R, pairs); -inf where no move agrees."""

    places: tuple[int, ...]
    first: npt.NDArray[np.intp]
    second: npt.NDArray[np.intp]
    margins: Floats
    moved: Floats
    steps: tuple[Steps, ...]


def scan(counts: Floats, since: int, *, beside_level: bool = False) -> Scan | None:
    """Look for moves between any two classes at each month from number ``since`` on.

    ``counts`` has shape (R, K, months), without NaN. ``beside_level`` believes moves beside a real rise or fall, too.
    None where there is nothing to look at.
    """
    first, second = np.triu_indices(counts.shape[1], 1)
    places = tuple(range(max(since, LEAST_BEFORE), counts.shape[2]))
    if not first.size or not places:
        return None
    drift = restlessness(counts)
    all_steps, margins, moved = [], [], []
    for place in places:
        steps = step_at(counts, place, drift)
        if steps is None:
            raise AssertionError("a month of the scan has a year before it")
        margin, size = _margins(steps, first, second, beside_level=beside_level)
        all_steps.append(steps)
        margins.append(margin)
        moved.append(size)
    return Scan(places, first, second, np.array(margins), np.array(moved), tuple(all_steps))


def _margins(
    steps: Steps, first: npt.NDArray[np.intp], second: npt.NDArray[np.intp], *, beside_level: bool
) -> tuple[Floats, Floats]:
    """By how much a move explains the steps better than the rest, and the move from second to first, (R, pairs).

    What an explanation leaves unexplained is the chi-square of that combination of the two steps of which it says
    that it is nothing: of the second alone where only the first changed, of their sum where offences moved.
    """
    a, b = steps.size[:, first], steps.size[:, second]
    var_a, var_b = steps.covariance[:, first, first], steps.covariance[:, second, second]
    cov = steps.covariance[:, first, second]
    level_a = np.maximum(steps.expected[:, first], 0.5)
    level_b = np.maximum(steps.expected[:, second], 0.5)
    var_both = np.maximum(var_a + var_b + 2 * cov, 1e-12)
    left_by_move = (a + b) ** 2 / var_both
    chi_a, chi_b = a**2 / var_a, b**2 / var_b
    in_proportion = (level_b * a - level_a * b) ** 2 / np.maximum(
        level_b**2 * var_a + level_a**2 * var_b - 2 * level_a * level_b * cov, 1e-12
    )
    # nothing at all leaves more than each of these
    left_by_others = np.minimum(np.minimum(chi_a, chi_b), in_proportion)
    moved = (a * (var_b + cov) - b * (var_a + cov)) / var_both
    margin = np.where(left_by_move <= _AGREES, left_by_others - left_by_move, -np.inf)
    if beside_level:
        apart = (a * b < 0) & (np.minimum(chi_a, chi_b) >= _OWN_WAY**2)
        with_level = np.where(apart, left_by_others - _SECOND_CHOICE, -np.inf)
        # with a level change l in proportion and m moved: a = m + l level_a, b = l level_b - m
        level = (a + b) / (level_a + level_b)
        moved = np.where(with_level > margin, a - level * level_a, moved)
        margin = np.maximum(margin, with_level)
    return margin, moved


def moves(found: Scan, threshold: Floats) -> Iterator[Move]:
    """Yield the moves whose margin reaches ``threshold``, shape (months, R), best first within each row."""
    beyond = found.margins - threshold[:, :, None]
    for row in range(beyond.shape[1]):
        left = beyond[:, row].copy()
        while left.size and left.max() >= 0:
            number, pair = np.unravel_index(int(left.argmax()), left.shape)
            yield _move(found, row, int(number), int(pair))
            near = [n for n, place in enumerate(found.places) if abs(place - found.places[number]) < ONE_MOVE_MONTHS]
            alike = [
                p
                for p in range(left.shape[1])
                if {found.first[p], found.second[p]} & {found.first[pair], found.second[pair]}
            ]
            left[np.ix_(near, alike)] = -np.inf


def _move(found: Scan, row: int, number: int, pair: int) -> Move:
    margins = found.margins[:, row, pair]
    low = high = number
    while low > 0 and margins[low - 1] >= margins[number] - _INTERVAL:
        low -= 1
    while high + 1 < len(margins) and margins[high + 1] >= margins[number] - _INTERVAL:
        high += 1
    moved, steps = float(found.moved[number, row, pair]), found.steps[number]
    gainer, loser = int(found.first[pair]), int(found.second[pair])
    if moved < 0:
        gainer, loser = loser, gainer
    both = steps.size[row, gainer] + steps.size[row, loser]
    cov = steps.covariance[row]
    between = cov[gainer, gainer] + cov[loser, loser]
    # the two are about equally sure of the move: its error is that of half their difference
    error = float(np.sqrt(max(between - 2 * cov[gainer, loser], 1e-12))) / 2
    return Move(
        row=row, gainer=gainer, loser=loser, place=found.places[number],
        earliest=found.places[low], latest=found.places[high],
        moved=abs(moved), standard_error=error,
        share_of_loser=abs(moved) / max(float(steps.expected[row, loser]), 0.5),
        gained=float(steps.size[row, gainer]), lost=-float(steps.size[row, loser]), margin=float(margins[number]),
        level_t=float(both / np.sqrt(max(between + 2 * cov[gainer, loser], 1e-12))),
        after=min(found.steps[number].after, AFTER),
    )  # fmt: skip
