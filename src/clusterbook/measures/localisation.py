"""Localisation without borders: are the plants of an industry closer to each other than plants in general?

Plants are points in metres, shape (P, 2), or (P, 3) from ``clusterbook.measures.points.on_sphere`` for distances over a
country or continent. Longitudes and latitudes are refused. Plants at the same place count as pairs at distance 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clusterbook.errors import ClusterbookError
from clusterbook.measures.points import Floats, flags_of, in_metres, weights_of

FEWEST_PLANTS = 10
_BINS = 2000  # of the histogram that is smoothed; the error against the exact density is below 1 in 1,000
_NARROWEST = 4  # bins a bandwidth spans at least
_REACH = 4.0  # bandwidths after which the kernel counts as zero
_MEMORY = 1 << 27  # bytes of histograms held at a time


@dataclass(frozen=True)
class Curve:
    """A statistic by distance with what chance alone gives.

    ``distances`` (D,) are metres and ``value`` (D,) the statistic. ``local`` and ``band``, both (2, D), are the lower
    and upper bounds from random plants: ``local`` at each distance by itself, ``band`` over all distances together.
    Without simulations both are NaN.
    """

    distances: Floats
    value: Floats
    local: Floats
    band: Floats

    @property
    def excess(self) -> Floats:
        """Return how far the value is above the global band at each distance: the index of localisation, (D,)."""
        return np.asarray(np.maximum(np.nan_to_num(self.value - self.band[1]), 0.0))

    @property
    def shortfall(self) -> Floats:
        """Return how far it is below, zero throughout where anything is localised: the index of dispersion, (D,)."""
        below = np.maximum(np.nan_to_num(self.band[0] - self.value), 0.0)
        return np.zeros_like(below) if self.localised else below

    @property
    def localised(self) -> bool:
        """Say whether the value is above the global band at any distance."""
        return bool((self.excess > 0).any())

    @property
    def dispersed(self) -> bool:
        """Say whether the value is below the global band somewhere and above it nowhere."""
        return bool((self.shortfall > 0).any())


def k_density(
    points: ArrayLike,
    member: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    distances: ArrayLike | None = None,
    bandwidth: float | None = None,
    simulations: int = 1000,
    level: float = 0.05,
    seed: int = 0,
) -> Curve:
    """Estimate the density of distances between the plants of an industry (Duranton and Overman).

    K(d) = sum_{i<j} w_i w_j [phi((d - d_ij) / h) + phi((d + d_ij) / h)] / (h sum_{i<j} w_i w_j), phi the standard
    normal density; the second term reflects at distance 0 what would leak below it. Chance is as many places, drawn
    without replacement from those of all plants; the industry's weights stand there in random order.

    Args:
        points: all plants where such plants can be (e.g. all of manufacturing), shape (P, 2 or 3), metres.
        member: shape (P,), true for the n plants of the industry, at least 10.
        weights: sizes of plants, shape (P,), e.g. jobs; each pair counts with their product. Default: 1 each.
        distances: at which to estimate, ascending metres (D,). Default: 101 from 0 to the median between all plants.
        bandwidth: h in metres. Default: 0.9 min(sd, IQR / 1.34) N^(-1/5) over the N = n (n - 1) / 2 distances of the
            industry, each counted once. Never below a five-hundredth of the largest distance asked for, which is what
            plants at one and the same place get.
        simulations: number of random industries; 0 leaves the bands out. Global bands need about 1,000.
        level: outside the local bounds at a distance is this share of random curves on either side; outside the global
            band anywhere is this share of random curves altogether.
        seed: of the draws.

    Returns:
        A ``Curve``; values are per metre.

    Raises:
        ClusterbookError: fewer than ten plants, no weight in two places, coordinates in degrees, or arguments that do
            not fit.

    Example:
        >>> rng = np.random.default_rng(1)
        >>> everywhere, together = rng.uniform(0, 100_000, (300, 2)), rng.uniform(40_000, 50_000, (20, 2))
        >>> plants = np.vstack([everywhere, together])
        >>> k_density(plants, np.arange(320) >= 300, simulations=200).localised
        True

    Source: Duranton and Overman (2005), Testing for localization using micro-geographic data, Review of Economic
    Studies 72. Distances are binned before smoothing; the exact density differs by less than 1 in 1,000.
    """
    metres = in_metres(points)
    places = np.flatnonzero(flags_of("member", member, len(metres)))
    grid = _grid(metres, distances, seed)
    industry = _industry(metres, places, weights_of(weights, len(metres))[places], grid, bandwidth, "The industry")
    return _curves(metres, [industry], grid, simulations, level, seed)[0]


def k_densities(
    points: ArrayLike,
    industries: Sequence[str] | NDArray[np.str_],
    *,
    weights: ArrayLike | None = None,
    distances: ArrayLike | None = None,
    simulations: int = 1000,
    level: float = 0.05,
    seed: int = 0,
) -> dict[str, Curve]:
    """Estimate the density of distances for every industry of a set of plants.

    The same as ``k_density`` for each. Without weights all industries share the random draws, the first n places of
    each being a random industry of n plants: the test of all costs as much as that of the largest one.

    Args:
        points: all plants, shape (P, 2 or 3), metres.
        industries: shape (P,), the industry of each plant.
        weights: as in ``k_density``.
        distances: as in ``k_density``; the same for all industries.
        simulations: as in ``k_density``.
        level: as in ``k_density``, for each industry by itself.
        seed: as in ``k_density``.

    Returns:
        A ``Curve`` for each industry with at least ten plants, in the order of their codes; those with fewer are left
        out.

    Raises:
        ClusterbookError: coordinates in degrees, or arguments that do not fit.

    Example:
        >>> rng = np.random.default_rng(1)
        >>> codes = np.array(["bakeries", "silk", "zeppelins"]).repeat([600, 12, 2])
        >>> plants = rng.uniform(0, 100_000, (614, 2)) / np.where(codes == "silk", 50, 1)[:, None]
        >>> found = k_densities(plants, codes, simulations=200)
        >>> list(found), found["silk"].localised
        (['bakeries', 'silk'], True)
    """
    metres = in_metres(points)
    codes = np.asarray(industries)
    if codes.shape != (len(metres),):
        raise ClusterbookError(f"industries have shape {codes.shape}. Name one for each of {len(metres)} plants.")
    sizes = weights_of(weights, len(metres))
    grid = _grid(metres, distances, seed)
    members = {str(code): np.flatnonzero(codes == code) for code in np.unique(codes)}
    members = {code: places for code, places in members.items() if len(places) >= FEWEST_PLANTS}
    found = [_industry(metres, places, sizes[places], grid, None, code) for code, places in members.items()]
    if weights is None:
        curves = _curves(metres, found, grid, simulations, level, seed)
    else:
        curves = [_curves(metres, [one], grid, simulations, level, seed)[0] for one in found]
    return dict(zip(members, curves, strict=True))


@dataclass(frozen=True)
class _Industry:
    places: NDArray[np.int64]
    weights: Floats
    bandwidth: float


def _grid(metres: Floats, distances: ArrayLike | None, seed: int) -> Floats:
    """Return the distances to estimate at. The median is that of a random million of pairs if there are more."""
    if distances is None:
        if len(metres) < 2:
            raise ClusterbookError(f"{len(metres)} plant has no distances.")
        some = np.random.default_rng(seed).permutation(len(metres))[:1415]
        pairs = np.triu_indices(len(some), 1)
        between = np.linalg.norm(metres[some[pairs[0]]] - metres[some[pairs[1]]], axis=1)
        distances = np.linspace(0, float(np.median(between)), 101)
    grid = np.asarray(distances, dtype=np.float64)
    if grid.ndim != 1 or not len(grid) or not (grid[0] >= 0 and (np.diff(grid) > 0).all() and np.isfinite(grid[-1])):
        raise ClusterbookError("distances have to be ascending metres from 0 up. Are all plants at the same place?")
    if not grid[-1] > 0:
        raise ClusterbookError("The largest of the distances has to be more than 0 metres.")
    return grid


def _industry(
    metres: Floats, places: NDArray[np.int64], weights: Floats, grid: Floats, bandwidth: float | None, name: str
) -> _Industry:
    if len(places) < FEWEST_PLANTS:
        raise ClusterbookError(
            f"{name} has {len(places)} plants; a density of distances needs at least {FEWEST_PLANTS}. "
            "Take a coarser industry."
        )
    if (weights > 0).sum() < 2:
        raise ClusterbookError(f"{name} has weight in fewer than two plants, so no pair to measure.")
    if bandwidth is None:
        bandwidth = _rule_of_thumb(metres[places])
    elif not bandwidth > 0:
        raise ClusterbookError(f"bandwidth={bandwidth}: it has to be more than 0 metres.")
    return _Industry(places, weights, max(bandwidth, _NARROWEST * float(grid[-1]) / _BINS))


def _rule_of_thumb(metres: Floats) -> float:
    """Return Silverman's bandwidth for the distances within a set of plants, 0 if they are at one place."""
    from clusterbook.measures import _kernels

    n = len(metres)
    extent = float(np.linalg.norm(np.ptp(metres, axis=0)))
    if extent == 0:
        return 0.0
    width = extent * (1 + 1e-9) / _BINS
    counts = _kernels.pair_histograms(metres, np.ones(n), np.arange(n)[None], np.array([n]), width, _BINS)[0, 0]
    pairs, middle = counts.sum(), (np.arange(_BINS) + 0.5) * width
    mean = counts @ middle / pairs
    spread = np.sqrt(counts @ (middle - mean) ** 2 / (pairs - 1))
    edges, cumulated = np.arange(_BINS + 1) * width, np.concatenate([[0.0], counts.cumsum()])
    quartiles = np.interp(np.array([0.25, 0.75]) * (pairs - 1) + 0.5, cumulated, edges)
    quartile_range = float(quartiles[1] - quartiles[0]) / 1.34
    return 0.9 * min(float(spread), quartile_range) / float(pairs**0.2)


def _curves(
    metres: Floats, industries: Sequence[_Industry], grid: Floats, simulations: int, level: float, seed: int
) -> list[Curve]:
    """Estimate several industries, all with the same weights or just one with its own."""
    from clusterbook.measures import _kernels

    require_simulations(simulations, level)
    if not industries:
        return []
    reach = grid[-1] + _REACH * max(industry.bandwidth for industry in industries)
    width = float(reach) / _BINS
    sizes = np.unique([len(industry.places) for industry in industries])
    largest = max(industries, key=lambda industry: len(industry.places))
    smooths = [_smoother(grid, industry.bandwidth, width) / _pairs(industry.weights) for industry in industries]
    values = [
        smooth
        @ _kernels.pair_histograms(metres, one.weights, one.places[None], np.array([len(one.places)]), width, _BINS)[
            0, 0
        ]
        for one, smooth in zip(industries, smooths, strict=True)
    ]
    drawn = [np.empty((simulations, len(grid))) for _ in industries]
    rng = np.random.default_rng(seed)
    chunk = max(1, _MEMORY // (len(sizes) * _BINS * 8))
    for start in range(0, simulations, chunk):
        rows = slice(start, min(start + chunk, simulations))
        orders = np.stack([rng.choice(len(metres), sizes[-1], replace=False) for _ in range(start, rows.stop)])
        histograms = _kernels.pair_histograms(metres, largest.weights, orders, sizes, width, _BINS)
        for k, industry in enumerate(industries):
            drawn[k][rows] = histograms[:, np.searchsorted(sizes, len(industry.places))] @ smooths[k].T
    return [Curve(grid, value, *bands(random, level)) for value, random in zip(values, drawn, strict=True)]


def _pairs(weights: Floats) -> float:
    """Return the sum of the products of weights over all pairs."""
    return float(weights.sum() ** 2 - (weights**2).sum()) / 2


def _smoother(grid: Floats, bandwidth: float, width: float) -> Floats:
    """Return the reflected normal density around the middle of each bin at each distance, shape (D, bins)."""
    middle = (np.arange(_BINS) + 0.5) * width
    near = np.exp(-0.5 * ((grid[:, None] - middle) / bandwidth) ** 2)
    near += np.exp(-0.5 * ((grid[:, None] + middle) / bandwidth) ** 2)
    return np.asarray(near / (bandwidth * np.sqrt(2 * np.pi)))


def require_simulations(simulations: int, level: float) -> None:
    """Check the two numbers that every simulated band needs."""
    if simulations < 0 or simulations == 1 or not 0 < level < 1:
        raise ClusterbookError(
            f"simulations={simulations}, level={level}: take 0 simulations (no bands) or at least 2, "
            "and a level between 0 and 1."
        )


def bands(drawn: Floats, level: float) -> tuple[Floats, Floats]:
    """Return the local bounds and the global band of random curves.

    The local bounds leave a share ``level`` of the curves on either side at each distance. The global band lies
    between order statistics of the same rank at all distances, chosen such that a share ``level`` of the curves leaves
    it anywhere; ranks between two are interpolated.

    Args:
        drawn: shape (S, D), one row a random curve. Where any is NaN the bounds are NaN.
        level: between 0 and 1.

    Returns:
        Two arrays (2, D), lower and upper; NaN without curves.

    Example:
        >>> local, band = bands(np.arange(101.0)[:, None], 0.1)
        >>> local.ravel(), band.ravel()
        (array([10., 90.]), array([ 5., 95.]))

    Source: Duranton and Overman (2005), section 3.
    """
    count, width = drawn.shape
    if count == 0:
        return np.full((2, width), np.nan), np.full((2, width), np.nan)
    ranked = np.sort(drawn, axis=0)
    ranked[:, np.isnan(drawn).any(axis=0)] = np.nan
    low, high = 0.0, (count - 1) / 2
    for _ in range(40):
        middle = (low + high) / 2
        lower, upper = _between(ranked, middle), _between(ranked, count - 1 - middle)
        # A rank reached up to rounding belongs to the band.
        outside = (drawn < lower - 1e-12 * np.abs(lower)) | (drawn > upper + 1e-12 * np.abs(upper))
        low, high = (middle, high) if outside.any(axis=1).mean() <= level else (low, middle)
    local = np.stack([_between(ranked, level * (count - 1)), _between(ranked, (1 - level) * (count - 1))])
    return local, np.stack([_between(ranked, low), _between(ranked, count - 1 - low)])


def _between(ranked: Floats, rank: float) -> Floats:
    """Interpolate between the two rows next to a rank."""
    floor = int(rank)
    part = rank - floor
    return np.asarray(ranked[floor] * (1 - part) + ranked[min(floor + 1, len(ranked) - 1)] * part)
