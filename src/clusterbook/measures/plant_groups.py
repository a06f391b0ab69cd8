"""Groups of plants on the map (DBSCAN, HDBSCAN), held against what the map of all plants would give by chance."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from clusterbook.errors import ClusterbookError
from clusterbook.measures.points import Floats, flags_of, in_metres, weights_of

Method = Literal["dbscan", "hdbscan"]


class PlantGroups(NamedTuple):
    """Groups of the plants of an industry, the largest first.

    ``label`` (n,) numbers the group of each plant from 0, -1 for none. Of shape (G,): ``plants`` and ``weight`` are the
    size of each group, ``quotient`` the industry's share of all plants within the group's convex hull by its share of
    all plants, ``p`` the share of random industries that have a group of at least as many plants.
    """

    label: NDArray[np.int64]
    plants: NDArray[np.int64]
    weight: Floats
    quotient: Floats
    p: Floats


def plant_groups(
    points: ArrayLike,
    member: ArrayLike,
    *,
    method: Method = "dbscan",
    radius: float | None = None,
    fewest: int = 5,
    weights: ArrayLike | None = None,
    simulations: int = 99,
    seed: int = 0,
) -> PlantGroups:
    """Group the plants of an industry that stand close together, and test the groups.

    Neither method is a test: plants of any industry crowd in towns. Chance is as many places drawn without replacement
    from those of all plants, grouped in the same way; each group is held against the largest random one, which
    accounts for looking everywhere at once.

    Args:
        points: all plants, shape (P, 2), metres.
        member: shape (P,), true for the n plants of the industry.
        method: 'dbscan' joins plants in whose ``radius`` there are at least ``fewest``, themselves included, and what
            lies in their radius; 'hdbscan' finds groups of different density by itself.
        radius: of 'dbscan', metres.
        fewest: plants of a group; 2 or more.
        weights: sizes of plants, shape (P,), e.g. jobs: they are added up and change no group. Default: 1 each.
        simulations: number of random industries, at least 1.
        seed: of the draws.

    Returns:
        ``PlantGroups``; empty arrays and labels of -1 where nothing is dense.

    Raises:
        ClusterbookError: fewer than ten plants, coordinates in degrees, or arguments that do not fit.

    Example:
        >>> rng = np.random.default_rng(1)
        >>> everywhere, together = rng.uniform(0, 100_000, (300, 2)), rng.uniform(40_000, 45_000, (12, 2))
        >>> found = plant_groups(np.vstack([everywhere, together]), np.arange(312) >= 290, radius=4_000)
        >>> found.plants, found.p
        (array([12]), array([0.01]))

    Source: Ester et al. (1996), KDD; Campello, Moulavi and Sander (2013), PAKDD; both by scikit-learn. The test: ours.
    """
    metres = in_metres(points)
    flags = flags_of("member", member, len(metres))
    sizes = weights_of(weights, len(metres))
    places = np.flatnonzero(flags)
    if metres.shape[1] != 2:
        raise ClusterbookError("Groups have a hull on the map: give points on a plane, (n, 2).")
    if len(places) < 10:
        raise ClusterbookError(f"The industry has {len(places)} plants; groups need at least 10. Take a coarser one.")
    if simulations < 1 or fewest < 2:
        raise ClusterbookError(f"simulations={simulations}, fewest={fewest}: take at least 1 and at least 2.")
    label = _by_size(_labels(metres[places], method, radius, fewest))
    rng = np.random.default_rng(seed)
    largest = np.zeros(simulations)
    for s in range(simulations):
        random = metres[rng.choice(len(metres), len(places), replace=False)]
        largest[s] = _counts(_labels(random, method, radius, fewest)).max(initial=0)
    plants = _counts(label)
    grouped = label >= 0
    weight = np.bincount(label[grouped], sizes[places][grouped], minlength=len(plants)).astype(np.float64)
    quotient = np.array([_quotient(metres, flags, places[label == group]) for group in range(len(plants))])
    p = (1 + (largest >= plants[:, None]).sum(axis=1)) / (simulations + 1)
    return PlantGroups(label, plants, weight, quotient, p)


def _labels(metres: Floats, method: Method, radius: float | None, fewest: int) -> NDArray[np.int64]:
    from sklearn.cluster import DBSCAN, HDBSCAN

    if method == "dbscan":
        if radius is None or not radius > 0:
            raise ClusterbookError(f"radius={radius}: DBSCAN needs the metres within which plants are close.")
        model = DBSCAN(eps=radius, min_samples=fewest)
    elif method == "hdbscan":
        if radius is not None:
            raise ClusterbookError("HDBSCAN finds its distances by itself: leave radius out, or use method='dbscan'.")
        model = HDBSCAN(min_cluster_size=fewest, copy=True)
    else:
        raise ClusterbookError(f"method='{method}' is not known. Use 'dbscan' or 'hdbscan'.")
    return np.asarray(model.fit_predict(metres), dtype=np.int64)


def _counts(label: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.bincount(label[label >= 0])


def _by_size(label: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number the groups from the largest to the smallest."""
    rank = np.argsort(np.argsort(-_counts(label), kind="stable"))
    return np.where(label >= 0, rank[label] if len(rank) else -1, -1)


def _quotient(metres: Floats, flags: NDArray[np.bool_], group: NDArray[np.int64]) -> float:
    """Return the industry's share of the plants in the hull of a group by its share of all plants."""
    hull = shapely.convex_hull(shapely.multipoints(metres[group]))
    inside = shapely.intersects_xy(hull, metres[:, 0], metres[:, 1])
    inside[group] = True  # a plant on the hull must not fall out by rounding
    return float(flags[inside].mean() / flags.mean())
