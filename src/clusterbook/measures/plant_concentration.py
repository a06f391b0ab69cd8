"""Concentration of industries beyond that of their plants: Ellison and Glaeser's index and its relatives.

An industry of three plants is in three places at most. These indices ask whether it is more concentrated than plants
thrown onto the map at random, each region being hit in proportion to its x.

``sum_plants`` adds plants up once; the indices take its sums. E are jobs and B numbers of plants, shape (R, I); H is
the Herfindahl index of the jobs of each industry's plants, shape (I,), from ``sum_plants`` or, without plants, from
``size_class_herfindahl``. s are the columns of E as shares, x the shares of ``reference``, X2 = sum x^2.

Gaps, in all of them: NaN (a suppressed cell, a plant of unknown size) makes the result of its industry NaN, and so do a
total of zero, a single plant (nothing can be told from it) and a single region.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clusterbook.errors import ClusterbookError
from clusterbook.measures.concentration import column_shares, reference_shares, require_sizes, size_columns

Floats = NDArray[np.float64]


class PlantSums(NamedTuple):
    """What the indices need to know of plants.

    ``size`` and ``plants`` (R, I) are jobs and numbers of plants, ``herfindahl`` and ``fourth`` (I,) sums of the second
    and fourth powers of the plants' shares in their industry. Plants of size 0 are not counted.
    """

    size: Floats
    plants: Floats
    herfindahl: Floats
    fourth: Floats


def sum_plants(
    region: ArrayLike, industry: ArrayLike, size: ArrayLike, *, shape: tuple[int, int] | None = None
) -> PlantSums:
    """Add plants up to regions x industries.

    Args:
        region: row of each plant, integers from 0, shape (P,); ``np.unique(codes, return_inverse=True)`` numbers codes.
        industry: column of each plant, integers from 0, shape (P,).
        size: jobs of each plant, shape (P,), not negative. NaN (not known) makes its cell and its industry's sums NaN.
        shape: (R, I). Default: just large enough.

    Returns:
        The sums. ``herfindahl`` and ``fourth`` are NaN for industries without plants.

    Raises:
        ClusterbookError: arrays of different lengths, negative or infinite sizes, or plants outside the shape.

    Example:
        >>> sums = sum_plants([0, 0, 1], [0, 1, 1], [5, 10, 30])
        >>> sums.size.tolist(), sums.herfindahl.tolist()
        ([[5.0, 10.0], [0.0, 30.0]], [1.0, 0.625])
    """
    row, column, jobs = np.asarray(region), np.asarray(industry), np.asarray(size, dtype=np.float64)
    if jobs.ndim != 1 or not row.shape == column.shape == jobs.shape:
        raise ClusterbookError(
            f"region, industry and size have shapes {row.shape}, {column.shape} and {jobs.shape}. "
            "Give one of each for every plant."
        )
    if jobs.size and not (np.issubdtype(row.dtype, np.integer) and np.issubdtype(column.dtype, np.integer)):
        raise ClusterbookError(
            "region and industry are numbered by integers from 0. Number codes with np.unique(codes, return_inverse="
            "True)."
        )
    require_sizes("size", jobs)
    R, I = shape or (int(row.max(initial=-1)) + 1, int(column.max(initial=-1)) + 1)  # noqa: E741
    outside = (row < 0) | (row >= R) | (column < 0) | (column >= I)
    if outside.any():
        raise ClusterbookError(f"{outside.sum()} plants lie outside the {R} regions x {I} industries. Mend the shape.")
    if (jobs == 0).any():
        row, column, jobs = (values[jobs != 0] for values in (row, column, jobs))
    row, column = row.astype(np.intp, copy=False), column.astype(np.intp, copy=False)
    cell = row * I + column
    cells = np.bincount(cell, jobs, R * I).astype(np.float64).reshape(R, I)  # integers where there are no plants
    plants = np.bincount(cell, minlength=R * I).astype(np.float64).reshape(R, I)
    total = cells.sum(axis=0)
    total = np.where(total == 0, np.nan, total)
    squares = jobs * jobs
    second, fourth = (np.bincount(column, power, I) for power in (squares, squares * squares))
    return PlantSums(cells, plants, second / total**2, fourth / total**4)


class SizeClassHerfindahl(NamedTuple):
    """Estimate and bounds of the plants' Herfindahl index, each (I,)."""

    estimate: Floats
    low: Floats
    high: Floats


def size_class_herfindahl(
    counts: ArrayLike, jobs: ArrayLike, lower: ArrayLike, upper: ArrayLike
) -> SizeClassHerfindahl:
    """Estimate the plants' Herfindahl index where only size classes are published.

    With n plants of m jobs on average in a class from L to U, the sum of their squared sizes is n (m^2 + v), where the
    variance v is at least 0 and at most (U - m)(m - L); the estimate takes (U - L)^2 / 12, as if sizes were uniform,
    or the most there can be where that is less.

    Args:
        counts: plants of each industry in each class, shape (I, K).
        jobs: their jobs together, shape (I, K).
        lower: smallest size of each class, shape (K,).
        upper: largest size of each class, shape (K,). An open class needs a limit: its largest plant cannot have more
            than all its jobs, which is what an infinite limit is taken for.

    Returns:
        Estimate, lower and upper bound; NaN for industries with a NaN or without jobs.

    Raises:
        ClusterbookError: arrays do not fit each other, or a class's mean lies outside its bounds.

    Example:
        >>> found = size_class_herfindahl([[4, 1]], [[20, 80]], [1, 50], [9, np.inf])
        >>> [part.round(4).tolist() for part in found]
        [[0.6521], [0.65], [0.6564]]

    Source: bounds of a variance within a range: Bhatia and Davis (2000), American Mathematical Monthly 107.
    """
    n, total = size_columns(counts, "regions"), size_columns(jobs, "regions")
    low, high = np.asarray(lower, dtype=np.float64), np.asarray(upper, dtype=np.float64)
    if n.shape != total.shape or low.shape != n.shape[1:] or high.shape != n.shape[1:]:
        raise ClusterbookError(
            f"counts {n.shape}, jobs {total.shape}, lower {low.shape} and upper {high.shape} do not fit: "
            "give (I, K), (I, K), (K,) and (K,)."
        )
    some = n > 0
    mean = np.divide(total, n, out=np.where(some | (total > 0), np.nan, 0.0), where=some)
    ceiling = np.minimum(high, total)
    wrong = (some & ((mean < low) | (mean > high))) | ((n == 0) & (total > 0))
    if wrong.any():
        i, k = np.argwhere(wrong)[0]
        raise ClusterbookError(
            f"{wrong.sum()} size classes have mean sizes outside their bounds, the first in row {i}, class {k}: "
            f"{total[i, k]:g} jobs in {n[i, k]:g} plants of {low[k]:g} to {high[k]:g}. Correct jobs or bounds."
        )
    most = (ceiling - mean) * (mean - low)  # 0 for a single plant, which is as large as all its class
    variance = np.minimum((ceiling - low) ** 2 / 12, most)
    everything = np.where(total.sum(axis=1) > 0, total.sum(axis=1), np.nan)
    parts = [np.where(some | np.isnan(n), n * (mean**2 + v), 0.0).sum(axis=1) for v in (variance, 0.0, most)]
    estimate, least, greatest = (part / everything**2 for part in parts)
    return SizeClassHerfindahl(estimate, least, np.minimum(greatest, 1.0))


class EllisonGlaeser(NamedTuple):
    """The index of each industry and what it is made of, each (I,).

    ``gamma``: the index. ``raw``: G = sum (s - x)^2. ``expected`` and ``variance``: of G for plants thrown at random.
    ``z``: how many standard deviations G is above expectation. Variance and z are NaN where fourth powers are not
    known.
    """

    gamma: Floats
    raw: Floats
    expected: Floats
    variance: Floats
    z: Floats


def ellison_glaeser(
    E: ArrayLike, herfindahl: ArrayLike, reference: ArrayLike | None = None, *, fourth: ArrayLike | None = None
) -> EllisonGlaeser:
    """Return Ellison and Glaeser's index of concentration: the excess over plants thrown at random.

    gamma = (G / (1 - X2) - H) / (1 - H) with G = sum (s - x)^2. Around 0 is chance, below it dispersion; among US
    industries, above 0.05 has been called very localised and below 0.02 not very.

    Args:
        E: jobs, shape (R, I), not negative.
        herfindahl: H of the industries' plants, shape (I,), from 0 to 1.
        reference: sizes of the regions, shape (R,), e.g. all employment. Default: the totals of E.
        fourth: sums of the fourth powers of the plants' shares, shape (I,), for variance and z.

    Returns:
        The index and its parts. z is NaN where the variance is 0.

    Raises:
        ClusterbookError: arrays are not of sizes or do not fit each other, or H lies outside 0 to 1.

    Example:
        >>> sums = sum_plants([0, 0, 0, 1, 1, 2], [0] * 6, [20, 30, 10, 60, 10, 5])
        >>> found = ellison_glaeser(sums.size, sums.herfindahl, [50, 40, 10], fourth=sums.fourth)
        >>> found.gamma.round(4), found.z.round(2)
        (array([-0.3406]), array([-1.05]))

    Source: Ellison and Glaeser (1997), Geographic concentration in U.S. manufacturing industries, Journal of Political
    Economy 105.
    """
    s, x, H = _spread(E, herfindahl, reference)
    raw = ((s - x) ** 2).sum(axis=0)
    X2, X3 = float((x**2).sum()), float((x**3).sum())
    room = _positive(1 - X2)
    with_fourth = np.full_like(H, np.nan) if fourth is None else np.asarray(fourth, dtype=np.float64)
    variance = 2 * (H**2 * (X2 - 2 * X3 + X2**2) - with_fourth * (X2 - 4 * X3 + 3 * X2**2))
    variance = np.where(variance > 1e-15, variance, np.where(np.isnan(variance), np.nan, 0.0))
    expected = room * H
    z = np.divide(raw - expected, np.sqrt(variance), out=np.full_like(raw, np.nan), where=variance > 0)
    return EllisonGlaeser(_excess(raw / room, H), raw, expected, variance, z)


def ellison_glaeser_bounds(
    E: ArrayLike, low: ArrayLike, high: ArrayLike, reference: ArrayLike | None = None
) -> tuple[Floats, Floats]:
    """Return the smallest and largest index that bounds of the plants' Herfindahl index allow.

    Args:
        E: jobs, shape (R, I).
        low: least H, shape (I,), e.g. of ``size_class_herfindahl``.
        high: greatest H, shape (I,). Where it is 1, the index has no lower bound: minus infinity (or no upper one).
        reference: as in ``ellison_glaeser``.

    Returns:
        Two arrays of shape (I,). NaN where even the least H is that of a single plant.

    Raises:
        ClusterbookError: as ``ellison_glaeser``; or a lower bound above the upper one.

    Example:
        >>> least, most = ellison_glaeser_bounds([[60], [70], [5]], [0.2], [0.4], [50, 40, 10])
        >>> least.round(3), most.round(3)
        (array([-0.606]), array([-0.205]))
    """
    s, x, H_low = _spread(E, low, reference)
    _, _, H_high = _spread(E, high, reference)
    if (H_low > H_high).any():
        raise ClusterbookError("Some lower bounds of the Herfindahl index are above the upper ones. Swap them.")
    excess = ((s - x) ** 2).sum(axis=0) / _positive(1 - float((x**2).sum()))
    at_low, at_high = _excess(excess, H_low), _excess(excess, H_high)
    unbounded = (H_high == 1) & (H_low < 1)
    at_high[unbounded] = np.where(excess[unbounded] <= 1, -np.inf, np.inf)
    return np.minimum(at_low, at_high), np.maximum(at_low, at_high)


def maurel_sedillot(E: ArrayLike, herfindahl: ArrayLike, reference: ArrayLike | None = None) -> Floats:
    """Return Maurel and Sédillot's index of concentration.

    ((sum s^2 - X2) / (1 - X2) - H) / (1 - H): expected to be 0 for the same throws as Ellison and Glaeser's, but an
    industry that avoids the large regions comes out as dispersed, not as concentrated.

    Args:
        E: jobs, shape (R, I), not negative.
        herfindahl: H of the industries' plants, shape (I,).
        reference: sizes of the regions, shape (R,). Default: the totals of E.

    Returns:
        Shape (I,).

    Raises:
        ClusterbookError: as ``ellison_glaeser``.

    Example:
        >>> maurel_sedillot([[60], [70], [5]], [0.278], [50, 40, 10]).round(4)
        array([-0.271])

    Source: Maurel and Sédillot (1999), A measure of the geographic concentration in French manufacturing industries,
    Regional Science and Urban Economics 29.
    """
    s, x, H = _spread(E, herfindahl, reference)
    X2 = float((x**2).sum())
    return _excess(((s**2).sum(axis=0) - X2) / _positive(1 - X2), H)


class DevereuxGriffithSimpson(NamedTuple):
    """``agglomeration`` = ``regions`` - ``plants``: concentration over regions less that over plants, each (I,)."""

    agglomeration: Floats
    regions: Floats
    plants: Floats


def devereux_griffith_simpson(E: ArrayLike, herfindahl: ArrayLike, count: ArrayLike) -> DevereuxGriffithSimpson:
    """Return Devereux, Griffith and Simpson's index: concentration over regions less that over plants.

    F = sum s^2 - 1 / min(N, R) and M = H - 1 / N, with N plants; the index is F - M. It compares with an even spread,
    not with where everything else is.

    Args:
        E: jobs, shape (R, I), not negative.
        herfindahl: H of the industries' plants, shape (I,).
        count: numbers of plants, shape (R, I).

    Returns:
        The index and its two parts. 0 where every plant is in a region of its own.

    Raises:
        ClusterbookError: as ``ellison_glaeser``.

    Example:
        >>> sums = sum_plants([0, 0, 1, 2], [0] * 4, [10, 10, 10, 10])
        >>> devereux_griffith_simpson(sums.size, sums.herfindahl, sums.plants).agglomeration.round(4)
        array([0.0417])

    Source: Devereux, Griffith and Simpson (2004), The geographic distribution of production activity in the UK,
    Regional Science and Urban Economics 34.
    """
    s, _, H = _spread(E, herfindahl, None)
    plants = size_columns(count, "regions")
    if plants.shape != s.shape:
        raise ClusterbookError(f"count has shape {plants.shape}. Give numbers of plants for all {s.shape} cells.")
    N = plants.sum(axis=0)
    N = np.where(N > 1, N, np.nan)
    over_regions, over_plants = (s**2).sum(axis=0) - 1 / np.minimum(N, len(s)), H - 1 / N
    return DevereuxGriffithSimpson(over_regions - over_plants, over_regions, over_plants)


def guimaraes_figueiredo_woodward(count: ArrayLike, reference: ArrayLike | None = None) -> Floats:
    """Return Guimarães, Figueiredo and Woodward's index of concentration: of plants, whatever their size.

    (N G - (1 - X2)) / ((N - 1)(1 - X2)) with G = sum (n_r / N - x_r)^2: Ellison and Glaeser's index of N plants of one
    size. It is the better estimate where what size a plant has is noise.

    Args:
        count: numbers of plants, shape (R, I), not negative.
        reference: sizes of the regions, shape (R,). Default: the totals of ``count``.

    Returns:
        Shape (I,).

    Raises:
        ClusterbookError: arrays are not of sizes or do not fit each other.

    Example:
        >>> guimaraes_figueiredo_woodward([[5], [4], [1]], [50, 40, 10]).round(4)
        array([-0.1111])

    Source: Guimarães, Figueiredo and Woodward (2007), Measuring the localization of economic activity, Journal of
    Regional Science 47.
    """
    plants = size_columns(count, "regions")
    N = plants.sum(axis=0)
    return ellison_glaeser(plants, np.where(N >= 1, 1 / np.where(N >= 1, N, 1), np.nan), reference).gamma


def group_coagglomeration(E: ArrayLike, reference: ArrayLike | None = None) -> float:
    """Return how much the industries of a group are in the same places, beyond chance.

    gamma^c = (G / (1 - X2) - H - sum gamma_i w_i^2 (1 - H_i)) / (1 - sum w_i^2), with w the industries' shares of the
    group and G, H those of the group. In it the plants' Herfindahl indices cancel out, so plants are not needed; it is
    the mean of ``coagglomeration`` (in ``measures.relatedness``) over all pairs, weighted by w_i w_j.

    Args:
        E: jobs of the industries of one group, shape (R, I), not negative.
        reference: sizes of the regions, shape (R,). Default: the totals of E.

    Returns:
        The index: 0 is chance. NaN with a NaN in E, and unless two industries have jobs in the group.

    Raises:
        ClusterbookError: E or the reference is not an array of sizes.

    Example:
        >>> round(group_coagglomeration([[9, 8], [1, 2]], [1, 1]), 4)
        0.48

    Source: Ellison and Glaeser (1997), Journal of Political Economy 105.
    """
    columns = size_columns(E, "regions")
    x = reference_shares(columns, reference)
    w = column_shares(columns.sum(axis=0)[:, None])[:, 0]
    present = ~(w == 0)  # NaN stays in
    deviation = column_shares(columns[:, present]) - x
    together = (deviation @ w[present]) ** 2
    apart = (deviation**2) @ w[present] ** 2
    pairs = _positive(1 - float((w**2).sum()))
    return float((together - apart).sum() / _positive(1 - float((x**2).sum())) / pairs)


def _spread(E: ArrayLike, herfindahl: ArrayLike, reference: ArrayLike | None) -> tuple[Floats, Floats, Floats]:
    """Check what all indices take and return s (R, I), x (R, 1) and H (I,)."""
    columns = size_columns(E, "regions")
    H = np.asarray(herfindahl, dtype=np.float64)
    if H.shape != columns.shape[1:]:
        raise ClusterbookError(f"herfindahl has shape {H.shape}. Give one for each of {columns.shape[1]} industries.")
    if ((H < 0) | (H > 1 + 1e-12)).any():
        raise ClusterbookError("herfindahl is outside 0 to 1. Give sums of the squared shares of plants.")
    return column_shares(columns), reference_shares(columns, reference), np.minimum(H, 1.0)


def _excess(concentration: Floats, H: Floats) -> Floats:
    """Return (concentration - H) / (1 - H), NaN for a single plant."""
    single = H > 1 - 1e-12
    return np.asarray((concentration - H) / np.where(single, np.nan, 1 - H))


def _positive(value: float) -> float:
    return value if value > 1e-12 else float("nan")
