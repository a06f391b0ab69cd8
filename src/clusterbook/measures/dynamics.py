"""Dynamics: how much structures change, what makes growth unsteady, and how regions move between classes.

Arrays with time first: sizes E of shape (T, R, I), values Y and classes of shape (T, R).

Gaps: NaN (suppressed) makes NaN of whatever depends on it; in ``volatility`` and ``structural_change`` that is the
whole region, as its shares need all of its cells. Classes are integers from 0; where a value is NaN the class is -1,
and steps from or to it are not counted.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse, stats
from scipy.sparse.csgraph import connected_components
from scipy.special import rel_entr

from clusterbook.errors import ClusterbookError
from clusterbook.measures.concentration import Over, column_shares, require_sizes, size_columns
from clusterbook.measures.shift_share import ShiftShare, shift_share
from clusterbook.measures.spatial import neighbour_mean
from clusterbook.measures.weights import Weights

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class Volatility(NamedTuple):
    """The variance of yearly growth of each region (R,), and two ways to take it apart.

    ``single`` (R,) is what the industries' own ups and downs come to, ``joint`` (R,) what they add (or, negative, take
    away) by moving together; the two add up to ``variance``. So do the parts of the industries, ``industries`` (R, I).
    """

    variance: Floats
    single: Floats
    joint: Floats
    industries: Floats


class VolatilitySources(NamedTuple):
    """The variance of yearly growth by source, each (R,): the first three add up to ``variance``."""

    national: Floats
    mix: Floats
    regional: Floats
    variance: Floats


class Markov(NamedTuple):
    """Moves between k classes.

    ``counts`` (k, k) from the rows to the columns; ``probabilities`` (k, k), NaN in rows of classes that no step starts
    from; ``steady`` (k,) the shares of classes that such moves tend to; ``mobility`` from 0 (nobody moves) to
    k / (k - 1).
    """

    counts: Integers
    probabilities: Floats
    steady: Floats
    mobility: float


class Homogeneity(NamedTuple):
    """Tests of whether groups move by the same probabilities: Pearson's ``q`` and the likelihood ratio ``lr``.

    ``p_q`` and ``p_lr`` are from the chi-squared distribution with ``dof`` degrees of freedom.
    """

    q: float
    p_q: float
    lr: float
    p_lr: float
    dof: int


class SpatialMarkov(NamedTuple):
    """Moves between k classes by the class (of m) of the neighbours at the start of the step.

    ``counts`` and ``probabilities`` (m, k, k) and ``steady`` (m, k), one for each class of neighbours; ``test`` whether
    they differ.
    """

    counts: Integers
    probabilities: Floats
    steady: Floats
    test: Homogeneity


def structural_change(E0: ArrayLike, E1: ArrayLike, *, over: Over = "industries") -> Floats:
    """Return what part of a structure changed hands: 1/2 sum |s1 - s0|, the norm of absolute values.

    Args:
        E0: sizes at the start, shape (R, I), not negative.
        E1: sizes at the end, same shape.
        over: 'industries' looks at the structure of each region, 'regions' at the geography of each industry.

    Returns:
        Shape (R,) or (I,), from 0 (the same shares) to 1 (nothing in common). NaN for lines with a NaN or with nothing
        in them in either year.

    Raises:
        ClusterbookError: the arrays are not of sizes or do not fit each other, or ``over`` is not known.

    Example:
        >>> structural_change([[50, 50], [10, 90]], [[60, 40], [20, 180]]).round(4)
        array([0.1, 0. ])

    Source: Dietrich (2012), Does growth cause structural change, or is it the other way around?, Empirical
    Economics 43.
    """
    before, after = _structures(E0, E1, over)
    return np.asarray(np.abs(after - before).sum(axis=0) / 2)


def modified_lilien(E0: ArrayLike, E1: ArrayLike, *, over: Over = "industries") -> Floats:
    """Return how unevenly industries grew: the spread of their growth about the total, by their size.

    sqrt(sum s0 s1 ln(s1 / s0)^2); the same backwards in time. The logarithm is that of E1 / E0 less that of the total.

    Args:
        E0: sizes at the start, shape (R, I), not negative.
        E1: sizes at the end, same shape.
        over: 'industries' or 'regions', as in ``structural_change``.

    Returns:
        Shape (R,) or (I,), 0 or more. What appears or vanishes has no growth and counts for nothing: read it beside
        ``structural_change``, which sees both. NaN as there.

    Raises:
        ClusterbookError: as ``structural_change``.

    Example:
        >>> modified_lilien([[50, 50]], [[60, 40]]).round(4)
        array([0.1412])

    Source: Stamer (1999), Strukturwandel und wirtschaftliche Entwicklung in Deutschland, den USA und Japan; after
    Lilien (1982), Sectoral shifts and cyclical unemployment, Journal of Political Economy 90.
    """
    before, after = _structures(E0, E1, over)
    stays = (before > 0) & (after > 0)
    logarithm = np.log(np.divide(after, before, out=np.ones_like(after), where=stays))
    # Nothing x infinity is nothing here; NaN stays.
    return np.asarray(np.sqrt((before * after * logarithm**2).sum(axis=0)))


def volatility(E: ArrayLike) -> Volatility:
    """Take the variance of regional growth apart by industries, and by what they do alone and together.

    The growth of a region is the sum of what each industry contributes, c_ri = (E_ri,t - E_ri,t-1) / e_r,t-1. Its
    variance over the years is sum_i var(c_i) + sum_{i != j} cov(c_i, c_j), and the part of an industry cov(c_i, g).

    Args:
        E: sizes year by year, shape (T, R, I), not negative, T at least 3.

    Returns:
        The variance (with T - 2) and its parts, see ``Volatility``; their roots are standard deviations. NaN for
        regions with a NaN or with nothing in any year but the last.

    Raises:
        ClusterbookError: E is not of sizes or has less than three years.

    Example:
        >>> found = volatility([[[100, 100]], [[110, 90]], [[110, 110]], [[100, 120]]])
        >>> [part.round(4).tolist() for part in found]
        [[0.0033], [0.008], [-0.0047], [[-0.0001, 0.0034]]]

    Source: Conroy (1975), The concept and measurement of regional industrial diversification, Southern Economic Journal
    41 (variances and covariances of the portfolio of industries); parts by covariance with the total: ours.
    """
    years = _years(E, 3)
    total = _nothing_as_gap(years.sum(axis=2, keepdims=True)[:-1])
    contributions = np.diff(years, axis=0) / total
    deviation = contributions - contributions.mean(axis=0)
    growth = deviation.sum(axis=2, keepdims=True)
    steps = len(contributions) - 1
    single = np.asarray((deviation**2).sum(axis=(0, 2)) / steps)
    variance = np.asarray((growth**2).sum(axis=(0, 2)) / steps)
    return Volatility(variance, single, variance - single, np.asarray((deviation * growth).sum(axis=0) / steps))


def volatility_sources(E: ArrayLike) -> VolatilitySources:
    """Take the variance of regional growth apart by source: the nation's cycle, the mix of industries, the region.

    Every year's growth of a region is national growth + industry mix + the competitive part (``shift_share``, divided
    by the region's size); the share of a source in the variance is its covariance with the growth of the region. It is
    negative for what steadies growth.

    Args:
        E: sizes year by year, shape (T, R, I), not negative, T at least 3.

    Returns:
        Four arrays of shape (R,), variances with T - 2, see ``VolatilitySources``. NaN as in ``volatility``; a NaN is
        left out of the national totals of its step.

    Raises:
        ClusterbookError: as ``volatility``.

    Example:
        >>> found = volatility_sources([[[100], [100]], [[120], [100]], [[110], [110]], [[140], [100]]])
        >>> [part.round(4).tolist() for part in found]
        [[0.01, -0.0044], [0.0, 0.0], [0.0254, 0.0135], [0.0354, 0.0091]]

    Source: in the spirit of Koren and Tenreyro (2007), Volatility and development, Quarterly Journal of Economics 122,
    with the parts of shift-share in place of estimated factors: ours.
    """
    years = _years(E, 3)
    steps = [shift_share(years[t], years[t + 1]) for t in range(len(years) - 1)]
    total = _nothing_as_gap(years.sum(axis=2)[:-1])
    parts = ShiftShare._make(np.stack([step[k].sum(axis=1) for step in steps]) / total for k in range(3))
    deviations = [part - part.mean(axis=0) for part in parts]
    growth = sum(deviations, np.zeros_like(total))
    national, mix, regional, variance = (
        np.asarray((part * growth).sum(axis=0) / (len(steps) - 1)) for part in (*deviations, growth)
    )
    return VolatilitySources(national, mix, regional, variance)


def quantile_classes(Y: ArrayLike, k: int, *, pooled: bool = True) -> Integers:
    """Sort values into k classes of equal numbers.

    Args:
        Y: values, shape (T, R), e.g. location quotients, or sizes relative to the mean of their year.
        k: how many classes, 2 or more.
        pooled: edges from all years together, so that all may rise; otherwise of each year, so that one rises where
            another falls.

    Returns:
        Shape (T, R): 0 (lowest) to k - 1, -1 where Y is NaN. A value on an edge is in the class below. With many equal
        values classes are uneven or empty.

    Raises:
        ClusterbookError: Y is not two-dimensional or infinite, or k is below 2.

    Example:
        >>> quantile_classes([[1, 2, 3, 4], [2, 4, 6, 8]], 2).tolist()
        [[0, 0, 0, 1], [0, 1, 1, 1]]
        >>> quantile_classes([[1, 2, 3, 4], [2, 4, 6, 8]], 2, pooled=False).tolist()
        [[0, 0, 1, 1], [0, 0, 1, 1]]
    """
    values = np.asarray(Y, dtype=np.float64)
    if values.ndim != 2 or np.isinf(values).any():
        raise ClusterbookError(f"Y has shape {values.shape} or is infinite. Give years x regions.")
    if k < 2:
        raise ClusterbookError(f"k={k} is no number of classes. Give 2 or more.")
    known = ~np.isnan(values)
    classes = np.full(values.shape, -1, dtype=np.int64)
    for group in [slice(None)] if pooled else list(range(len(values))):
        here = known[group]
        if here.any():
            edges = np.quantile(values[group][here], np.arange(1, k) / k)
            classes[group] = np.where(here, np.searchsorted(edges, values[group]), -1)
    return classes


def markov(classes: ArrayLike, k: int) -> Markov:
    """Count how regions move between classes from one year to the next, and what that leads to.

    P_ab = N_ab / N_a.; steady state pi = pi P; mobility (k - tr P) / (k - 1), Shorrocks' index.

    Args:
        classes: shape (T, R), integers from 0 to k - 1, -1 for gaps, T at least 2.
        k: how many classes.

    Returns:
        See ``Markov``. The steady state is NaN where it is not one: no step starts from some class (its row is not
        known), or classes fall apart so that it depends on the start. So is mobility without all rows.

    Raises:
        ClusterbookError: classes are not integers in range, or there is but one year.

    Example:
        >>> counts, P, steady, mobility = markov([[0, 0, 1, 1], [0, 1, 1, 1], [0, 0, 1, 0]], 2)
        >>> counts.tolist(), P.round(2).tolist(), steady.round(2).tolist(), round(mobility, 2)
        ([[2, 1], [2, 3]], [[0.67, 0.33], [0.4, 0.6]], [0.55, 0.45], 0.73)

    Source: Quah (1993), Empirical cross-section dynamics in economic growth, European Economic Review 37; mobility:
    Shorrocks (1978), The measurement of mobility, Econometrica 46.
    """
    states = _states(classes, k, "classes")
    counts = _counts(states, np.zeros_like(states), k, 1)[0]
    P = _probabilities(counts)
    return Markov(counts, P, steady_state(P), float((k - np.trace(P)) / (k - 1)) if k > 1 else np.nan)


def steady_state(P: ArrayLike) -> Floats:
    """Return the shares of classes that a chain tends to, whatever it starts from: pi = pi P.

    Args:
        P: probabilities, shape (k, k), rows add up to 1.

    Returns:
        Shape (k,), adds up to 1. NaN where P has NaN, or where there are several ends (e.g. two classes that nobody
        leaves).

    Raises:
        ClusterbookError: P is not square, or rows do not add up to 1.

    Example:
        >>> steady_state([[0.9, 0.1], [0.3, 0.7]]).round(4)
        array([0.75, 0.25])
        >>> steady_state([[1, 0], [0, 1]])
        array([nan, nan])
    """
    matrix = np.asarray(P, dtype=np.float64)
    k = len(matrix)
    if matrix.shape != (k, k) or (matrix < 0).any() or (np.abs(matrix.sum(axis=1) - 1) > 1e-6).any():
        raise ClusterbookError(f"P has shape {matrix.shape}, or its rows do not add up to 1.")
    if np.isnan(matrix).any() or _ends(matrix) != 1:
        return np.full(k, np.nan)
    equations = np.vstack([matrix.T - np.eye(k), np.ones(k)])
    solution = np.linalg.lstsq(equations, np.append(np.zeros(k), 1.0), rcond=None)[0]
    return np.asarray(np.maximum(solution, 0.0))


def spatial_markov(Y: ArrayLike, W: Weights, *, k: int = 5, neighbours: int = 5, pooled: bool = True) -> SpatialMarkov:
    """Ask whether regions rise and fall otherwise among strong neighbours than among weak ones.

    Values and the means of their neighbours are sorted into quantiles; each step counts by the class of the neighbours
    at its start.

    Args:
        Y: values, shape (T, R), e.g. relative to the mean of their year; T at least 2.
        W: weights, shape (R, R); rows are standardised here.
        k: classes of the values, 2 or more.
        neighbours: classes of the neighbours, 2 or more.
        pooled: as in ``quantile_classes``, for both.

    Returns:
        See ``SpatialMarkov``. Islands, and regions with a NaN among their neighbours, are not counted. Rows that no
        step starts from are NaN, and so is the steady state that needs them.

    Raises:
        ClusterbookError: Y is not two-dimensional or infinite, W does not fit, or there are less than two classes or
            years.

    Example:
        >>> ring = [[0, 1, 0, 1], [1, 0, 1, 0], [0, 1, 0, 1], [1, 0, 1, 0]]
        >>> found = spatial_markov([[1, 4, 2, 3], [1, 3, 2, 4], [2, 3, 1, 4]], ring, k=2, neighbours=2)
        >>> found.counts.tolist()
        [[[0, 0], [0, 4]], [[4, 0], [0, 0]]]

    Source: Rey (2001), Spatial empirics for economic growth and convergence, Geographical Analysis 33.
    """
    states = _states(quantile_classes(Y, k, pooled=pooled), k, "Y")
    lag = neighbour_mean(np.asarray(Y, dtype=np.float64).T, W).T
    counts = _counts(states, quantile_classes(lag, neighbours, pooled=pooled), k, neighbours)
    P = np.stack([_probabilities(part) for part in counts])
    return SpatialMarkov(counts, P, np.stack([steady_state(part) for part in P]), homogeneity(counts))


def homogeneity(counts: ArrayLike) -> Homogeneity:
    """Test whether groups of regions (or periods) move between classes by the same probabilities.

    With n_gab moves, p_gab their shares of group g and class a, and p_ab those of all groups together:
    Q = sum n_ga (p_gab - p_ab)^2 / p_ab and LR = 2 sum n_gab ln(p_gab / p_ab). Degrees of freedom:
    sum_a (groups in a - 1) (classes reached from a - 1), so that what nobody does costs none.

    Args:
        counts: moves, shape (g, k, k), not negative.

    Returns:
        Both statistics with their p. NaN for p where there is nothing to compare (no degree of freedom). The p takes
        moves for independent, which neighbours' are not: it is too small.

    Raises:
        ClusterbookError: counts are of another shape, negative or missing.

    Example:
        >>> found = homogeneity([[[30, 10], [10, 30]], [[20, 20], [10, 30]]])
        >>> round(found.q, 3), round(found.p_q, 3), found.dof
        (5.333, 0.069, 2)

    Source: Bickenbach and Bode (2003), Evaluating the Markov property in studies of economic convergence, International
    Regional Science Review 26.
    """
    moves = np.asarray(counts, dtype=np.float64)
    if moves.ndim != 3 or moves.shape[1] != moves.shape[2] or not (np.isfinite(moves) & (moves >= 0)).all():
        raise ClusterbookError(f"counts have shape {moves.shape}, gaps or negative values. Give groups x k x k.")
    left, all_moves = moves.sum(axis=2, keepdims=True), moves.sum(axis=0)
    all_left = all_moves.sum(axis=1, keepdims=True)
    common = np.divide(all_moves, all_left, out=np.zeros_like(all_moves), where=all_left > 0)
    expected = left * common
    q = float(np.divide((moves - expected) ** 2, expected, out=np.zeros_like(moves), where=expected > 0).sum())
    lr = float(2 * rel_entr(moves, expected).sum())
    groups, reached = (left[:, :, 0] > 0).sum(axis=0), (all_moves > 0).sum(axis=1)
    dof = int((np.maximum(groups - 1, 0) * np.maximum(reached - 1, 0)).sum())
    p_q, p_lr = (float(stats.chi2.sf(value, dof)) if dof else np.nan for value in (q, lr))
    return Homogeneity(q, p_q, lr, p_lr, dof)


def _structures(E0: ArrayLike, E1: ArrayLike, over: Over) -> tuple[Floats, Floats]:
    before, after = size_columns(E0, over), size_columns(E1, over)
    if before.shape != after.shape:
        raise ClusterbookError(f"E0 and E1 differ in shape: {np.shape(E0)} and {np.shape(E1)}. Give the same cells.")
    return column_shares(before), column_shares(after)


def _years(E: ArrayLike, least: int) -> Floats:
    years = np.asarray(E, dtype=np.float64)
    if years.ndim != 3 or len(years) < least:
        raise ClusterbookError(f"E has shape {years.shape}. Give years x regions x industries, {least} years or more.")
    require_sizes("E", years)
    return years


def _nothing_as_gap(total: Floats) -> Floats:
    return np.where(total > 0, total, np.nan)


def _states(classes: ArrayLike, k: int, name: str) -> Integers:
    states = np.asarray(classes)
    if states.ndim != 2 or len(states) < 2:
        raise ClusterbookError(f"{name} has shape {states.shape}. Give years x regions, two years or more.")
    if states.dtype.kind not in "iu" or (states.size and not -1 <= states.min() <= states.max() < k):
        raise ClusterbookError(f"{name}: classes are integers from 0 to {k - 1}, or -1 for a gap.")
    return states.astype(np.int64)


def _counts(states: Integers, group: Integers, k: int, groups: int) -> Integers:
    """Count moves (groups, k, k) by the group at the start of the step; what is -1 is not counted."""
    start, end, kind = states[:-1].ravel(), states[1:].ravel(), group[:-1].ravel()
    known = (start >= 0) & (end >= 0) & (kind >= 0)
    cell = (kind[known] * k + start[known]) * k + end[known]
    return np.bincount(cell, minlength=groups * k * k).reshape(groups, k, k)


def _probabilities(counts: Integers) -> Floats:
    left = counts.sum(axis=1, keepdims=True)
    return np.asarray(counts / np.where(left > 0, left, np.nan))


def _ends(P: Floats) -> int:
    """Count the sets of classes that nobody leaves."""
    number, label = connected_components(sparse.csr_array((P > 0).astype(np.int8)), directed=True, connection="strong")
    leaves = (P > 0) & (label[:, None] != label)
    return int(number - len(np.unique(label[leaves.any(axis=1)])))
