"""Spatial association: do regions resemble their neighbours, industry by industry?

Every function takes values Y of shape (R, I), any numbers (location quotients, shares, logarithms), and weights W of
shape (R, R) from ``clusterbook.measures.weights``, used as they are given; all industries are computed at once.

Gaps, in all of them: one NaN (a suppressed cell) in a column makes the whole column NaN, as its mean is not known;
leave regions that lack values out of Y and W alike (``W[keep][:, keep]``). A column without variation is NaN. A region
without neighbours (an island) has no local value: NaN.

Permutation tests hold the value of a region and give it random neighbours among the others. Ties count against a
finding: with many equal values (an industry absent from most regions) the real neighbours are often exactly as good as
random ones, and p says so. p = 2 min(#{>=} + 1, #{<=} + 1) / (permutations + 1), at most 1, is two-sided and never
below 2 / (permutations + 1). All regions and industries share the random orders, drawn from ``seed``: the same seed
gives the same p.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from clusterbook.errors import ClusterbookError
from clusterbook.measures.weights import Weights, row_standardised, weights_matrix

Floats = NDArray[np.float64]


class GlobalMoran(NamedTuple):
    """Moran's I of each industry, all of shape (I,): the statistic, its moments without association, and p."""

    statistic: Floats
    expected: Floats
    variance: Floats
    z: Floats
    p: Floats


class LocalMoran(NamedTuple):
    """Local Moran's I, all of shape (R, I).

    ``quadrant`` says of a region and its neighbours: 1 high among high, 2 low among high, 3 low among low, 4 high among
    low, 0 undefined.
    """

    statistic: Floats
    p: Floats
    quadrant: NDArray[np.int8]


class LocalG(NamedTuple):
    """Getis and Ord's local statistic as z and its two-sided p, both of shape (R, I); positive z are hot spots."""

    z: Floats
    p: Floats


def morans_i(Y: ArrayLike, W: Weights, *, permutations: int = 0, seed: int = 0) -> GlobalMoran:
    """Compute Moran's I: the correlation of regions with their neighbours.

    I = (n / S0) z'Wz / z'z with z the deviations from the mean and S0 the sum of all weights. Expected value and
    variance are those under randomisation (every order of the values equally likely).

    Args:
        Y: values, shape (R, I).
        W: weights, shape (R, R). Islands count in n but have no part in the product.
        permutations: 0 takes p from the normal distribution of z; more takes it from that many random orders, which is
            right for skewed columns too (about 0.06 s each at 3,000 x 1,000).
        seed: of the random orders.

    Returns:
        Five arrays of shape (I,); p is two-sided. NaN for columns with NaN or without variation, and everywhere if
        nobody has neighbours.

    Raises:
        ClusterbookError: Y is not two-dimensional, holds infinities, or W does not fit.

    Example:
        >>> from scipy import sparse
        >>> W = sparse.diags_array([1.0, 1.0], offsets=[-1, 1], shape=(6, 6))
        >>> found = morans_i([[1], [2], [3], [5], [8], [13]], row_standardised(W))
        >>> found.statistic.round(4), found.expected, found.variance.round(4)
        (array([0.5921]), array([-0.2]), array([0.1278]))

    Source: Moran (1950), Biometrika 37; moments after Cliff and Ord (1981), Spatial Processes.
    """
    values, matrix = _prepare(Y, W)
    z, spread = _deviations(values)
    n, total = len(values), matrix.sum()
    if not total > 0 or n < 4:
        return GlobalMoran(*(np.full(values.shape[1], np.nan) for _ in range(5)))
    statistic = _global(z, z, matrix, spread)
    expected = np.where(np.isnan(statistic), np.nan, -1 / (n - 1))
    variance = _variance(matrix, n, n * (z**4).sum(axis=0) / spread**2)
    score = (statistic - expected) / np.sqrt(variance)
    p = 2 * ndtr(-np.abs(score))
    if permutations:
        drawn = _random_statistics(None, z, matrix, spread, permutations, seed)
        p = _two_sided(*_tails(drawn, statistic), permutations)
    return GlobalMoran(statistic, expected, variance, score, p)


def bivariate_moran(X: ArrayLike, Y: ArrayLike, W: Weights, *, permutations: int = 999, seed: int = 0) -> GlobalMoran:
    """Compute the bivariate Moran's I: the correlation of one thing in regions with another in their neighbours.

    I = (n / S0) zx'W zy / sqrt(zx'zx zy'zy). It is not symmetric, and it also reacts to a correlation of x and y within
    regions; read it beside that correlation.

    Args:
        X: values of the regions themselves, shape (R, I).
        Y: values of the neighbours, shape (R, I), column for column.
        W: weights, shape (R, R).
        permutations: number of random orders of Y, at least 1.
        seed: of the random orders.

    Returns:
        As ``morans_i``; expected value and variance are those over the random orders, p is two-sided.

    Raises:
        ClusterbookError: shapes do not fit, or permutations is less than 1.

    Example:
        >>> from scipy import sparse
        >>> W = row_standardised(sparse.diags_array([1.0, 1.0], offsets=[-1, 1], shape=(6, 6)))
        >>> y = [[1], [2], [3], [5], [8], [13]]
        >>> bivariate_moran(y, y, W).statistic.round(4)
        array([0.5921])

    Source: Lee (2001), Journal of Geographical Systems 3; Anselin, Syabri and Smirnov (2002).
    """
    values, matrix = _prepare(Y, W)
    zx, x_spread = _deviations(_like(X, values))
    zy, y_spread = _deviations(values)
    if not matrix.sum() > 0:
        return GlobalMoran(*(np.full(values.shape[1], np.nan) for _ in range(5)))
    spread = np.sqrt(x_spread * y_spread)
    statistic = _global(zx, zy, matrix, spread)
    drawn = _random_statistics(zx, zy, matrix, spread, permutations, seed)
    expected, variance = drawn.mean(axis=0), drawn.var(axis=0)
    score = np.divide(statistic - expected, np.sqrt(variance), out=np.full_like(statistic, np.nan), where=variance > 0)
    return GlobalMoran(statistic, expected, variance, score, _two_sided(*_tails(drawn, statistic), permutations))


def local_moran(Y: ArrayLike, W: Weights, *, permutations: int = 999, seed: int = 0) -> LocalMoran:
    """Compute the local Moran's I: which regions stand in the midst of their like, and which stand out?

    I_r = z_r sum_s W_rs z_s / m2 with m2 = z'z / n. With row-standardised weights their mean is Moran's I.

    Args:
        Y: values, shape (R, I).
        W: weights, shape (R, R).
        permutations: number of random neighbourhoods a region, at least 1.
        seed: of the random orders.

    Returns:
        Statistic, two-sided p and quadrant, each (R, I). Adjust p with ``adjusted_p`` before counting findings.

    Raises:
        ClusterbookError: Y is not two-dimensional, holds infinities, W does not fit or permutations is less than 1.

    Example:
        >>> from scipy import sparse
        >>> W = row_standardised(sparse.diags_array([1.0, 1.0], offsets=[-1, 1], shape=(6, 6)))
        >>> found = local_moran([[1], [2], [3], [5], [8], [13]], W)
        >>> found.statistic[:, 0].round(4)
        array([ 0.8553,  0.6579,  0.2533, -0.0033,  0.5789,  1.2105])
        >>> found.quadrant[:, 0]
        array([3, 3, 3, 2, 1, 1], dtype=int8)

    Source: Anselin (1995), Local indicators of spatial association, Geographical Analysis 27. Shared orders: ours.
    """
    values, matrix = _prepare(Y, W)
    return _local(values, values, matrix, permutations, seed)


def bivariate_local_moran(
    X: ArrayLike, Y: ArrayLike, W: Weights, *, permutations: int = 999, seed: int = 0
) -> LocalMoran:
    """Compute the bivariate local Moran's I: a region's value of one thing by its neighbours' of another.

    I_r = n zx_r sum_s W_rs zy_s / sqrt(zx'zx zy'zy).

    Args:
        X: values of the regions themselves, shape (R, I).
        Y: values of the neighbours, shape (R, I), column for column.
        W: weights, shape (R, R).
        permutations: number of random neighbourhoods a region, at least 1.
        seed: of the random orders.

    Returns:
        As ``local_moran``; p asks whether the neighbours' Y is unusual.

    Raises:
        ClusterbookError: shapes do not fit, or permutations is less than 1.

    Example:
        >>> from scipy import sparse
        >>> W = row_standardised(sparse.diags_array([1.0, 1.0], offsets=[-1, 1], shape=(4, 4)))
        >>> bivariate_local_moran([[4], [0], [0], [0]], [[0], [8], [0], [0]], W).quadrant[:, 0]
        array([1, 3, 2, 3], dtype=int8)

    Source: Anselin, Syabri and Smirnov (2002), Visualizing multivariate spatial correlation.
    """
    values, matrix = _prepare(Y, W)
    return _local(_like(X, values), values, matrix, permutations, seed)


def getis_ord(Y: ArrayLike, W: Weights, *, star: bool = True, permutations: int = 999, seed: int = 0) -> LocalG:
    """Compute Getis and Ord's G: is there more around here than elsewhere?

    With the region itself (star): G*_r = (sum_s W_rs y_s - W_r ybar) / (s sqrt((n sum_s W_rs^2 - W_r^2) / (n - 1))), s
    with divisor n, W_r the row sum. Without: the same over the n - 1 others, their mean and their s.

    Args:
        Y: values, shape (R, I).
        W: weights, shape (R, R).
        star: count the region itself, with the largest weight of its row (1 in a binary W).
        permutations: number of random neighbourhoods a region; 0 takes p from the normal distribution, which misleads
            with few neighbours or many zeros.
        seed: of the random orders.

    Returns:
        z and two-sided p, each (R, I). z is 0 / 0 and so NaN where the whole country are neighbours.

    Raises:
        ClusterbookError: Y is not two-dimensional, holds infinities or W does not fit.

    Example:
        >>> from scipy import sparse
        >>> W = sparse.diags_array([1.0, 1.0], offsets=[-1, 1], shape=(6, 6))
        >>> getis_ord([[1], [2], [3], [5], [8], [13]], W).z[:, 0].round(4)
        array([-1.4748, -1.8137, -1.0882,  0.    ,  1.8137,  1.9878])

    Source: Ord and Getis (1995), Local spatial autocorrelation statistics, Geographical Analysis 27.
    """
    values, matrix = _prepare(Y, W)
    z = _g_star(values, matrix) if star else _g_others(values, matrix)
    z[matrix.sum(axis=1) == 0] = np.nan
    if not permutations:
        return LocalG(z, 2 * ndtr(-np.abs(z)))
    p = _lag_p(values, matrix, permutations, seed)
    return LocalG(z, np.where(np.isnan(z), np.nan, p))


def adjusted_p(p: ArrayLike, *, within: Literal["all", "industries", "regions"] = "all") -> Floats:
    """Adjust p for many tests (Benjamini-Hochberg): those up to q are findings of which at most a share q is false.

    Args:
        p: shape (R, I). NaN are no tests.
        within: 'all' takes all cells as one family, 'industries' each column, 'regions' each row.

    Returns:
        The same shape, from p to 1. NaN stay NaN.

    Raises:
        ClusterbookError: p is not a table of probabilities.

    Example:
        >>> adjusted_p([[0.01, 0.02], [0.03, 0.9]]).round(2)
        array([[0.04, 0.04],
               [0.04, 0.9 ]])

    Note:
        With permutations no p is below 2 / (permutations + 1). Over m tests, findings at q need at least
        2 m / (q (permutations + 1)) of them at that floor; with rare findings raise the number of permutations.

    Source: Benjamini and Hochberg (1995), Journal of the Royal Statistical Society B 57.
    """
    if within not in ("all", "industries", "regions"):
        raise ClusterbookError(f"within='{within}' is not known. Use 'all', 'industries' or 'regions'.")
    values = np.asarray(p, dtype=np.float64)
    if values.ndim != 2 or not (np.isnan(values) | ((values >= 0) & (values <= 1))).all():
        raise ClusterbookError("p has to be a table (R, I) of probabilities from 0 to 1.")
    if within == "all":
        return _benjamini_hochberg(values.reshape(-1, 1)).reshape(values.shape)
    return _benjamini_hochberg(values) if within == "industries" else _benjamini_hochberg(values.T).T


def neighbour_mean(Y: ArrayLike, W: Weights) -> Floats:
    """Average each industry over the neighbours of each region, e.g. the neighbours' location quotient.

    Args:
        Y: values, shape (R, I).
        W: weights, shape (R, R); rows are standardised here.

    Returns:
        Shape (R, I). NaN for islands and where any neighbour is NaN.

    Raises:
        ClusterbookError: Y is not two-dimensional, holds infinities or W does not fit.

    Example:
        >>> neighbour_mean([[0.5], [2.0], [3.0]], [[0, 1, 1], [1, 0, 0], [1, 0, 0]])
        array([[2.5],
               [0.5],
               [0.5]])

    Source: Delgado, Porter and Stern (2014), Clusters, convergence, and economic performance, Research Policy 43.
    """
    values, matrix = _prepare(Y, W)
    mean: Floats = row_standardised(matrix) @ values
    mean[np.diff(matrix.indptr) == 0] = np.nan
    return mean


def strong_neighbour(strong: ArrayLike, W: Weights) -> Floats:
    """Say whether any neighbour has the cluster strong.

    Args:
        strong: shape (R, I): true (1), false (0) or NaN where it is not known.
        W: weights, shape (R, R); only whether they are positive matters.

    Returns:
        Shape (R, I): 1 if a neighbour is known to be strong, 0 if all are known not to be, NaN if that hangs on a
        neighbour not known, and for islands.

    Raises:
        ClusterbookError: strong holds anything else, or W does not fit.

    Example:
        >>> strong_neighbour([[True], [False], [False]], [[0, 1, 0], [1, 0, 1], [0, 1, 0]])[:, 0]
        array([0., 1., 0.])
    """
    values, matrix = _prepare(strong, W)
    unknown = np.isnan(values)
    if not np.isin(values[~unknown], (0, 1)).all():
        raise ClusterbookError("strong holds values other than true, false and NaN.")
    matrix.data[:] = 1
    yes, perhaps = matrix @ np.where(unknown, 0.0, values), matrix @ unknown.astype(np.float64)
    flag = np.where(yes > 0, 1.0, np.where(perhaps > 0, np.nan, 0.0))
    flag[np.diff(matrix.indptr) == 0] = np.nan
    return flag


def _prepare(Y: ArrayLike, W: Weights) -> tuple[Floats, Weights]:
    values = np.asarray(Y, dtype=np.float64)
    if values.ndim != 2:
        raise ClusterbookError(f"Y has shape {values.shape}. Give regions x industries, e.g. y.reshape(-1, 1) for one.")
    if np.isinf(values).any():
        raise ClusterbookError("Y holds infinite values. Replace them, e.g. quotients over a total of zero, by NaN.")
    return values, weights_matrix(W, len(values))


def _like(X: ArrayLike, values: Floats) -> Floats:
    other = np.asarray(X, dtype=np.float64)
    if other.shape != values.shape or np.isinf(other).any():
        raise ClusterbookError(f"X has shape {other.shape}, Y {values.shape}: they go column for column, without inf.")
    return other


def _deviations(values: Floats) -> tuple[Floats, Floats]:
    """Return deviations from the mean and the sum of their squares, NaN where there is no variation."""
    z = values - values.mean(axis=0)
    constant = values.max(axis=0) == values.min(axis=0)  # rounding of the mean is not variation
    spread = np.where(constant, np.nan, (z**2).sum(axis=0))
    return z, spread


def _global(zx: Floats, zy: Floats, matrix: Weights, spread: Floats) -> Floats:
    statistic: Floats = len(zx) / matrix.sum() * np.einsum("ri,ri->i", zx, matrix @ zy) / spread
    return statistic


def _variance(matrix: Weights, n: int, kurtosis: Floats) -> Floats:
    s0 = matrix.sum()
    s1 = ((matrix + matrix.T).power(2)).sum() / 2
    s2 = ((matrix.sum(axis=1) + matrix.sum(axis=0)) ** 2).sum()
    first = n * ((n**2 - 3 * n + 3) * s1 - n * s2 + 3 * s0**2)
    second = kurtosis * ((n**2 - n) * s1 - 2 * n * s2 + 6 * s0**2)
    return np.asarray((first - second) / ((n - 1) * (n - 2) * (n - 3) * s0**2) - 1 / (n - 1) ** 2)


def _random_statistics(
    zx: Floats | None, zy: Floats, matrix: Weights, spread: Floats, permutations: int, seed: int
) -> Floats:
    """Return the statistic for random orders of y; x stays where it is, or moves with y where it is None."""
    _require_permutations(permutations)
    rng = np.random.default_rng(seed)
    drawn = []
    for _ in range(permutations):
        moved = zy[rng.permutation(len(zy))]
        drawn.append(_global(moved if zx is None else zx, moved, matrix, spread))
    return np.stack(drawn)


def _tails(drawn: Floats, statistic: Floats) -> tuple[Floats, Floats]:
    """Count random statistics at least and at most the real one, ties (up to rounding) in both."""
    above = (drawn >= statistic - 1e-10).sum(axis=0)
    below = (drawn <= statistic + 1e-10).sum(axis=0)
    undefined = np.isnan(statistic)
    return np.where(undefined, np.nan, above), np.where(undefined, np.nan, below)


def _two_sided(above: Floats, below: Floats, permutations: int) -> Floats:
    return np.minimum(2 * (np.minimum(above, below) + 1) / (permutations + 1), 1.0)


def _local(x_values: Floats, values: Floats, matrix: Weights, permutations: int, seed: int) -> LocalMoran:
    zx, x_spread = _deviations(x_values)
    zy, y_spread = _deviations(values)
    lag = matrix @ zy
    statistic = len(values) * zx * lag / np.sqrt(x_spread * y_spread)
    statistic[np.diff(matrix.indptr) == 0] = np.nan
    undefined = np.isnan(statistic)
    quadrant = np.where(zx > 0, np.where(lag > 0, 1, 4), np.where(lag > 0, 2, 3))
    p = np.where(undefined, np.nan, _lag_p(values, matrix, permutations, seed))
    return LocalMoran(statistic, p, np.where(undefined, 0, quadrant).astype(np.int8))


def _lag_p(values: Floats, matrix: Weights, permutations: int, seed: int) -> Floats:
    """Return the two-sided p of the neighbours of each region, shape (R, I).

    One test serves all local statistics: given the region's own value, each is an increasing or decreasing function of
    the sum over its neighbours.
    """
    from clusterbook.measures import _kernels

    _require_permutations(permutations)
    regions = len(values)
    degrees = np.diff(matrix.indptr)
    orders = _orders(regions, min(int(degrees.max(initial=0)) + 1, regions), permutations, seed)
    known = ~np.isnan(values).any(axis=0)
    columns = np.ascontiguousarray(values[:, known].T)
    tolerance = 1e-12 * orders.shape[1] * np.abs(columns).max(axis=1, initial=0.0)
    weight = np.divide(matrix.sum(axis=1), degrees, out=np.zeros(regions), where=degrees > 0)
    if np.allclose(matrix.data, np.repeat(weight, degrees), rtol=1e-12, atol=0):
        binary = matrix.copy()
        binary.data[:] = 1
        lags = np.ascontiguousarray((binary @ columns.T).T)
        start, draw, place = _occurrences(orders, regions)
        tails = _kernels.lag_tails_equal(columns, lags, degrees, orders, start, draw, place, tolerance)
    else:
        lags = np.ascontiguousarray((matrix @ columns.T).T)
        tails = _kernels.lag_tails(columns, lags, matrix.indptr, matrix.data, orders, tolerance)
    p = np.full(values.shape, np.nan)
    p[:, known] = _two_sided(tails[0], tails[1], permutations).T
    return p


def _require_permutations(permutations: int) -> None:
    if permutations < 1:
        raise ClusterbookError(
            f"permutations={permutations}: a permutation test needs at least 1, and 999 to mean much."
        )


def _orders(regions: int, longest: int, permutations: int, seed: int) -> NDArray[np.int64]:
    """Draw the beginnings of random orders of the regions, shape (permutations, longest)."""
    rng = np.random.default_rng(seed)
    return np.stack([rng.choice(regions, longest, replace=False) for _ in range(permutations)])


def _occurrences(orders: NDArray[np.int64], regions: int) -> tuple[NDArray[np.int64], ...]:
    """List for each region in which orders it occurs, and at what place."""
    flat = orders.ravel()
    place = np.argsort(flat, kind="stable")
    start = np.concatenate([[0], np.bincount(flat, minlength=regions).cumsum()])
    return start, place // orders.shape[1], place % orders.shape[1]


def _g_star(values: Floats, matrix: Weights) -> Floats:
    n = len(values)
    own = matrix.max(axis=1).toarray().ravel()
    lag = matrix @ values + own[:, None] * values
    total = (matrix.sum(axis=1) + own)[:, None]
    squares = (matrix.power(2).sum(axis=1) + own**2)[:, None]
    _, spread = _deviations(values)
    return _standardised(lag - total * values.mean(axis=0), spread / n, (n * squares - total**2) / max(n - 1, 1))


def _g_others(values: Floats, matrix: Weights) -> Floats:
    n = len(values)
    if n < 3:
        return np.full(values.shape, np.nan)
    z, spread = _deviations(values)
    mean = -z / (n - 1)  # of the others, as deviation from the mean of all
    variance = (spread - z**2) / (n - 1) - mean**2
    variance[variance <= 1e-12 * spread] = np.nan  # the others are all alike
    total = matrix.sum(axis=1)[:, None]
    squares = matrix.power(2).sum(axis=1)[:, None]
    return _standardised(matrix @ z - total * mean, variance, ((n - 1) * squares - total**2) / (n - 2))


def _standardised(excess: Floats, variance: Floats, factor: Floats) -> Floats:
    # Where everybody is a neighbour there is nothing to compare with; rounding must not hide it.
    scale = np.sqrt(variance * np.where(factor > 1e-9, factor, np.nan))
    return np.asarray(excess / scale)


def _benjamini_hochberg(columns: Floats) -> Floats:
    """Adjust every column by itself."""
    tests = (~np.isnan(columns)).sum(axis=0)
    order = np.argsort(columns, axis=0)  # NaN last
    rank = np.arange(1, len(columns) + 1)[:, None]
    scaled = np.take_along_axis(columns, order, axis=0) * tests / rank
    # The least of all later ones; NaN, at the end, must not spread.
    scaled = np.fmin.accumulate(scaled[::-1], axis=0)[::-1]
    adjusted = np.empty_like(columns)
    np.put_along_axis(adjusted, order, scaled, axis=0)
    adjusted[np.isnan(columns)] = np.nan
    return adjusted
