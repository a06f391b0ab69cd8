"""Relations of clusters: which are related, where they overlap, and what groups there are inside one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clusterbook.clusters.candidates import ward_partitions
from clusterbook.clusters.validation import to_clusters, validation_scores

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

RELATED_QUANTILE = 0.9
RELATED_SHARE = 0.2


def related_clusters(affinity: Floats, labels: Integers) -> tuple[Booleans, Floats, Floats]:
    """Tell which clusters are related: two lenient rules that must both hold.

    Clusters c and d are related when their mean similarity is among the highest tenth of all pairs, and at least a
    fifth of the industries of one of them has with the other a mean similarity in the highest tenth of all such.

    Returns:
        ``related`` (n, n), symmetric; ``similarity`` (n, n), mean similarity of pairs across (diagonal NaN);
        ``share`` (n, n), the share of industries of the row's cluster that are close to the column's.

    Source: fields of the US Cluster Mapping Project ('related_i20_90'), as we read their names.
    """
    n = int(labels.max()) + 1
    between = validation_scores(affinity, labels).between
    _, means = to_clusters(affinity, labels)
    means[np.arange(len(labels)), labels] = np.nan
    close = means >= np.nanquantile(means, RELATED_QUANTILE)
    one_hot = np.eye(n)[labels]
    share = one_hot.T @ close / one_hot.sum(axis=0)[:, None]
    high = between >= np.nanquantile(between, RELATED_QUANTILE)
    related = high & (np.maximum(share, share.T) >= RELATED_SHARE)
    return np.asarray(related), between, np.asarray(share)


def soft_membership(affinity: Floats, labels: Integers) -> Floats:
    """Return how much of each industry belongs to each cluster, shape (I, n), rows adding up to 1.

    In proportion to its mean similarity to the cluster, where that is above average (above 0) and at least half of
    its similarity to its own cluster; an industry that is close to no cluster is all its own cluster's. Use it to
    count an industry in several clusters without counting it twice.

    Source: our own rule; Porter (2003), Regional Studies 37, has broad clusters that overlap.
    """
    rows = np.arange(len(labels))
    own, means = to_clusters(affinity, labels)
    means[rows, labels] = own
    kept = np.where((means > 0) & (means >= own[:, None] / 2), means, 0.0)
    total = kept.sum(axis=1, keepdims=True)
    exclusive = np.eye(means.shape[1])[labels]
    return np.asarray(np.where((own[:, None] > 0) & (total > 0), kept / np.where(total > 0, total, 1), exclusive))


def subclusters(affinity: Floats, labels: Integers, *, smallest: int = 3) -> Integers:
    """Divide each cluster in groups by Ward's method; return group numbers (I,) that start from 0 in each cluster.

    The number of groups is that with the highest mean silhouette width, if it is positive and no group has fewer than
    ``smallest`` industries; otherwise the cluster stays whole.

    Source: Delgado, Porter and Stern (2016) divide clusters by the same steps; silhouettes: Rousseeuw (1987), Journal
    of Computational and Applied Mathematics 20.
    """
    groups = np.zeros(len(labels), dtype=np.int64)
    for cluster in range(int(labels.max()) + 1):
        members = np.flatnonzero(labels == cluster)
        inside = affinity[np.ix_(members, members)]
        most = len(members) // smallest
        if most >= 2:
            cuts = [c for c in ward_partitions(inside, range(2, min(most, 6) + 1)) if np.bincount(c).min() >= smallest]
            best = max(cuts, key=lambda cut: _silhouette(inside, cut), default=None)
            if best is not None and _silhouette(inside, best) > 0:
                groups[members] = best
    return groups


def _silhouette(affinity: Floats, labels: Integers) -> float:
    """Mean silhouette width with the distance 'highest similarity less similarity'."""
    own, means = to_clusters(affinity, labels)
    top = affinity.max()
    means[np.arange(len(labels)), labels] = -np.inf
    inside, outside = top - own, top - means.max(axis=1)
    return float(np.mean((outside - inside) / np.maximum(np.maximum(inside, outside), 1e-12)))
