"""How good a set of cluster definitions is: relatedness within clusters against relatedness between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ValidationScores:
    """Scores of one partition of I industries into n clusters under one similarity matrix.

    ``within`` (n,): mean similarity of pairs inside each cluster, NaN for clusters of one industry.
    ``between`` (n, n): mean similarity of pairs across clusters, NaN on the diagonal.
    The four shares count clusters (industries) whose similarity within exceeds the average, or the 95th percentile, of
    their similarities to other clusters. Clusters of one industry have no 'within' and are left out of all four.
    """

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


def validation_scores(similarity: Floats, labels: NDArray[np.int64]) -> ValidationScores:
    """Score a partition as Delgado, Porter and Stern (2016) do.

    Args:
        similarity: shape (I, I), symmetric; the diagonal is not used.
        labels: shape (I,), cluster numbers 0..n-1, each used at least once, n >= 2.

    Example:
        >>> import numpy as np
        >>> similarity = np.array([[1, .9, .1, .1], [.9, 1, .1, .1], [.1, .1, 1, .8], [.1, .1, .8, 1]])
        >>> validation_scores(similarity, np.array([0, 0, 1, 1])).mean
        1.0
    """
    n = int(labels.max()) + 1
    if n < 2:
        raise ValueError("a partition needs at least two clusters to be scored")
    one_hot = np.eye(n)[labels]
    size = one_hot.sum(axis=0)
    off_diagonal = similarity - np.diag(np.diag(similarity))
    to_cluster = off_diagonal @ one_hot  # (I, n): sum of similarities of an industry to each cluster
    pair_sums = one_hot.T @ to_cluster
    several = size > 1
    pairs = np.where(several, size * (size - 1), 1.0)
    within = np.where(several, np.diag(pair_sums) / pairs, np.nan)
    between = pair_sums / np.outer(size, size)
    np.fill_diagonal(between, np.nan)

    own = to_cluster[np.arange(len(labels)), labels] / np.maximum(size[labels] - 1, 1)
    others = to_cluster / size
    others[np.arange(len(labels)), labels] = np.nan
    scored = several[labels]
    return ValidationScores(
        within,
        between,
        *(_share_above(within[several], rows) for rows in _benchmarks(between[several])),
        *(_share_above(own[scored], rows) for rows in _benchmarks(others[scored])),
    )


def _benchmarks(rows: Floats) -> tuple[Floats, Floats]:
    """Return the mean and the 95th percentile of each row, without its NaN."""
    if not len(rows):
        return np.empty(0), np.empty(0)
    return np.nanmean(rows, axis=1), np.nanquantile(rows, 0.95, axis=1)


def _share_above(own: Floats, benchmark: Floats) -> float:
    return float(np.mean(own > benchmark)) if len(own) else float("nan")
