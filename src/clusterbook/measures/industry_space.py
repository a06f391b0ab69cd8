"""The industry space: which ties to draw, and where to place what they tie."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import minimum_spanning_tree, shortest_path

Floats = NDArray[np.float64]

_ROUNDS = 300  # of the layout; it has long settled by then


def strongest_ties(near: Floats, links: int = 300) -> NDArray[np.intp]:
    """Return which pairs to draw: the tree of the greatest sum of proximity, then the strongest ties beside it.

    Args:
        near: relatedness of pairs, shape (I, I), symmetric, not negative, 0 on the diagonal and where unrelated.
        links: how many ties; the tree, which holds everything together, is whole even if it has more.

    Returns:
        Pairs of rows, shape (n, 2).

    Example:
        >>> import numpy as np
        >>> strongest_ties(np.array([[0, 0.9, 0.8], [0.9, 0, 0.1], [0.8, 0.1, 0]]), 2).tolist()
        [[0, 1], [0, 2]]

    Source: Hidalgo, Klinger, Barabási and Hausmann (2007), The product space conditions the development of nations,
    Science 317.
    """
    # The tree of least cost; costs stay above 0 because 0 means no tie there.
    cost = np.where(near > 0, 1 + near.max() - near, 0.0)
    tree = minimum_spanning_tree(sparse.csr_array(cost)).toarray() > 0
    in_tree = np.triu(tree | tree.T)
    here, there = np.nonzero(np.triu(near) * ~in_tree)
    strongest = np.argsort(-near[here, there], kind="stable")[: max(links - int(in_tree.sum()), 0)]
    return np.vstack([np.argwhere(in_tree), np.column_stack([here, there])[strongest]])


def place_by_ties(ties: NDArray[np.intp], count: int) -> Floats:
    """Place points such that distances are like numbers of steps along ties, near ones counting most.

    The places come from the ties alone and are the same in every run.

    Args:
        ties: pairs of points, shape (n, 2).
        count: number of points.

    Returns:
        Shape (count, 2), both from 0 to 1.

    Example:
        >>> import numpy as np
        >>> place_by_ties(np.array([[0, 1], [1, 2]]), 3)[:, 0].round(1).tolist()
        [1.0, 0.5, 0.0]

    Source: stress majorisation, Gansner, Koren and North (2005), Graph drawing by stress majorization, Graph Drawing
    2004, Lecture Notes in Computer Science 3383.
    """
    graph = sparse.coo_array((np.ones(len(ties)), (ties[:, 0], ties[:, 1])), shape=(count, count)).tocsr()
    steps = shortest_path(graph, directed=False, unweighted=True)
    apart_ones = ~np.isfinite(steps)
    steps[apart_ones] = steps[~apart_ones].max() + 2  # parts without ties stand beside each other
    weight = np.divide(1.0, steps**2, out=np.zeros_like(steps), where=steps > 0)
    pull = np.linalg.pinv(np.diag(weight.sum(axis=1)) - weight)
    place = _first_guess(steps)
    for _ in range(_ROUNDS):
        distance = np.linalg.norm(place[:, None] - place[None], axis=2)
        ratio = np.divide(weight * steps, distance, out=np.zeros_like(distance), where=distance > 1e-9)
        place = pull @ ((np.diag(ratio.sum(axis=1)) - ratio) @ place)
    return np.column_stack([_unit_interval(place[:, 0]), _unit_interval(place[:, 1])])


def _first_guess(steps: Floats) -> Floats:
    """Place points by classical scaling, a spiral added so that no two start at the same place."""
    count = len(steps)
    centring = np.eye(count) - 1 / count
    values, vectors = np.linalg.eigh(-0.5 * centring @ steps**2 @ centring)
    turn = np.arange(count)
    spiral = 0.01 * np.sqrt(turn)[:, None] * np.column_stack([np.cos(2.4 * turn), np.sin(2.4 * turn)])
    first = np.zeros((count, 2))
    first[:, : min(2, count)] = vectors[:, ::-1][:, :2] * np.sqrt(np.maximum(values[::-1][:2], 0))
    # An eigenvector is as good with the other sign; the entry of the greatest size decides.
    first *= np.where(first[np.abs(first).argmax(axis=0), range(2)] < 0, -1.0, 1.0)
    return np.asarray(first + spiral)


def _unit_interval(values: Floats) -> Floats:
    """Map values to 0 to 1 between their least and their greatest; all to 0 where they are the same."""
    low, high = values.min(), values.max()
    return np.asarray((values - low) / (high - low if high > low else 1.0))
