"""Scan statistics: where is there more than chance would put, in windows of any place and size?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist
from scipy.special import xlogy

from clusterbook.errors import ClusterbookError
from clusterbook.measures.points import Floats, in_metres


@dataclass(frozen=True)
class Window:
    """A circle with more cases than expected: its regions (indices, the centre first), counts, score and p."""

    regions: tuple[int, ...]
    radius: float
    cases: float
    expected: float
    log_ratio: float
    p: float

    @property
    def relative(self) -> float:
        """Return cases by expected cases."""
        return self.cases / self.expected


def spatial_scan(
    cases: ArrayLike,
    population: ArrayLike,
    points: ArrayLike,
    *,
    largest: float = 0.5,
    level: float = 0.05,
    simulations: int = 999,
    seed: int = 0,
) -> list[Window]:
    """Search all circles around regions for the one with the most unlikely number of cases (Kulldorff's scan).

    The score of a circle with c cases, mu expected and C in all is c ln(c / mu) + (C - c) ln((C - c) / (C - mu)) where
    c > mu, else 0. Its p is the rank of the score among the best scores of random sets, in which the C cases fall on
    regions in proportion to population: so the search for the best circle is accounted for.

    Args:
        cases: counts, shape (R,), whole numbers such as establishments of an industry. Jobs are not cases: they come
            by plants, and the test would find clusters wherever a plant is large.
        population: what they are proportional to without clusters, shape (R,), e.g. all establishments.
        points: centres of the regions, shape (R, 2), metres, or (R, 3) from ``on_sphere``.
        largest: share of the population up to which circles grow, more than 0 and at most 0.5.
        level: further circles are returned up to this p.
        simulations: number of random sets, at least 1.
        seed: of the draws.

    Returns:
        The best circle first, whatever its p; then the best of those that share no region with any before, as long as
        p is at most ``level``. Empty if no circle has more than expected.

    Raises:
        ClusterbookError: counts that are no counts, a population that is not positive in all, degrees, or arguments
            that do not fit.

    Example:
        >>> x = np.array([0, 10, 20, 25, 40, 50, 60, 70]) * 1000
        >>> found = spatial_scan([1, 1, 9, 8, 1, 1, 1, 1], np.full(8, 100), np.column_stack([x, x]))
        >>> sorted(found[0].regions), round(found[0].relative, 2), found[0].p <= 0.01
        ([2, 3], 2.96, True)

    Source: Kulldorff (1997), A spatial scan statistic, Communications in Statistics 26.
    """
    from clusterbook.measures import _kernels

    counts, size, metres = _checked(cases, population, points, largest, simulations)
    total = counts.sum()
    expected = size / size.sum() * total
    order, sizes, whole = _circles(metres, size / size.sum(), largest)
    rng = np.random.default_rng(seed)
    random = rng.multinomial(int(total), size / size.sum(), size=simulations).astype(np.float64)
    best = np.sort(_kernels.best_windows(random, expected, order, sizes, whole))

    inside, mean = counts[order].cumsum(axis=1), expected[order].cumsum(axis=1)
    allowed = whole & (np.arange(order.shape[1]) < sizes[:, None]) & (inside > mean)
    score = np.where(allowed, _log_ratio(inside, np.where(allowed, mean, 1.0), total), 0.0)
    found: list[Window] = []
    taken = np.zeros(len(counts), dtype=bool)
    for place in np.argsort(-score, axis=None, kind="stable"):
        centre, last = divmod(int(place), order.shape[1])
        if score[centre, last] <= 0:
            break
        p = float(1 + (best >= score[centre, last] * (1 - 1e-12)).sum()) / (simulations + 1)
        if found and p > level:
            break
        regions = order[centre, : last + 1]
        if not taken[regions].any():
            taken[regions] = True
            radius = float(np.linalg.norm(metres[regions[-1]] - metres[centre]))
            window = (float(inside[centre, last]), float(mean[centre, last]), float(score[centre, last]))
            found.append(Window(tuple(int(r) for r in regions), radius, *window, p))
    return found


def _checked(
    cases: ArrayLike, population: ArrayLike, points: ArrayLike, largest: float, simulations: int
) -> tuple[Floats, Floats, Floats]:
    metres = in_metres(points)
    counts, size = np.asarray(cases, dtype=np.float64), np.asarray(population, dtype=np.float64)
    if counts.shape != (len(metres),) or size.shape != (len(metres),):
        raise ClusterbookError(
            f"cases have shape {counts.shape}, population {size.shape}: give one of each for {len(metres)} regions."
        )
    if not (np.isfinite(counts).all() and (counts >= 0).all() and (counts == np.floor(counts)).all()):
        raise ClusterbookError("cases hold missing, negative or broken numbers. The scan counts whole cases.")
    if not (np.isfinite(size).all() and (size >= 0).all() and size.sum() > 0):
        raise ClusterbookError("population holds missing or negative numbers, or is zero throughout.")
    if counts[size == 0].any():
        raise ClusterbookError("There are cases where the population is zero. Leave such regions out, or mend them.")
    if not 0 < largest <= 0.5 or simulations < 1:
        raise ClusterbookError(
            f"largest={largest}, simulations={simulations}: a circle holds at most half of the population, and a "
            "p needs at least 1 simulation."
        )
    return counts, size, metres


def _circles(
    metres: Floats, share: Floats, largest: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Return the regions by distance from each, how many of them fit, and where a circle may end.

    Regions equally far come in or stay out together.
    """
    distance = cdist(metres, metres)
    np.fill_diagonal(distance, -1.0)  # no region at the very place of another comes before the centre itself
    order = np.argsort(distance, axis=1, kind="stable")
    distance = np.take_along_axis(distance, order, axis=1)
    held = share[order].cumsum(axis=1)
    whole = np.ones(order.shape, dtype=bool)
    whole[:, :-1] = distance[:, 1:] > np.maximum(distance[:, :-1], 0) * (1 + 1e-9)
    sizes = (held <= largest * (1 + 1e-9)).sum(axis=1)
    return order[:, : max(int(sizes.max()), 1)], sizes, whole[:, : max(int(sizes.max()), 1)]


def _log_ratio(inside: Floats, expected: Floats, total: float) -> Floats:
    outside = total - inside
    return np.asarray(
        xlogy(inside, inside / expected) + xlogy(outside, outside / np.where(outside > 0, total - expected, 1.0))
    )
