"""Stability: would the same clusters be found if other regions had been looked at?

Regions are drawn anew with replacement and the chosen way of forming clusters is gone through again. Sides that do not
come from regions (trade, occupations, classification) stay as they are: stability speaks of the geography only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clusterbook.clusters.candidates import partition
from clusterbook.clusters.refine import refine
from clusterbook.clusters.search import Candidate, mixed
from clusterbook.clusters.similarity import locational_similarities, on_one_scale

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Stability:
    """How a partition of I industries into n clusters holds out in samples of the regions.

    ``rand`` (B,): adjusted Rand index of each sample's partition with the partition; ``together`` (I, I): in which
    share of the samples two industries are in one cluster; ``industries`` (I,): mean of ``together`` with the other
    members of the own cluster (NaN alone); ``clusters`` (n,): mean Jaccard index of the cluster with the most alike
    cluster of each sample.

    Source: Hubert and Arabie (1985), Journal of Classification 2 (adjusted Rand index); Hennig (2007), Computational
    Statistics & Data Analysis 52 (clusters one by one: above 0.75 stable, below 0.5 dissolved).
    """

    rand: Floats
    together: Floats
    industries: Floats
    clusters: Floats


def bootstrap(
    chosen: Candidate,
    labels: Integers,
    size: Floats,
    establishments: Floats | None,
    total: Floats,
    other_sides: Mapping[str, Floats],
    *,
    samples: int = 100,
    seed: int = 0,
    progress: Callable[[int], None] | None = None,
) -> Stability:
    """Repeat the forming of clusters on samples of the regions.

    Args:
        chosen: how clusters are formed: mixture, scale, algorithm.
        labels: shape (I,), the clusters after refining, to compare with.
        size, establishments: shape (R, I), the industries that are grouped; total: shape (R,).
        other_sides: the sides that do not depend on regions, raw.
        samples: how often.
        progress: called with the number of samples done.
    """
    rng = np.random.default_rng(seed)
    fixed = {name: on_one_scale(other_sides[name], chosen.scale) for name in chosen.weights if name in other_sides}
    found = []
    for done in range(samples):
        drawn = rng.integers(0, len(total), len(total))
        sides = locational_similarities(
            size[drawn], None if establishments is None else establishments[drawn], total[drawn]
        )
        scaled = fixed | {
            name: on_one_scale(matrix, chosen.scale) for name, matrix in sides.items() if name in chosen.weights
        }
        affinity = mixed(scaled, chosen.weights)
        found.append(refine(affinity, partition(affinity, chosen.algorithm, chosen.clusters, seed=seed)))
        if progress is not None:
            progress(done + 1)
    return summarise(labels, found)


def summarise(labels: Integers, found: list[Integers]) -> Stability:
    """Compare the partitions of the samples with the partition.

    Example:
        >>> stability = summarise(np.array([0, 0, 1, 1]), [np.array([0, 0, 1, 1]), np.array([0, 0, 1, 2])])
        >>> stability.clusters.tolist(), stability.industries.tolist()
        ([1.0, 0.75], [1.0, 1.0, 0.5, 0.5])
    """
    from sklearn.metrics import adjusted_rand_score

    n = int(labels.max()) + 1
    own = np.eye(n)[labels]
    together = np.zeros((len(labels), len(labels)))
    jaccard = np.zeros(n)
    for other in found:
        theirs = np.eye(int(other.max()) + 1)[other]
        together += theirs @ theirs.T
        common = own.T @ theirs
        union = own.sum(axis=0)[:, None] + theirs.sum(axis=0)[None, :] - common
        jaccard += (common / union).max(axis=1)
    together /= len(found)
    fellows = own @ own.T - np.eye(len(labels))
    counts = fellows.sum(axis=1)
    industries = np.where(counts > 0, (together * fellows).sum(axis=1) / np.maximum(counts, 1), np.nan)
    rand = np.array([adjusted_rand_score(labels, other) for other in found])
    return Stability(rand, together, industries, jaccard / len(found))
