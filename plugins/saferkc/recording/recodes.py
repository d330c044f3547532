"""How large a part of a class counts under another since a month: the shift of its log-share among those concerned.

A class that gives the part w of its records to others keeps 1 - w of its share in all of them, whatever their level
does. The shift of the log-share, log(1 - w), is estimated from the months before and after by a linear mixed model of
the binomial counts (penalised quasi-likelihood): a level, the shift, a season, months that go together, and a share
that drifts by itself from the change on both ways. How much shares drift and scatter is not known; the answers of
many assumptions are weighed by how well each fits. Areas are looked at beside all of them together, which takes out
season and what drifts everywhere; an area that says little leans on the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.special import logsumexp

from saferkc.recording.series import Floats

# the normal distribution at the ends of its middle 90 %
Z = 1.6449
MOST_BEFORE, MOST_AFTER = 48, 24
# a calendar month's own share lies about so far from the year's, on the log scale
_SEASON = 0.1
# a trend of shares a month, this way or that, which nobody knows beforehand
_TREND = 0.003
# What shares may do a month: drift, scatter beyond chance, and for how long a month's scatter goes on: assumptions that
# are weighed against each other. Beside the share of all areas single ones have less to tell, and fewer will do.
_DRIFTS = {0.0: 0.2, 0.004: 0.35, 0.008: 0.3, 0.015: 0.13, 0.03: 0.02}
_SCATTERS = tuple(product((0.02, 0.04, 0.08, 0.15), (0.0, 0.5)))
_DRIFTS_BESIDE = {0.0: 0.2, 0.006: 0.5, 0.015: 0.25, 0.03: 0.05}
_SCATTERS_BESIDE = ((0.0, 0.0), (0.04, 0.3), (0.1, 0.3))
_START_DRIFT, _START_SCATTER = 0.008, 0.03
_ROUNDS = 3
# areas differ in their shift by up to about half of it
_SPREAD, _LEAST_SPREAD = 0.5, 0.02
_NOTHING = 1e6


@dataclass(frozen=True)
class Shift:
    """Shifts of log-shares with their standard errors, each of one shape (one value, or one an area)."""

    size: Floats
    standard_error: Floats

    @property
    def weight(self) -> Floats:
        """The part that moved, 0 to 1."""
        return _weight(self.size)

    @property
    def weight_low(self) -> Floats:
        """Lower end of the 90 % bounds."""
        return _weight(self.size + Z * self.standard_error)

    @property
    def weight_high(self) -> Floats:
        """Upper end of the 90 % bounds."""
        return _weight(self.size - Z * self.standard_error)


def _weight(size: Floats) -> Floats:
    weight: Floats = np.clip(1 - np.exp(size), 0.0, 1.0)
    return weight


def shifts(kept: Floats, concerned: Floats, place: int, *, is_new: bool = False) -> tuple[Shift, Shift]:
    """Estimate the shift of all areas together and of each, shape (areas,).

    ``kept`` is what is counted under the class that gave, ``concerned`` that and all that it gave to, shape (areas,
    months), without NaN; ``place`` is the number of the first month counted in the new way. With ``is_new`` nothing
    was ever counted under what it gave to: then months after alone tell, and the share is that which was kept.

    Raises ``ValueError`` where there is no month after, or less than a year before where it is needed.
    """
    first = place if is_new else max(0, place - MOST_BEFORE)
    last = min(kept.shape[1], place + MOST_AFTER)
    if last <= place or (not is_new and place < 12):
        raise ValueError(f"no shift can be seen at month {place} of {kept.shape[1]}")
    kept, concerned = kept[:, first:last], concerned[:, first:last]
    months = np.arange(first, last)
    model = _Model(months, place, is_new)
    everywhere_kept, everywhere = kept.sum(axis=0, keepdims=True), concerned.sum(axis=0, keepdims=True)
    together = model.fit(everywhere_kept, everywhere, np.zeros((1, len(months))), beside=False)
    all_areas = Shift(together.size[0], together.standard_error[0])
    if len(kept) == 1:
        return all_areas, together
    # beside the share of all areas in the same month; half a record, so that no month is without
    reference = np.log((everywhere_kept + 0.5) / (everywhere + 0.5))
    beside = model.fit(kept, concerned, np.broadcast_to(reference, kept.shape), beside=True)
    own = pooled(beside, abs(float(all_areas.size)))
    return all_areas, Shift(
        all_areas.size + own.size, np.sqrt(all_areas.standard_error**2 + own.standard_error**2)
    )  # fmt: skip


@dataclass(frozen=True)
class _Model:
    months: Floats
    place: int
    is_new: bool

    @property
    def after(self) -> Floats:
        return (self.months >= self.place).astype(float)

    def fit(self, kept: Floats, concerned: Floats, offset: Floats, *, beside: bool) -> Shift:
        """Shifts of rows, shape (R,), from counts of shape (R, months); ``offset`` is what log-shares would be:
        that of all areas, where rows are looked at beside it.
        """
        design = self.after[:, None] if self.is_new else np.column_stack([np.ones(len(self.months)), self.after])
        distance = self.months - self.place + 0.5
        drifting = np.where(
            np.sign(distance)[:, None] == np.sign(distance), np.minimum.outer(np.abs(distance), np.abs(distance)), 0.0
        )
        apart = np.abs(np.subtract.outer(self.months, self.months)).astype(float)
        alike = self.months[:, None] % 12 == self.months % 12
        # season and trend of all areas are in the offset
        steady = (0.0 if beside else 1.0) * (_SEASON**2 * alike + _TREND**2 * np.multiply.outer(distance, distance))
        start = steady + _START_DRIFT**2 * drifting + _START_SCATTER**2 * np.eye(len(self.months))
        share = offset + self._first_share(kept, concerned, offset)
        for _ in range(_ROUNDS):
            response, noise = _working(kept, concerned, share)
            size, _, _, smooth = _solve(response - offset, noise, start, design)
            share = offset + smooth
        response, noise = _working(kept, concerned, share)
        drifts, scatters = (_DRIFTS_BESIDE, _SCATTERS_BESIDE) if beside else (_DRIFTS, _SCATTERS)
        sizes, variances, fits = [], [], []
        for (drift, prior), (scatter, memory) in product(drifts.items(), scatters):
            together = steady + drift**2 * drifting + scatter**2 * memory**apart
            size, variance, fit, _ = _solve(response - offset, noise, together, design)
            sizes.append(size)
            variances.append(variance)
            # all rows have one drift and one scatter
            fits.append(fit.sum() + np.log(prior))
        return _mixed(np.array(sizes), np.array(variances), np.array(fits))

    def _first_share(self, kept: Floats, concerned: Floats, offset: Floats) -> Floats:
        expected = concerned * np.exp(offset)
        result = np.zeros_like(offset)
        for side in (self.after == 1, self.after == 0):
            if side.any():
                ratio = (kept[:, side].sum(axis=1) + 0.5) / (expected[:, side].sum(axis=1) + 0.5)
                result[:, side] = np.log(ratio)[:, None]
        return result


def _working(kept: Floats, concerned: Floats, log_share: Floats) -> tuple[Floats, Floats]:
    """The counts as log-shares about those expected, and the variance that chance gives them."""
    log_share = np.minimum(log_share, -1e-3)
    expected = np.maximum(concerned * np.exp(log_share), 1e-6)
    noise = np.where(concerned > 0, -np.expm1(log_share) / expected, _NOTHING)
    return log_share + np.where(concerned > 0, (kept - expected) / expected, 0.0), noise


def _solve(response: Floats, noise: Floats, together: Floats, design: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Generalised least squares of each row: the last coefficient, its variance, the fit (REML), the smooth response.

    ``response`` and ``noise`` have shape (R, months), ``together`` (months, months), ``design`` (months, columns).
    """
    variance = together + noise[:, :, None] * np.eye(len(design))
    right = np.concatenate([np.broadcast_to(design, (len(response), *design.shape)), response[:, :, None]], axis=2)
    solved = np.linalg.solve(variance, right)
    columns = design.shape[1]
    precision = design.T @ solved[:, :, :columns]
    cross = (design.T @ solved[:, :, columns:])[:, :, 0]
    covariance = np.linalg.inv(precision)
    coefficients: Floats = np.einsum("rij,rj->ri", covariance, cross)
    residual = solved[:, :, columns] - np.einsum("rmc,rc->rm", solved[:, :, :columns], coefficients)
    squares = np.einsum("rm,rm->r", response, residual)
    fit: Floats = -0.5 * (np.linalg.slogdet(variance)[1] + np.linalg.slogdet(precision)[1] + squares)
    smooth = coefficients @ design.T + residual @ together
    return coefficients[:, -1], np.asarray(covariance[:, -1, -1], dtype=np.float64), fit, smooth


def _mixed(sizes: Floats, variances: Floats, fits: Floats) -> Shift:
    """What assumptions (first axis) say together, each weighed by its fit."""
    weights = np.exp(fits - logsumexp(fits))[:, None]
    size = (weights * sizes).sum(axis=0)
    return Shift(size, np.sqrt((weights * (variances + (sizes - size) ** 2)).sum(axis=0)))


def pooled(own: Shift, whole: float) -> Shift:
    """Draw areas' differences from the whole, shape (areas,), towards 0: the more, the less they differ for sure.

    How much areas differ in truth is not known either; the spreads up to the size of ``whole`` are weighed by how
    well they fit.
    """
    scale = _SPREAD * whole + _LEAST_SPREAD
    spreads = scale * np.linspace(0.0, 3.0, 31)[:, None]
    variance = own.standard_error**2 + spreads**2
    fits = -0.5 * (np.log(variance) + own.size**2 / variance).sum(axis=1) - 0.5 * (spreads[:, 0] / scale) ** 2
    drawn = spreads**2 / variance
    return _mixed(drawn * own.size, drawn * own.standard_error**2, fits)


def dual_coded(moved: Floats, counted: Floats) -> tuple[Shift, Shift]:
    """The same from records that were coded both ways: of ``counted`` records ``moved`` count otherwise, (areas,).

    All areas together, and each, drawn towards all together. Raises ``ValueError`` where there is no record.
    """
    if not counted.sum():
        raise ValueError("no record was coded both ways")

    def own(of_them: Floats, records: Floats) -> Shift:
        # half a record each way (Jeffreys), so that none and all are not taken for certain
        kept = (records - of_them + 0.5) / (records + 1)
        return Shift(np.log(kept), np.sqrt((1 - kept) / (kept * (records + 1))))

    together = own(moved.sum(), counted.sum())
    if len(moved) == 1:
        return together, own(moved, counted)
    each = own(moved, counted)
    beside = pooled(Shift(each.size - together.size, each.standard_error), abs(float(together.size)))
    return together, Shift(together.size + beside.size, np.hypot(together.standard_error, beside.standard_error))
