"""Candidate partitions of industries: several ways to form groups from one matrix of similarities.

All take an affinity (I, I): symmetric, higher is more alike, diagonal 0 (``similarity.on_one_scale``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import cut_tree, linkage
from scipy.sparse import csr_matrix
from scipy.sparse.linalg import eigsh
from scipy.spatial.distance import pdist

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

#: Enough axes to tell industries apart; k-means on them is several times faster than on whole rows.
_AXES = 60
#: Each industry is tied to this many most similar ones in the graph that communities are sought in.
_NEIGHBOURS = 10
_RESOLUTIONS = np.geomspace(0.25, 64, 33)
ALGORITHMS = ("Ward", "k-means", "k-medoids", "Leiden")


def candidates(affinity: Floats, numbers: Sequence[int], *, seed: int = 0) -> Iterator[tuple[str, Integers]]:
    """Yield partitions with numbers of clusters among ``numbers``: name of the algorithm and labels (I,) from 0.

    Ward's method and k-means see each industry as the row of its similarities to all industries, as Delgado, Porter
    and Stern do; k-medoids and Leiden see the pairs. K-means and k-medoids start from Ward's cut, so they need no luck.
    """
    ward = ward_partitions(affinity, numbers)
    points = _embedding(affinity)
    for labels in ward:
        yield "Ward", labels
        yield "k-medoids", k_medoids(affinity, labels)
        yield "k-means", k_means(points, labels)
    for labels in communities(affinity, numbers, seed=seed):
        yield "Leiden", labels


def partition(affinity: Floats, algorithm: str, number: int, *, seed: int = 0) -> Integers:
    """Return the partition of one algorithm with this number of clusters; Leiden's may have a few more or fewer."""
    if algorithm == "Leiden":
        for slack in (0, 2, 5, number):
            found = communities(affinity, range(max(2, number - slack), number + slack + 1), seed=seed)
            if found:
                return min(found, key=lambda labels: abs(int(labels.max()) + 1 - number))
    ward = ward_partitions(affinity, [number])[0]
    if algorithm == "k-medoids":
        return k_medoids(affinity, ward)
    return k_means(_embedding(affinity), ward) if algorithm == "k-means" else ward


def ward_partitions(affinity: Floats, numbers: Sequence[int]) -> list[Integers]:
    """Cut Ward's tree of the rows of the affinity at each number of clusters."""
    tree = linkage(pdist(affinity), "ward")
    cuts = cut_tree(tree, n_clusters=list(numbers)).astype(np.int64)
    return [cuts[:, k] for k in range(len(numbers))]


def k_means(points: Floats, labels: Integers) -> Integers:
    """Improve a partition of points (I, d) by k-means."""
    from sklearn.cluster import KMeans

    one_hot = np.eye(int(labels.max()) + 1)[labels]
    centres = one_hot.T @ points / one_hot.sum(axis=0)[:, None]
    return contiguous(KMeans(len(centres), init=centres, n_init=1).fit(points).labels_)


def k_medoids(affinity: Floats, labels: Integers, *, rounds: int = 50) -> Integers:
    """Improve a partition by turns: each cluster's most central member, then each industry's nearest centre.

    Source: the alternating form of Park and Jun (2009), Expert Systems with Applications 36.

    Example:
        >>> affinity = np.array([[0, 2, -1, -1], [2, 0, -1, -1], [-1, -1, 0, 2], [-1, -1, 2, 0.0]])
        >>> k_medoids(affinity, np.array([0, 1, 1, 0])).tolist()
        [0, 0, 1, 1]
    """
    distance = affinity.max() - affinity
    np.fill_diagonal(distance, 0.0)
    labels = contiguous(labels)
    for _ in range(rounds):
        one_hot = np.eye(int(labels.max()) + 1)[labels]
        centres = np.where(one_hot > 0, distance @ one_hot, np.inf).argmin(axis=0)
        nearest = distance[:, centres].argmin(axis=1)
        nearest[centres] = np.arange(len(centres))
        if (nearest == labels).all():
            break
        labels = nearest
    return contiguous(labels)


def communities(affinity: Floats, numbers: Sequence[int], *, seed: int = 0) -> list[Integers]:
    """Find communities by Leiden in the graph of most similar industries, at resolutions that give the numbers wanted.

    Returns one partition for each number of clusters that some resolution gives within the range of ``numbers``.
    An industry that is like no other stands alone in the graph and is a community of its own.

    Source: Traag, Waltman and van Eck (2019), Scientific Reports 9.
    """
    from sknetwork.clustering import Leiden

    graph = nearest_graph(affinity)
    found: dict[int, Integers] = {}
    for resolution in _RESOLUTIONS:
        labels = contiguous(Leiden(resolution=float(resolution), random_state=seed).fit_predict(graph))
        number = int(labels.max()) + 1
        if number > max(numbers):
            break
        if number >= min(numbers):
            found.setdefault(number, labels)
    return list(found.values())


def nearest_graph(affinity: Floats) -> csr_matrix:
    """Return the graph (I, I) that ties each industry to its most similar ones; only positive similarities are ties."""
    count = len(affinity)
    nearest = max(2, min(_NEIGHBOURS, count // 4))
    rows = np.arange(count)[:, None]
    strongest = np.argsort(-affinity, axis=1, kind="stable")[:, :nearest]
    ties = np.zeros_like(affinity)
    ties[rows, strongest] = np.maximum(affinity[rows, strongest], 0)
    return csr_matrix(np.maximum(ties, ties.T))


def contiguous(labels: NDArray[np.integer]) -> Integers:
    """Number clusters 0..n-1 in the order in which they first occur."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    order = np.empty(len(first), dtype=np.int64)
    order[np.argsort(first)] = np.arange(len(first))
    return np.asarray(order[inverse])


def _embedding(affinity: Floats) -> Floats:
    """Return points (I, d) whose distances are those of the rows of the affinity, on its strongest axes."""
    count = len(affinity)
    if count <= 3 * _AXES:
        values, vectors = np.linalg.eigh(affinity)
    else:  # the iteration starts from the same vector each time, so that results are the same
        values, vectors = eigsh(affinity, k=_AXES, which="LM", v0=np.ones(count), tol=1e-6)
    strongest = np.argsort(-np.abs(values), kind="stable")[:_AXES]
    return np.asarray(vectors[:, strongest] * values[strongest])
