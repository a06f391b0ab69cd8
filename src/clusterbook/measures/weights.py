"""Spatial weights: which regions are neighbours, as a sparse matrix W of shape (R, R).

W_rs is the weight of region s among the neighbours of r. All makers return SciPy CSR arrays in the order of the codes
or points given, with a zero diagonal; a region without neighbours (an island) is an empty row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import shapely
from numpy.typing import ArrayLike
from scipy import sparse
from scipy.spatial import cKDTree

from clusterbook.data.regions import Regions
from clusterbook.data.shapes import touching
from clusterbook.errors import ClusterbookError
from clusterbook.measures.points import Floats, in_metres

Weights = Any  # a SciPy CSR array (R, R); functions that take W also take other sparse formats and plain arrays


def contiguity(
    regions: Regions, codes: Sequence[str], *, rule: Literal["queen", "rook"] = "queen", gap: float = 0.0
) -> Weights:
    """Make neighbours of regions that touch.

    Args:
        regions: with shapes in ``geometry``.
        codes: the R regions wanted, in the order wanted.
        rule: 'queen' for a common point, 'rook' for a common line.
        gap: degrees by which shapes may be apart and still touch, for borders that were not drawn from the same
            points. With a gap the rook's rule is not defined.

    Returns:
        Shape (R, R), symmetric, 1 for neighbours.

    Raises:
        ClusterbookError: a region has no shape, or the arguments do not fit.

    Example:
        >>> import polars as pl, shapely
        >>> shapes = {code: shapely.to_wkb(shapely.box(x, 0, x + 1, 1)) for x, code in enumerate("ABC")}
        >>> regions = Regions(pl.DataFrame({"region": list("ABC"), "name": list("ABC")}), geometry=shapes)
        >>> contiguity(regions, ["A", "B", "C"]).toarray()
        array([[0., 1., 0.],
               [1., 0., 1.],
               [0., 1., 0.]])

    Source: the moves of the chess pieces, after Cliff and Ord (1973), Spatial Autocorrelation.
    """
    if rule not in ("queen", "rook"):
        raise ClusterbookError(f"rule='{rule}' is not known. Use 'queen' or 'rook'.")
    if rule == "rook" and gap:
        raise ClusterbookError("A gap leaves no common line to find: use rule='queen' with it.")
    shapes = _shapes(regions, codes)
    here, there = touching(shapes, rule=rule, gap=gap)
    return _symmetric(here, there, np.ones(len(here)), len(shapes))


def centres(regions: Regions, codes: Sequence[str]) -> Floats:
    """Return a point within each region, as longitude and latitude; ``on_sphere`` turns them into metres.

    Args:
        regions: with shapes in ``geometry``.
        codes: the R regions wanted, in the order wanted.

    Returns:
        Shape (R, 2), degrees. The centroid where it lies within the region, else a point that does.

    Raises:
        ClusterbookError: a region has no shape.

    Example:
        >>> import polars as pl, shapely
        >>> frame = pl.DataFrame({"region": ["A"], "name": ["A"]})
        >>> centres(Regions(frame, geometry={"A": shapely.to_wkb(shapely.box(0, 0, 2, 1))}), ["A"])
        array([[1. , 0.5]])
    """
    shapes = _shapes(regions, codes)
    middle = shapely.centroid(shapes)
    inside = shapely.contains(shapes, middle)
    return np.asarray(shapely.get_coordinates(np.where(inside, middle, shapely.point_on_surface(shapes))))


def k_nearest(points: ArrayLike, k: int) -> Weights:
    """Make neighbours of the k nearest others. Nobody is an island, but the relation is not symmetric.

    Args:
        points: shape (R, 2), metres, or (R, 3) from ``on_sphere``.
        k: number of neighbours, from 1 to R - 1.

    Returns:
        Shape (R, R) with k ones in each row. Among others at the same distance the choice is arbitrary, but the same
        in every run.

    Raises:
        ClusterbookError: points are not metres, or k does not fit.

    Example:
        >>> k_nearest([[0, 0], [1000, 0], [5000, 0]], 1).toarray()
        array([[0., 1., 0.],
               [1., 0., 0.],
               [0., 1., 0.]])
    """
    metres = in_metres(points)
    count = len(metres)
    if not 1 <= k < count:
        raise ClusterbookError(f"k={k} neighbours of {count} regions: choose k from 1 to {count - 1}.")
    nearest = np.asarray(cKDTree(metres).query(metres, k + 1)[1])
    others = nearest != np.arange(count)[:, None]
    # Where more than k share one point, the region itself may be missing among its nearest: drop the last instead.
    others[others.all(axis=1), -1] = False
    columns = nearest[others]
    return sparse.csr_array((np.ones(count * k), (np.repeat(np.arange(count), k), columns)), shape=(count, count))


def distance_band(points: ArrayLike, reach: float, *, power: float = 0.0) -> Weights:
    """Make neighbours of all within a distance.

    Args:
        points: shape (R, 2), metres, or (R, 3) from ``on_sphere``.
        reach: metres; the ends are included.
        power: the weight is distance to the power of minus this; 0 weighs all neighbours the same.

    Returns:
        Shape (R, R), symmetric.

    Raises:
        ClusterbookError: points are not metres, reach is not positive, or two points coincide while power is not 0.

    Example:
        >>> distance_band([[0, 0], [1000, 0], [5000, 0]], 4000, power=1).toarray()
        array([[0.     , 0.001  , 0.     ],
               [0.001  , 0.     , 0.00025],
               [0.     , 0.00025, 0.     ]])
    """
    metres = in_metres(points)
    if not reach > 0 or power < 0:
        raise ClusterbookError(
            f"reach={reach} and power={power}: the reach has to be positive, the power not negative."
        )
    here, there = cKDTree(metres).query_pairs(reach, output_type="ndarray").T
    distance = np.linalg.norm(metres[here] - metres[there], axis=1)
    if power and (distance == 0).any():
        raise ClusterbookError(
            "Two points coincide, so that their weight would be infinite. Use power=0 or merge them."
        )
    return _symmetric(here, there, distance**-power, len(metres))


def row_standardised(W: Weights) -> Weights:
    """Divide every row by its sum, so that W @ y is the mean of the neighbours. Empty rows stay empty.

    Example:
        >>> row_standardised(k_nearest([[0, 0], [1000, 0], [5000, 0]], 2)).toarray()
        array([[0. , 0.5, 0.5],
               [0.5, 0. , 0.5],
               [0.5, 0.5, 0. ]])
    """
    matrix = weights_matrix(W)
    total = matrix.sum(axis=1)
    scale = np.divide(1.0, total, out=np.zeros_like(total), where=total > 0)
    return sparse.csr_array(sparse.diags_array(scale) @ matrix)


def weights_matrix(W: Weights, count: int | None = None) -> Weights:
    """Return W as a CSR array without stored zeros after checking that it is a matrix of weights.

    Args:
        W: any SciPy sparse matrix or an array, (R, R).
        count: the R it has to have.

    Raises:
        ClusterbookError: not square, of the wrong size, a weight that is negative, missing or infinite, or a region
            that is its own neighbour.

    Example:
        >>> weights_matrix([[0, 1], [1, 0]]).nnz
        2
    """
    matrix: Weights = sparse.csr_array(W, dtype=np.float64)
    wanted = matrix.shape[0] if count is None else count
    if matrix.shape != (wanted, wanted):
        raise ClusterbookError(f"W has shape {matrix.shape}; {wanted} regions need ({wanted}, {wanted}).")
    if not (np.isfinite(matrix.data).all() and (matrix.data >= 0).all()):
        raise ClusterbookError("W holds negative, missing or infinite weights. Weights are from 0 up.")
    if matrix.diagonal().any():
        raise ClusterbookError("W makes regions neighbours of themselves. Set its diagonal to zero.")
    matrix = matrix.copy()
    matrix.eliminate_zeros()
    return matrix


def _shapes(regions: Regions, codes: Sequence[str]) -> np.ndarray:
    missing = [code for code in codes if code not in regions.geometry]
    if missing:
        raise ClusterbookError(
            f"{len(missing)} of {len(codes)} regions have no shape: {', '.join(missing[:5])}"
            f"{' ...' if len(missing) > 5 else ''}. Leave them out, or add their shapes to the regions."
        )
    return np.asarray(shapely.from_wkb([regions.geometry[code] for code in codes]), dtype=object)


def _symmetric(here: np.ndarray, there: np.ndarray, weight: Floats, count: int) -> Weights:
    rows, columns = np.concatenate([here, there]), np.concatenate([there, here])
    return sparse.csr_array((np.concatenate([weight, weight]), (rows, columns)), shape=(count, count))
