"""Steps in monthly counts: how far the months after a date lie from what the months before let one expect.

A step is estimated in a window of up to three years before and one year after: level, season and step, while the
level drifts as crime does (a random walk, and a trend that is not known beforehand; generalised least squares). On
the scale of counts estimates are additive, so the steps of all classes add up to that of their whole, which is what
tells a move between classes from a rise of one. The covariance comes from the window's own residuals, never below
that of a Poisson count (overdispersion can only widen it), and is widened for months that go together.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from saferkc.recording.series import Floats

BEFORE, AFTER = 36, 12
# with less than a year before, a step can't be told from a season
LEAST_BEFORE = 12
# How much a class of crime drifts by itself: 1 % a month this way or that, and a trend of 0.6 % a month either way.
# An assumption about crime and not about a file: the simulated cases drift less, real ones at times more.
_DRIFT, _TREND = 0.01, 0.006
# drifts beside the noise of a month, as they are distinguished
_RESTLESSNESS = np.array([0.0, 0.03, 0.06, 0.12, 0.25, 0.5, 1.0])
# residuals of a window say only roughly how series go together: correlations are drawn towards 0 by this many months
_PRIOR_MONTHS = 10.0
_MOST_AUTOCORRELATION = 0.6


@dataclass(frozen=True)
class Steps:
    """Steps of K series in R rows: ``size`` and ``expected`` (what was to be expected a month), shape (R, K).

    ``covariance`` of the sizes has shape (R, K, K); ``after`` is the number of months behind the step.
    """

    size: Floats
    expected: Floats
    covariance: Floats
    after: int

    @property
    def t(self) -> Floats:
        """Sizes in units of their standard error, shape (R, K)."""
        return self.size / self.standard_error

    @property
    def standard_error(self) -> Floats:
        """Standard errors of the sizes, shape (R, K)."""
        variance: Floats = np.einsum("rkk->rk", self.covariance)
        return np.sqrt(variance)


def restlessness(counts: Floats) -> float:
    """How much series drift a month beside the noise of a month: one number for all of ``counts``, (R, K, months).

    The noise is that of differences between years, by their median so that a step doesn't count, and at least Poisson.
    """
    level = counts.mean(axis=2)
    if counts.shape[2] > 2 * LEAST_BEFORE:
        differences = np.diff(counts[:, :, LEAST_BEFORE:] - counts[:, :, :-LEAST_BEFORE], axis=2)
        # the difference of two differences has four times the variance; 1.48 makes a median a standard deviation
        noise = 1.4826 / 2 * np.median(np.abs(differences), axis=2)
    else:
        noise = np.sqrt(level)
    there = level >= 1
    if not there.any():
        return 0.0
    ratio = float(np.median(_DRIFT * level[there] / np.maximum(noise[there], np.sqrt(level[there]))))
    return float(_RESTLESSNESS[np.abs(_RESTLESSNESS - ratio).argmin()])


@lru_cache(maxsize=4096)
def _operator(before: int, after: int, drift: float) -> tuple[Floats, Floats, float, int]:
    """The step as weights of the window's months, the map to white residuals, the step's variance, and freedom.

    The variance is in units of a month's noise, freedom the residuals' degrees of freedom.
    """
    months = np.arange(before + after)
    columns = [np.ones(before + after), (months >= before).astype(float)]
    if before >= BEFORE:
        # one effect for each calendar month: the peak of a Carnival August is no wave
        columns += [(months % 12 == number).astype(float) for number in range(1, 12)]
    elif before >= 24:
        columns += [np.cos(2 * np.pi * months / 12), np.sin(2 * np.pi * months / 12)]
    design = np.column_stack(columns)
    centred = months - months.mean()
    trend = drift * _TREND / _DRIFT
    noise = np.eye(len(months)) + drift**2 * np.minimum.outer(months, months) + trend**2 * np.outer(centred, centred)
    whitener = np.linalg.inv(np.linalg.cholesky(noise))
    white = whitener @ design
    inverse = np.linalg.pinv(white)
    residual_map = (np.eye(len(months)) - white @ inverse) @ whitener
    variance = float(np.linalg.pinv(white.T @ white)[1, 1])
    return inverse[1] @ whitener, np.ascontiguousarray(residual_map.T), variance, len(months) - design.shape[1]


def step_at(counts: Floats, place: int, drift: float = 0.0, *, poisson: bool = True) -> Steps | None:
    """Estimate the steps at month number ``place`` of ``counts``, shape (R, K, months), that hold no NaN.

    ``drift`` is the ``restlessness`` of the series. ``poisson`` is False for values that are no counts: then there is
    no least variance. None where there are too few months before.
    """
    before, after = min(place, BEFORE), min(counts.shape[2] - place, AFTER)
    if before < BEFORE:
        before = before if before < 24 else 24
    if before < LEAST_BEFORE or after < 1:
        return None
    window = counts[:, :, place - before : place + after]
    weights, residual_map, step_variance, freedom = _operator(before, after, drift)
    size = window @ weights
    residuals = window @ residual_map
    squares = np.maximum(np.einsum("rkm,rkm->rk", residuals, residuals), 1e-12)
    variance = squares / freedom
    if poisson:
        variance = np.maximum(variance, np.maximum(window.sum(axis=2) / (before + after), 0.5))
    error = np.sqrt(variance * step_variance * _together(residuals, squares, after))
    covariance = error[:, :, None] * error[:, None, :] * _correlation(residuals, squares)
    return Steps(size, window[:, :, before:].sum(axis=2) / after - size, covariance, after)


def _together(residuals: Floats, squares: Floats, after: int) -> Floats:
    """By how much autocorrelation widens a variance, shape (R, K); one month alone goes together with nothing."""
    lag_one = np.einsum("rkm,rkm->rk", residuals[:, :, 1:], residuals[:, :, :-1]) / squares
    lag_one = np.minimum(np.maximum(lag_one, 0.0), _MOST_AUTOCORRELATION)
    widened: Floats = 1 + 2 * lag_one / (1 - lag_one) * (1 - 1 / after)
    return widened


def _correlation(residuals: Floats, squares: Floats) -> Floats:
    months = residuals.shape[2]
    unit = residuals / np.sqrt(squares)[:, :, None]
    found: Floats = unit @ unit.transpose(0, 2, 1) * (months / (months + _PRIOR_MONTHS))
    diagonal = np.arange(found.shape[1])
    found[:, diagonal, diagonal] = 1.0
    return found


def filled(counts: Floats) -> Floats:
    """Counts with NaN replaced by the mean of the same calendar month in the years around it, or of all months.

    Only so that a window has no hole: a month that was filled is never reported on. Shape (R, K, months).
    """
    if not np.isnan(counts).any():
        return counts
    result = counts.copy()
    for row, child, month in np.argwhere(np.isnan(counts)):
        alike = counts[row, child, month % 12 :: 12]
        near = alike[max(0, month // 12 - 2) : month // 12 + 3]
        near = near[~np.isnan(near)]
        own = counts[row, child][~np.isnan(counts[row, child])]
        result[row, child, month] = near.mean() if near.size else (own.mean() if own.size else 0.0)
    return result
