"""How good a set of cluster definitions is: relatedness within clusters against relatedness between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class ValidationScores:
    """Scores of one partition of I industries into n clusters under one similarity matrix.

    ``own`` (I,): mean similarity of each industry to the other members of its cluster, 0 for one alone.
    ``within`` (n,): mean similarity of pairs inside each cluster, NaN for clusters of one industry.
    ``between`` (n, n): mean similarity of pairs across clusters, NaN on the diagonal.
    The four shares count clusters (industries) whose similarity within exceeds the average, or the 95th percentile, of
    their similarities to other clusters. Clusters of one industry have no 'within' and are left out of all four.
    """

    own: Floats
    within: Floats
    between: Floats
    cluster_average: float
    cluster_95: float
    industry_average: float
    industry_95: float

    @property
    def mean(self) -> float:
        """The mean of the four shares: the score by which sets are compared."""
        return float(np.mean([self.cluster_average, self.cluster_95, self.industry_average, self.industry_95]))


def validation_scores(similarity: Floats, labels: Integers) -> ValidationScores:
    """Score a partition as Delgado, Porter and Stern (2016) do.

    Args:
        similarity: shape (I, I), symmetric; the diagonal is not used. NaN (an unknown pair) counts as 0: put the
            matrix on a scale whose average is 0 first (``similarity.on_one_scale``).
        labels: shape (I,), cluster numbers 0..n-1, each used at least once, n >= 2.

    Example:
        >>> import numpy as np
        >>> similarity = np.array([[1, .9, .1, .1], [.9, 1, .1, .1], [.1, .1, 1, .8], [.1, .1, .8, 1]])
        >>> validation_scores(similarity, np.array([0, 0, 1, 1])).mean
        1.0
    """
    own, others = to_clusters(similarity, labels)
    n = others.shape[1]
    if n < 2:
        raise ValueError("a partition needs at least two clusters to be scored")
    one_hot = np.eye(n)[labels]
    size = one_hot.sum(axis=0)
    several = size > 1
    within = np.where(several, one_hot.T @ own / size, np.nan)
    rows = np.arange(len(labels))
    between = one_hot.T @ others / size[:, None]
    outside = between.copy()
    np.fill_diagonal(between, np.nan)
    np.fill_diagonal(outside, np.inf)
    others[rows, labels] = np.inf
    scored = several[labels]
    return ValidationScores(
        own,
        within,
        between,
        *(_share_above(within[several], level) for level in _levels(outside[several])),
        *(_share_above(own[scored], level) for level in _levels(others[scored])),
    )


def to_clusters(similarity: Floats, labels: Integers) -> tuple[Floats, Floats]:
    """Return each industry's mean similarity to its own cluster's other members (I,) and to every cluster (I, n).

    In the second, the own cluster's column counts the industry itself as 0; use the first for it. An industry alone in
    its cluster has 0 in the first.
    """
    one_hot = np.eye(int(labels.max()) + 1)[labels]
    size = one_hot.sum(axis=0)
    clean = np.nan_to_num(similarity) if np.isnan(similarity.sum()) else similarity
    sums = clean @ one_hot
    rows = np.arange(len(labels))
    sums[rows, labels] -= np.diag(clean)
    own = sums[rows, labels] / np.maximum(size[labels] - 1, 1)
    return own, sums / size


def _levels(rows: Floats) -> tuple[Floats, Floats]:
    """Return the mean and the 95th percentile (linear interpolation) of each row, without its one infinite entry."""
    if not len(rows):
        return np.empty(0), np.empty(0)
    ordered = np.sort(rows, axis=1)[:, :-1]
    position = 0.95 * (ordered.shape[1] - 1)
    low = int(position)
    high = min(low + 1, ordered.shape[1] - 1)
    ninety_five = ordered[:, low] + (position - low) * (ordered[:, high] - ordered[:, low])
    return ordered.mean(axis=1), ninety_five


def _share_above(own: Floats, benchmark: Floats) -> float:
    return float(np.mean(own > benchmark)) if len(own) else float("nan")
