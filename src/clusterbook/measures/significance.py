"""Significance of location quotients: is a quotient high, or is it the noise of few plants?

Four answers to different questions. ``standardised_quotient`` and ``bootstrap_cutoffs``: is the region exceptional
among all regions of the industry? ``dartboard_test``, ``dartboard_simulation`` and ``binomial_test``: could plants
thrown at random have done it? ``quotient_interval``: how uncertain is the quotient? ``shrunk_quotient``: what is the
best guess at it? Testing R x I cells at 5% finds 5% of them where there is nothing: adjust with
``benjamini_hochberg``.

Gaps, in all of them: NaN (a suppressed cell) makes what depends on it NaN, and so does a region or an industry with
nothing in it.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from clusterbook.errors import ClusterbookError
from clusterbook.measures.concentration import (
    column_shares,
    reference_shares,
    require_known,
    size_columns,
)
from clusterbook.measures.specialisation import known_totals, log_quotient

Floats = NDArray[np.float64]
Alternative = Literal["greater", "less", "two-sided"]

_ALTERNATIVES = ("greater", "less", "two-sided")
#: Regions that need to have an industry before its logarithms are standardised.
_FEWEST_LOGS = 20


def standardised_quotient(lq: ArrayLike, *, log: bool = False) -> Floats:
    """Return how many standard deviations a quotient is above the mean of its industry over regions.

    Args:
        lq: location quotients, shape (R, I).
        log: standardise logarithms, of the quotients above 0 only, which are nearer to a normal distribution.

    Returns:
        Shape (R, I), standard deviation with divisor n - 1. A quotient of 0 has no logarithm and is minus infinity.
        NaN for industries with a NaN, without variation or, in logarithms, with fewer than 20 quotients above 0.
        Beyond 1.96 has been called exceptional; by construction some regions are, in every industry.

    Raises:
        ClusterbookError: lq is not a two-dimensional array, or negative.

    Example:
        >>> standardised_quotient([[0.0], [3.5], [1.0], [0.25], [0.25]]).round(4).ravel()
        array([-0.6911,  1.7277,  0.    , -0.5183, -0.5183])

    Source: O'Donoghue and Gleave (2004), A note on methods for measuring industrial agglomeration, Regional Studies 38.
    """
    values = size_columns(lq, "regions")
    if not log:
        return _standardised(values, np.ones_like(values), np.ones(values.shape[1], bool))
    present = values > 0
    enough = present.sum(axis=0) >= _FEWEST_LOGS
    logs = _standardised(
        np.where(present, log_quotient(np.where(present, values, 1)), 0.0), present.astype(np.float64), enough
    )
    nothing = np.where(np.isnan(logs), np.nan, -np.inf)
    result = np.where(present, logs, nothing)
    result[:, np.isnan(values).any(axis=0)] = np.nan
    return result


def _standardised(values: Floats, counted: Floats, defined: NDArray[np.bool_]) -> Floats:
    """Standardise columns by mean and deviation of the values that are counted (1, not 0)."""
    n = counted.sum(axis=0)
    mean = (values * counted).sum(axis=0) / np.maximum(n, 1)
    deviation = values - mean
    spread = np.sqrt((deviation**2 * counted).sum(axis=0) / np.maximum(n - 1, 1))
    varies = defined & (n > 1) & (spread > 1e-12 * np.maximum(np.abs(mean), 1e-300))
    return np.asarray(deviation / np.where(varies, spread, np.nan))


class Cutoffs(NamedTuple):
    """The value beyond which a region is exceptional, and its confidence interval; each (I,)."""

    cutoff: Floats
    low: Floats
    high: Floats


def bootstrap_cutoffs(z: ArrayLike, *, level: float = 0.95, confidence: float = 0.95) -> Cutoffs:
    """Return what the bootstrap's cut-off would be after endlessly many resamples, industry by industry.

    The bootstrap draws R of the R values with replacement, takes the k-th smallest, k = ceil(level R), and averages
    over resamples. That order statistic has a known law: it is at most the j-th smallest of the values with
    probability P(Binomial(R, j / R) >= k). So the mean and the interval need no resampling.

    Args:
        z: standardised (or plain) quotients, shape (R, I).
        level: share of regions below the cut-off.
        confidence: of the interval.

    Returns:
        Cut-offs and intervals. NaN for industries with a NaN. Minus infinity (quotients of 0 in logarithms) is the
        smallest value; chances below 1e-12 of meeting it are ignored.

    Raises:
        ClusterbookError: z is not a two-dimensional array, or level or confidence are not between 0 and 1.

    Example:
        >>> found = bootstrap_cutoffs([[0.1 * k] for k in range(100)])
        >>> [part.round(2).tolist() for part in found]
        [[9.36], [8.8], [9.7]]

    Source: Tian (2013), Measuring agglomeration using the standardized location quotient with a bootstrap method,
    Journal of Regional Analysis and Policy 43; the exact law: ours, from order statistics.
    """
    values = np.asarray(z, dtype=np.float64)
    if values.ndim != 2 or not len(values):
        raise ClusterbookError(f"z has shape {values.shape}. Give regions x industries.")
    for name, share in (("level", level), ("confidence", confidence)):
        if not 0 < share < 1:
            raise ClusterbookError(f"{name}={share}: give a share between 0 and 1, such as 0.95.")
    R = len(values)
    k = int(np.ceil(level * R - 1e-9))
    law = special.betainc(k, R - k + 1, np.arange(1, R + 1) / R)  # P(Binomial(R, p) >= k) at p = j / R
    weight = np.diff(law, prepend=0.0)
    ranked = np.sort(values, axis=0)  # NaN last
    gaps = np.isnan(ranked[-1])
    possible = weight > 1e-12
    mean = weight[possible] @ ranked[possible] / weight[possible].sum()
    tail = (1 - confidence) / 2
    low, high = (ranked[np.searchsorted(law, edge)] for edge in (tail, 1 - tail))
    return Cutoffs(*(np.where(gaps, np.nan, part) for part in (mean, low, high)))


class DartboardTest(NamedTuple):
    """``z``: standard deviations from what plants thrown at random would give; ``p``: how likely as much is. (R, I)."""

    z: Floats
    p: Floats


def dartboard_test(
    E: ArrayLike,
    herfindahl: ArrayLike,
    reference: ArrayLike | None = None,
    *,
    gamma: ArrayLike | float = 0.0,
    alternative: Alternative = "greater",
) -> DartboardTest:
    """Test quotients against plants thrown at random, each region being hit with probability x_r.

    Z_ri = (LQ_ri - 1) / sqrt(H_i (1 - x_r) / x_r): few or unequal plants make large quotients by chance. Normal in the
    limit of many plants; with few in the region, use ``dartboard_simulation``.

    Args:
        E: jobs, shape (R, I), not negative.
        herfindahl: H of the industries' plants, shape (I,), e.g. of ``plant_concentration.sum_plants``.
        reference: sizes of the regions, shape (R,). Default: the totals of E.
        gamma: Ellison and Glaeser's index, (I,) or one for all, where plants are known to draw plants: then H is
            replaced by gamma + (1 - gamma) H. Default: they do not.
        alternative: 'greater' asks whether there is more than by chance; 'less' or 'two-sided'.

    Returns:
        z and p. NaN where the region has no share in the reference.

    Raises:
        ClusterbookError: arrays are not of sizes or do not fit each other, or an argument is not known.

    Example:
        >>> found = dartboard_test([[13000], [32000], [25000]], [0.24469], [500, 400, 100])
        >>> found.z.round(2).ravel().tolist(), found.p.round(3).ravel().tolist()
        ([-1.27, 0.24, 1.73], [0.898, 0.407, 0.042])

    Source: Guimarães, Figueiredo and Woodward (2009), Dartboard tests for the location quotient, Regional Science and
    Urban Economics 39.
    """
    require_known("alternative", alternative, _ALTERNATIVES)
    columns = size_columns(E, "regions")
    x = reference_shares(columns, reference)
    H = np.asarray(herfindahl, dtype=np.float64)
    if H.shape != columns.shape[1:]:
        raise ClusterbookError(f"herfindahl has shape {H.shape}. Give one for each of {columns.shape[1]} industries.")
    if ((H < 0) | (H > 1 + 1e-12)).any():
        raise ClusterbookError("herfindahl is outside 0 to 1. Give sums of the squared shares of plants.")
    drawn = np.asarray(gamma, dtype=np.float64)
    variance = (drawn + (1 - drawn) * H) * x * (1 - x)
    z = (column_shares(columns) - x) / np.sqrt(np.where(variance > 0, variance, np.nan))
    greater, less = special.ndtr(-z), special.ndtr(z)
    return DartboardTest(z, _p_value(greater, less, alternative))


def dartboard_simulation(
    size: ArrayLike, region: ArrayLike, reference: ArrayLike, *, draws: int = 2000, seed: int = 0
) -> Floats:
    """Test one industry against its own plants thrown at random, without the normal approximation.

    Args:
        size: jobs of its plants, shape (n,), positive.
        region: the row of the region of each plant, integers from 0, shape (n,).
        reference: sizes of the regions, shape (R,).
        draws: how often plants are thrown.
        seed: of the random numbers; the same seed gives the same result.

    Returns:
        Shape (R,): p of at least as many jobs in the region, (1 + draws with as many) / (1 + draws), so never 0.

    Raises:
        ClusterbookError: arrays do not fit, sizes are not positive, or plants are outside the regions.

    Example:
        >>> dartboard_simulation([5, 5, 5, 5], [0, 0, 0, 0], [1, 1], draws=999).round(1)
        array([0.1, 1. ])

    Source: Guimarães, Figueiredo and Woodward (2009), Regional Science and Urban Economics 39; by simulation: ours.
    """
    jobs, row = np.asarray(size, dtype=np.float64), np.asarray(region)
    x = reference_shares(np.asarray(reference, dtype=np.float64)[:, None], reference)[:, 0]
    if jobs.ndim != 1 or row.shape != jobs.shape or not jobs.size:
        raise ClusterbookError(f"size and region have shapes {jobs.shape} and {row.shape}. Give one for each plant.")
    if not (np.isfinite(jobs).all() and (jobs > 0).all()):
        raise ClusterbookError("size holds plants without jobs or of unknown size. Leave them out.")
    if not np.issubdtype(row.dtype, np.integer) or row.min() < 0 or row.max() >= len(x):
        raise ClusterbookError(f"region has numbers outside 0 to {len(x) - 1}. Give rows of the reference.")
    observed = np.bincount(row, jobs, len(x))
    edges = x.cumsum()
    edges[x.nonzero()[0][-1] :] = np.inf  # rounding must not leave a gap at the end
    rng = np.random.default_rng(seed)
    as_many = np.zeros(len(x))
    slack = 1e-9 * jobs.sum()
    for _ in range(draws):
        thrown = np.searchsorted(edges, rng.random(jobs.size), side="right")
        as_many += np.bincount(thrown, jobs, len(x)) >= observed - slack
    return np.asarray((1 + as_many) / (1 + draws))


def binomial_test(
    plants: ArrayLike, reference: ArrayLike | None = None, *, alternative: Alternative = "greater"
) -> Floats:
    """Test numbers of plants: B_ri against the binomial distribution of B_i plants, each in r with probability x_r.

    Exact, and blind to the size of plants.

    Args:
        plants: numbers of plants, shape (R, I), whole numbers.
        reference: sizes of the regions, shape (R,). Default: the totals of ``plants``.
        alternative: 'greater', 'less', or 'two-sided' (twice the smaller of the two, at most 1).

    Returns:
        p, shape (R, I).

    Raises:
        ClusterbookError: arrays are not of sizes or do not fit, numbers are not whole, or an argument is not known.

    Example:
        >>> binomial_test([[5], [4], [1]], [50, 40, 10]).round(3).ravel()
        array([0.623, 0.618, 0.651])
    """
    require_known("alternative", alternative, _ALTERNATIVES)
    B = size_columns(plants, "regions")
    if (np.nan_to_num(B) % 1).any():
        raise ClusterbookError("plants holds fractions. The binomial test counts plants; give whole numbers.")
    x = np.broadcast_to(reference_shares(B, reference), B.shape)
    N = B.sum(axis=0)
    N = np.broadcast_to(np.where(N > 0, N, np.nan), B.shape)
    # P(X >= b) = I_x(b, N - b + 1), and 1 for b = 0
    greater = np.where(B == 0, 1.0, special.betainc(np.maximum(B, 1), N - np.maximum(B, 1) + 1, x))
    less = np.where(B == N, 1.0, special.betainc(np.maximum(N - B, 1), B + 1, 1 - x))
    gap = np.isnan(N) | np.isnan(x)
    return _p_value(np.where(gap, np.nan, greater), np.where(gap, np.nan, less), alternative)


def _p_value(greater: Floats, less: Floats, alternative: str) -> Floats:
    if alternative == "two-sided":
        return np.asarray(np.minimum(2 * np.minimum(greater, less), 1.0))
    return greater if alternative == "greater" else less


class QuotientInterval(NamedTuple):
    """Lower and upper end for each quotient, (R, I)."""

    low: Floats
    high: Floats


def quotient_interval(
    E: ArrayLike, herfindahl: ArrayLike | None = None, *, confidence: float = 0.95
) -> QuotientInterval:
    """Return confidence intervals of location quotients by the delta method.

    With n plants of which n_ri are in the cell, n_r in the region and n_i in the industry,
    Var(ln LQ) = 1/n_ri - 1/n_r - 1/n_i + (2 LQ - 1)/n, and the interval is exp(ln LQ +- z sd). Jobs are no independent
    draws, plants nearly are: so jobs are counted in plants of the effective size e_i H_i. Cells with nothing are given
    half a plant.

    Args:
        E: numbers of plants, or jobs, shape (R, I), not negative.
        herfindahl: H of the industries' plants, shape (I,); needed where E are jobs.
        confidence: of the interval.

    Returns:
        Lower and upper ends; the lower end of an empty cell is 0. They are symmetric in logarithms.

    Raises:
        ClusterbookError: arrays are not of sizes or do not fit, or confidence is not between 0 and 1.

    Example:
        >>> plants = [[20, 80], [80, 320]]
        >>> low, high = quotient_interval(plants)
        >>> low[0].round(2).tolist(), high[0].round(2).tolist()
        ([0.7, 0.92], [1.42, 1.09])

    Source: ours, the delta method on multinomial counts.
    """
    if not 0 < confidence < 1:
        raise ClusterbookError(f"confidence={confidence}: give a share between 0 and 1, such as 0.95.")
    jobs = size_columns(E, "regions")
    if herfindahl is None:
        unit = np.ones(jobs.shape[1])
    else:
        H = np.asarray(herfindahl, dtype=np.float64)
        if H.shape != jobs.shape[1:]:
            raise ClusterbookError(f"herfindahl has shape {H.shape}. Give one for each of {jobs.shape[1]} industries.")
        unit = jobs.sum(axis=0) * np.where(H > 0, H, np.nan)
    empty = jobs == 0
    filled = np.where(empty, 0.5 * unit, jobs)
    lq = filled / _expected(jobs)
    n = filled / np.where(unit > 0, unit, np.nan)
    of_region, of_industry, total = np.nansum(n, axis=1)[:, None], n.sum(axis=0), np.nansum(n)
    n_lq = n * total / (of_region * of_industry)
    # The formula is that of a multinomial of n, so the quotient in it is that of n, not of jobs.
    variance = np.maximum(1 / n - 1 / of_region - 1 / of_industry + (2 * n_lq - 1) / total, 0.0)
    half = special.ndtri((1 + confidence) / 2) * np.sqrt(variance)
    high = lq * np.exp(half)
    return QuotientInterval(np.where(empty & ~np.isnan(high), 0.0, lq * np.exp(-half)), high)


def _expected(jobs: Floats) -> Floats:
    """Return what every cell would have at a quotient of 1; NaN where its region or industry has nothing."""
    of_region, of_industry, total = known_totals(jobs)
    expected = np.outer(of_region, of_industry) / (total if total > 0 else np.nan)
    return np.where(expected > 0, expected, np.nan)


class ShrunkQuotient(NamedTuple):
    """``mean`` and ``low`` (R, I): best guess at the quotient, and what it exceeds with 95%. ``alpha`` (I,): the prior.

    An infinite alpha says that the industry varies no more than chance would have it: all its quotients are 1.
    """

    mean: Floats
    low: Floats
    alpha: Floats


def shrunk_quotient(plants: ArrayLike, reference: ArrayLike | None = None) -> ShrunkQuotient:
    """Draw quotients of small cells towards 1, by as much as the industry's own variation says.

    Numbers of plants are Poisson with mean mu_ri theta_ri, mu_ri = x_r B_i, and theta has a gamma distribution with
    mean 1 and variance 1 / alpha_i. alpha_i is found from moments, 1 / alpha = sum((B - mu)^2 - mu) / sum mu^2; the
    posterior mean is (B + alpha) / (mu + alpha), and ``low`` its 5% quantile.

    Args:
        plants: numbers of plants, shape (R, I), not negative. Jobs come in plants and vary too much to be Poisson:
            divide them by their effective size e_i H_i first.
        reference: sizes of the regions, shape (R,). Default: the totals of ``plants``.

    Returns:
        Shrunk quotients and priors. NaN for industries with a NaN or with nothing in them.

    Raises:
        ClusterbookError: arrays are not of sizes or do not fit.

    Example:
        >>> found = shrunk_quotient([[1], [30], [80]], [1, 99, 100])
        >>> found.mean.round(2).ravel().tolist(), found.alpha.round(1).tolist()
        ([1.07, 0.59, 1.4], [5.5])

    Source: after DuMouchel (1999), Bayesian data mining in large frequency tables, American Statistician 53, with one
    gamma distribution instead of two.
    """
    B = size_columns(plants, "regions")
    x = reference_shares(B, reference)
    N = B.sum(axis=0)
    mu = x * np.where(N > 0, N, np.nan)
    over = np.maximum(((B - mu) ** 2 - mu).sum(axis=0) / (mu**2).sum(axis=0), 0.0)  # 1 / alpha
    mean = (B * over + 1) / (mu * over + 1)
    alpha = np.divide(1.0, over, out=np.full_like(over, np.inf), where=(over > 0) | np.isnan(over))
    finite = np.where(np.isinf(alpha), 1.0, alpha)
    low = special.gammaincinv(B + finite, 0.05) / (mu + finite)
    return ShrunkQuotient(mean, np.where(np.isinf(alpha), 1.0, low), alpha)


def benjamini_hochberg(p: ArrayLike, *, axis: int | None = None) -> Floats:
    """Adjust p-values so that, of those found below a level, at most that share is expected to be false.

    Args:
        p: p-values from 0 to 1, any shape; NaN are no tests.
        axis: adjust along it, 0 within industries, 1 within regions. Default: all together.

    Returns:
        The same shape; NaN stays NaN.

    Raises:
        ClusterbookError: p is outside 0 to 1.

    Example:
        >>> benjamini_hochberg([0.01, 0.04, 0.03, np.nan]).round(3)
        array([0.03, 0.04, 0.04,  nan])

    Source: Benjamini and Hochberg (1995), Controlling the false discovery rate, Journal of the Royal Statistical
    Society B 57.
    """
    values = np.asarray(p, dtype=np.float64)
    if ((values < 0) | (values > 1)).any():
        raise ClusterbookError("p holds values outside 0 to 1. Give p-values.")
    if axis is None:
        return benjamini_hochberg(values.ravel(), axis=0).reshape(values.shape)
    lines = np.moveaxis(values, axis, 0)
    order = np.argsort(lines, axis=0, kind="stable")  # NaN last
    tests = (~np.isnan(lines)).sum(axis=0)
    rank = np.arange(1, len(lines) + 1).reshape(-1, *(1,) * (lines.ndim - 1))
    scaled = np.take_along_axis(lines, order, axis=0) * tests / rank
    smallest = np.minimum(np.fmin.accumulate(scaled[::-1], axis=0)[::-1], 1.0)
    adjusted = np.empty_like(lines)
    np.put_along_axis(adjusted, order, smallest, axis=0)
    return np.moveaxis(adjusted, 0, axis)
