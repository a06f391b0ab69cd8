"""Who stands around a plant: Ripley's K and L, Marcon and Puech's M and m, Scholl and Brenner's index of single firms.

Plants are points in metres, shape (P, 2), or (P, 3) from ``clusterbook.measures.points.on_sphere``. Longitudes and
latitudes are refused. A plant is never its own neighbour; another at the same place is one at distance 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from clusterbook.errors import ClusterbookError
from clusterbook.measures.localisation import Curve, bands, require_simulations
from clusterbook.measures.points import Flags, Floats, flags_of, in_metres, weights_of

Indices = NDArray[np.int64]
_CELLS = 1 << 22  # numbers held at a time


def ripley_k(
    points: ArrayLike,
    window: shapely.Geometry,
    distances: ArrayLike,
    *,
    correction: Literal["none", "translation", "isotropic"] = "isotropic",
) -> Floats:
    """Compute Ripley's K: the mean number of neighbours within a distance, by what there is on a unit of area.

    K(r) = |A| / (n (n - 1)) sum_{i != j} w_ij 1{d_ij <= r}; pi r^2 for points that know nothing of each other on
    homogeneous ground. Firms stand on no such ground: towns alone make K large. Use ``marcon_puech`` to judge an
    industry, K to describe plants.

    Args:
        points: shape (n, 2), metres.
        window: the polygon A in which points were looked for, in the same coordinates.
        distances: at which to compute, ascending metres (D,).
        correction: what is made of neighbours that lie unseen beyond the edge. 'none' ignores them (too small);
            'translation' weighs a pair by |A| / |A and A shifted by the pair's difference|; 'isotropic' by 1 / (share
            within A of the circle around i through j). The last two are unbiased.

    Returns:
        Shape (D,), square metres. NaN for fewer than two points.

    Raises:
        ClusterbookError: points outside the window, coordinates in degrees, or arguments that do not fit.

    Example:
        >>> square = shapely.box(0, 0, 10_000, 10_000)
        >>> corners = [[1000, 1000], [1000, 9000], [9000, 1000], [9000, 9000]]
        >>> ripley_k(corners, square, [7000, 8000], correction="none") / 1e6
        array([ 0.        , 66.66666667])

    Source: Ripley (1976, 1977); translation: Ohser (1983). The share of circles is taken from polygons of 360 sides.
    """
    if correction not in ("none", "translation", "isotropic"):
        raise ClusterbookError(f"correction='{correction}' is not known. Use 'none', 'translation' or 'isotropic'.")
    metres, grid = in_metres(points), _ascending(distances)
    if metres.shape[1] != 2:
        raise ClusterbookError("Ripley's K needs points on a plane, (n, 2), as its window is one.")
    outside = ~shapely.intersects_xy(window, metres[:, 0], metres[:, 1])
    if outside.any():
        raise ClusterbookError(f"{int(outside.sum())} of {len(metres)} points lie outside the window. Widen it.")
    n = len(metres)
    if n < 2:
        return np.full(len(grid), np.nan)
    here, there = cKDTree(metres).query_pairs(grid[-1], output_type="ndarray").T
    step = metres[there] - metres[here]
    distance = np.sqrt((step**2).sum(axis=1))
    if correction == "none":
        weight = np.full(len(distance), 2.0)
    elif correction == "translation":
        weight = 2 * _translation(window, step)
    else:
        weight = _isotropic(window, metres[here], distance) + _isotropic(window, metres[there], distance)
    place = np.searchsorted(grid, distance)
    near = np.bincount(place, weight, minlength=len(grid) + 1)[: len(grid)].cumsum()
    return np.asarray(shapely.area(window) / (n * (n - 1)) * near)


def ripley_l(K: ArrayLike) -> Floats:
    """Turn Ripley's K into L = sqrt(K / pi), which is r itself for points that know nothing of each other.

    Args:
        K: square metres, any shape, not negative.

    Returns:
        The same shape, metres. NaN stays NaN.

    Example:
        >>> ripley_l(np.pi * np.array([100.0, 400.0]))
        array([10., 20.])

    Source: Besag (1977), in the discussion of Ripley's paper.
    """
    return np.asarray(np.sqrt(np.asarray(K, dtype=np.float64) / np.pi))


def marcon_puech(
    points: ArrayLike,
    member: ArrayLike,
    distances: ArrayLike,
    *,
    to: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    form: Literal["M", "m"] = "M",
    bandwidth: float | None = None,
    simulations: int = 0,
    level: float = 0.05,
    seed: int = 0,
) -> Curve:
    """Compute how over-represented an industry is around its own plants (Marcon and Puech's M and m).

    M(r) = sum_i [V_i(r) / W_i(r)] / sum_i [V_i / W_i] over the plants i of the industry, V_i(r) the weight of its other
    plants within r of i, W_i(r) that of all other plants, V_i and W_i the same everywhere. 1 is as everywhere, 2 twice
    as much. Plants without neighbours within r are left out of both sums. It needs no correction for edges.

    Args:
        points: all plants, shape (P, 2 or 3), metres.
        member: shape (P,), true for the plants of the industry.
        distances: at which to compute, ascending metres (D,).
        to: shape (P,), true for the plants of another industry to be counted around those of the first
            (co-localisation). Default: the industry itself.
        weights: sizes of plants, shape (P,), e.g. jobs. Default: 1 each.
        form: 'M' counts up to each distance, 'm' at it: with normal weights around r instead of 1 within r.
        bandwidth: of 'm', metres. Default: 0.9 min(sd, IQR / 1.34) N^(-1/5) of the N distances up to twice the largest
            asked for between the plants in question.
        simulations: number of random relabellings: types and weights move together over the places. With ``to`` the
            first industry stays and all others move. 0 leaves the bands out.
        level: as in ``localisation.k_density``.
        seed: of the relabellings.

    Returns:
        A ``Curve``; values from 0 up. NaN where no plant has a neighbour, and for an industry of a single plant. Bands
        are NaN at distances where a random industry has no neighbours.

    Raises:
        ClusterbookError: an industry without plants or weight, coordinates in degrees, or arguments that do not fit.

    Example:
        >>> plants = [[0, 0], [1000, 0], [0, 5000], [9000, 9000], [8000, 9000], [9000, 5000]]
        >>> silk = [True, True, False, False, False, False]
        >>> marcon_puech(plants, silk, [1000, 6000]).value
        array([5. , 2.5])

    Source: Marcon and Puech (2010), Measures of the geographic concentration of industries, Journal of Economic
    Geography 10; m: Lang, Marcon and Puech (2020), The Annals of Regional Science 64.
    """
    metres, grid = in_metres(points), _ascending(distances)
    cases = flags_of("member", member, len(metres))
    targets = cases if to is None else flags_of("to", to, len(metres))
    sizes = weights_of(weights, len(metres))
    require_simulations(simulations, level)
    if form not in ("M", "m"):
        raise ClusterbookError(f"form='{form}' is not known. Use 'M' (up to each distance) or 'm' (at each distance).")
    if not sizes[cases].any() or not sizes[targets].any():
        raise ClusterbookError("An industry without plants, or without weight, is nowhere over-represented.")
    edges, smooth = (grid, None) if form == "M" else _normal_weights(metres, cases | targets, grid, bandwidth)
    around = _Around(metres, edges, smooth, None if np.ptp(sizes) else sizes)
    everyone = np.arange(len(metres))
    value = _relative(around, everyone[None], cases, targets, sizes)[0]
    rng = np.random.default_rng(seed)
    moving = everyone if to is None else np.flatnonzero(~cases)
    places = np.tile(everyone, (simulations, 1))
    places[:, moving] = rng.permuted(places[:, moving], axis=1)
    chunk = max(1, _CELLS // (int(cases.sum()) * len(edges)))
    parts = [_relative(around, places[k : k + chunk], cases, targets, sizes) for k in range(0, simulations, chunk)]
    return Curve(grid, value, *bands(np.concatenate([np.empty((0, len(grid))), *parts]), level))


class FirmIndex(NamedTuple):
    """Value of the index for each plant of an industry and its p, both of shape (n,)."""

    value: Floats
    p: Floats


def exponential_decay(half: float) -> Callable[[Floats], Floats]:
    """Return the weight of distance that is 1 at 0 and halves every ``half`` metres.

    Example:
        >>> exponential_decay(20_000)(np.array([0.0, 20_000, 40_000]))
        array([1.  , 0.5 , 0.25])
    """
    return lambda distance: np.asarray(0.5 ** (distance / half))


def scholl_brenner(
    points: ArrayLike,
    member: ArrayLike,
    decay: Callable[[Floats], Floats],
    *,
    simulations: int = 1000,
    seed: int = 0,
) -> FirmIndex:
    """Compute how close each plant of an industry is to the rest of it, by what any such place would see.

    D_i = mean of f(d_ij) over the n - 1 other plants of the industry, index = D_i / mean of f(d_ij) over all other
    plants. Chance is n - 1 places drawn without replacement from those of all other plants. The mean of the index over
    plants tells of the industry, its skew whether a few clusters make it up.

    Args:
        points: all plants, shape (P, 2 or 3), metres.
        member: shape (P,), true for the n plants of the industry.
        decay: f, not negative and falling with distance; e.g. ``exponential_decay(20_000)``.
        simulations: number of random industries, at least 1.
        seed: of the draws.

    Returns:
        Value and p (one-sided: of being that close by chance), each (n,), in the order of the plants. NaN if the
        industry is a single plant or nobody is within reach of f.

    Raises:
        ClusterbookError: no plants in the industry, coordinates in degrees, or arguments that do not fit.

    Example:
        >>> plants = np.array([[0, 0], [1, 0], [60, 80], [62, 80], [30, 10], [90, 10]]) * 1000
        >>> silk = np.array([True, True, False, True, False, False])
        >>> scholl_brenner(plants, silk, exponential_decay(20_000)).value.round(2)
        array([1.77, 1.76, 0.13])

    Source: Scholl and Brenner (2016), Detecting spatial clustering using a firm-level cluster index, Regional Studies
    50. The form of f is left to the caller, the benchmark is computed and not simulated: ours.
    """
    metres = in_metres(points)
    places = np.flatnonzero(flags_of("member", member, len(metres)))
    others = len(places) - 1
    if others < 0 or simulations < 1:
        raise ClusterbookError(f"{len(places)} plants and simulations={simulations}: both have to be at least 1.")
    if others == 0:
        return FirmIndex(np.full(1, np.nan), np.full(1, np.nan))
    rng = np.random.default_rng(seed)
    orders = np.stack([rng.choice(len(metres), others + 1, replace=False) for _ in range(simulations)])
    rows = max(1, _CELLS // len(metres))
    parts = [_firms(metres, places[k : k + rows], places, decay, orders) for k in range(0, len(places), rows)]
    return FirmIndex(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _firms(
    metres: Floats,
    rows: Indices,
    places: Indices,
    decay: Callable[[Floats], Floats],
    orders: Indices,
) -> tuple[Floats, Floats]:
    """Return index and p of some plants."""
    from clusterbook.measures import _kernels

    distance = np.sqrt(((metres[rows, None] - metres) ** 2).sum(axis=2))
    near = np.asarray(decay(distance), dtype=np.float64)
    if near.shape != distance.shape or not (np.isfinite(near).all() and (near >= 0).all()):
        raise ClusterbookError("decay has to give a finite weight from 0 up for every distance, also for 0 metres.")
    near[np.arange(len(rows)), rows] = 0.0
    found = near[:, places].sum(axis=1)
    drawn = _kernels.random_sums(near, rows, orders)
    total = near.sum(axis=1)
    reached = np.where(total > 0, total, np.nan)
    p = (1 + (drawn >= found[:, None] * (1 - 1e-12)).sum(axis=1)) / (len(orders) + 1)
    index = found / (len(places) - 1) / (reached / (len(metres) - 1))
    return index, np.where(np.isnan(reached), np.nan, p)


class _Around:
    """Sums of weights around plants, by distance; those of all plants are kept when they are all the same size."""

    def __init__(self, metres: Floats, edges: Floats, smooth: Floats | None, sizes: Floats | None) -> None:
        self._metres, self._squared, self._smooth = metres, edges**2, smooth
        everyone = np.arange(len(metres))[None]
        self._all = None if sizes is None else self(everyone, everyone, sizes)[0]

    def __call__(self, rows: Indices, columns: Indices, sizes: Floats) -> Floats:
        """Return the weight of ``columns`` (draws, c) near each of ``rows`` (draws, n), shape (draws, n, D)."""
        from clusterbook.measures import _kernels

        found = _kernels.neighbour_histograms(self._metres, rows, columns, sizes, self._squared)
        return np.asarray(found.cumsum(axis=2) if self._smooth is None else found @ self._smooth)

    def everyone(self, rows: Indices, places: Indices, sizes: Floats) -> Floats:
        """Return the weight of all plants near each of ``rows`` when they stand at ``places``."""
        return self(rows, places, sizes) if self._all is None else self._all[rows]


def _relative(around: _Around, places: Indices, cases: Flags, targets: Flags, sizes: Floats) -> Floats:
    """Return M or m, shape (draws, D), when plant p stands where plant places[draw, p] really is."""
    rows = places[:, cases]
    of_targets = around(rows, places[:, targets], sizes[targets])
    of_all = around.everyone(rows, places, sizes)
    ratio = np.divide(of_targets, of_all, out=np.zeros_like(of_all), where=of_all > 0)
    everywhere = sizes[targets].sum() - np.where(targets, sizes, 0.0)[cases]
    rest = sizes.sum() - sizes[cases]
    expected = np.divide(everywhere, rest, out=np.zeros_like(rest), where=rest > 0)
    below = np.where(of_all > 0, expected[:, None], 0.0).sum(axis=1)
    undefined = np.full(below.shape, np.nan)
    return np.asarray(np.divide(ratio.sum(axis=1), below, out=undefined, where=below > 0))


def _normal_weights(metres: Floats, flags: Flags, grid: Floats, bandwidth: float | None) -> tuple[Floats, Floats]:
    """Return edges of fine bins and the normal density of each bin's middle around each distance."""
    if bandwidth is None:
        near = _distances_within(metres[flags], 2 * grid[-1])
        if len(near) < 2 or not np.ptp(near):
            raise ClusterbookError("Too few distances to choose a bandwidth by. Give bandwidth in metres.")
        quartiles = np.quantile(near, [0.25, 0.75])
        bandwidth = 0.9 * float(min(near.std(ddof=1), np.ptp(quartiles) / 1.34)) * float(len(near) ** -0.2)
    if not bandwidth > 0:
        raise ClusterbookError(f"bandwidth={bandwidth}: it has to be more than 0 metres.")
    bins = int(np.ceil((grid[-1] + 4 * bandwidth) / (bandwidth / 16)))
    edges = (np.arange(bins) + 1) * bandwidth / 16
    middle = edges - bandwidth / 32
    return edges, np.asarray(np.exp(-0.5 * ((middle[:, None] - grid) / bandwidth) ** 2))


def _distances_within(metres: Floats, reach: float) -> Floats:
    here, there = cKDTree(metres).query_pairs(reach, output_type="ndarray").T
    return np.asarray(np.linalg.norm(metres[here] - metres[there], axis=1))


def _ascending(distances: ArrayLike) -> Floats:
    grid = np.asarray(distances, dtype=np.float64)
    if grid.ndim != 1 or not len(grid) or not (grid[0] >= 0 and (np.diff(grid) > 0).all() and np.isfinite(grid[-1])):
        raise ClusterbookError("distances have to be ascending metres from 0 up.")
    return grid


def _translation(window: shapely.Geometry, step: Floats) -> Floats:
    """Return |A| / |A and A shifted|; a step that leaves nothing in common cannot be seen, so it does not occur."""
    shifted = [shapely.transform(window, lambda xy, by=by: xy + by) for by in step]
    return np.asarray(shapely.area(window) / shapely.area(shapely.intersection(window, shifted)))


def _isotropic(window: shapely.Geometry, centre: Floats, distance: Floats) -> Floats:
    """Return one by the share of the circle around each centre that lies in the window."""
    weight = np.ones(len(distance))
    middle = shapely.points(centre)
    cut = shapely.distance(middle, shapely.boundary(window)) < distance
    circles = shapely.boundary(shapely.buffer(middle[cut], distance[cut], quad_segs=90))
    weight[cut] = shapely.length(circles) / shapely.length(shapely.intersection(circles, window))
    return weight
