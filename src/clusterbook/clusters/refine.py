"""Refine a set of clusters: dissolve clusters that are too small, move industries that are closer to another."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from clusterbook.clusters.candidates import contiguous
from clusterbook.clusters.validation import to_clusters, validation_scores

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

MARGINAL, SYSTEMIC = "marginal", "systemic"
_SWEEPS = 20


def refine(affinity: Floats, labels: Integers, *, smallest: int = 3) -> Integers:
    """Return the partition after small clusters are dissolved and outliers moved.

    1. The smallest cluster with fewer than ``smallest`` industries is dissolved: its industries go where their mean
       similarity is highest. Again, until none is left.
    2. Every industry that is closer to another cluster than to its own moves there, as long as its own keeps
       ``smallest``. The whole sweep is kept if the industries' validation score does not fall, else the half of the
       moves that gain most, and so on. Sweeps end when no move is kept.

    The order of industries decides ties, so the result is the same each time.

    Args:
        affinity: shape (I, I), symmetric, diagonal 0.
        labels: shape (I,).

    Source: the fifth step of Delgado, Porter and Stern (2016), made deterministic.
    """
    labels = _without_small(affinity, contiguous(labels), smallest)
    for _ in range(_SWEEPS):
        moved = _sweep(affinity, labels, smallest)
        if moved is None:
            break
        labels = moved
    return contiguous(labels)


def _without_small(affinity: Floats, labels: Integers, smallest: int) -> Integers:
    while True:
        sizes = np.bincount(labels)
        least = int(sizes.argmin())
        if sizes[least] >= smallest or len(sizes) <= 2:
            return labels
        _, means = to_clusters(affinity, labels)
        means[:, least] = -np.inf
        labels = contiguous(np.where(labels == least, means.argmax(axis=1), labels))


def _sweep(affinity: Floats, labels: Integers, smallest: int) -> Integers | None:
    """Return the partition after the best moves that do not lower the score; None when there are none."""
    own, means = to_clusters(affinity, labels)
    means[np.arange(len(labels)), labels] = -np.inf
    target = means.argmax(axis=1)
    gain = means.max(axis=1) - own
    movers = np.argsort(-gain, kind="stable")
    movers = movers[gain[movers] > 1e-12]
    before = _industry_score(affinity, labels)
    while len(movers):
        after = _moved(labels, movers, target, smallest)
        if (after != labels).any() and _industry_score(affinity, after) > before:
            return after
        movers = movers[: len(movers) // 2]
    return None


def _moved(labels: Integers, movers: Integers, target: Integers, smallest: int) -> Integers:
    after = labels.copy()
    sizes = np.bincount(labels)
    for k in movers:
        if sizes[after[k]] > smallest:
            sizes[after[k]] -= 1
            sizes[target[k]] += 1
            after[k] = target[k]
    return after


def _industry_score(affinity: Floats, labels: Integers) -> float:
    scores = validation_scores(affinity, labels)
    own, _ = to_clusters(affinity, labels)
    # The share of industries that fit is coarse; the mean fit breaks its ties.
    return scores.industry_average + scores.industry_95 + 1e-3 * float(own.mean())


def outliers(sides: Mapping[str, Floats], affinity: Floats, labels: Integers) -> list[str | None]:
    """Say which industries fit badly: 'systemic', 'marginal' or None.

    Systemic: on every side the industry is no closer to its own cluster than to the average other one; it belongs
    nowhere in particular. Marginal: by the mixture of sides, another cluster is closer than its own.

    Source: Delgado, Porter and Stern (2016).
    """
    lost = np.ones(len(labels), dtype=bool)
    for matrix in sides.values():
        own, means = to_clusters(matrix, labels)
        lost &= own <= _mean_of_others(means, labels)
    own, means = to_clusters(affinity, labels)
    means[np.arange(len(labels)), labels] = -np.inf
    closer = means.max(axis=1) > own
    return [SYSTEMIC if s else MARGINAL if m else None for s, m in zip(lost, closer, strict=True)]


def _mean_of_others(means: Floats, labels: Integers) -> Floats:
    total = means.sum(axis=1) - means[np.arange(len(labels)), labels]
    return np.asarray(total / max(means.shape[1] - 1, 1))
