"""The inner loops that NumPy cannot express, compiled by Numba and kept on disk.

Import this module inside the functions that need it: loading Numba takes longer than all of Clusterbook. Every result
is independent of the number of threads, for each thread writes its own rows and draws no random numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from clusterbook.errors import ClusterbookError

try:
    from numba import njit, prange
except ImportError as error:
    raise ClusterbookError(
        "This measure needs Numba, which is not installed. Install it with: pip install 'clusterbook[space]'"
    ) from error

Array = Any  # a NumPy array; Numba finds the types out by itself


@njit(cache=True)
def _coordinates(points: Array, order: Array) -> Array:
    """Gather points in an order as x, y and z, shape (3, n); z is 0 on a plane."""
    found = np.zeros((3, order.size))
    for axis in range(points.shape[1]):
        for k in range(order.size):
            found[axis, k] = points[order[k], axis]
    return found


@njit(cache=True, fastmath={"nnan", "ninf", "nsz"})
def _squared_distances(x: float, y: float, z: float, others: Array, count: int, found: Array) -> None:
    """Write the squared distances from one place to the first of several others."""
    for k in range(count):
        dx, dy, dz = others[0, k] - x, others[1, k] - y, others[2, k] - z
        found[k] = dx * dx + dy * dy + dz * dz


@njit(cache=True, parallel=True)
def pair_histograms(points: Array, weights: Array, orders: Array, sizes: Array, width: float, bins: int) -> Array:
    """Count the distances within the first n points of an order, for each order and several n, in one pass.

    Args:
        points: (S, 2 or 3) metres.
        weights: (n,) the weight of whoever stands at each place of an order, n = sizes[-1].
        orders: (draws, n) indices of points.
        sizes: (m,) ascending numbers of points.
        width: of a bin, metres.
        bins: number of bins; pairs beyond the last are not counted.

    Returns:
        (draws, m, bins) sums of products of weights.
    """
    draws = orders.shape[0]
    found = np.zeros((draws, sizes.size, bins))
    for draw in prange(draws):
        place = _coordinates(points, orders[draw])
        squared = np.empty(sizes[-1])
        cells = np.empty(sizes[-1], np.int32)
        counts = np.zeros(bins + 1)  # the last takes what is too far
        done = 0
        for a in range(sizes[-1]):
            _squared_distances(place[0, a], place[1, a], place[2, a], place, a, squared)
            for b in range(a):
                cells[b] = np.int32(min(np.sqrt(squared[b]) / width, float(bins)))
            for b in range(a):
                counts[cells[b]] += weights[a] * weights[b]
            while done < sizes.size and sizes[done] == a + 1:
                found[draw, done] = counts[:bins]
                done += 1
    return found


@njit(cache=True, parallel=True)
def neighbour_histograms(points: Array, rows: Array, columns: Array, weights: Array, squared_edges: Array) -> Array:
    """Sum the weights around each of some points by distance, for several draws of points.

    Args:
        points: (S, 2 or 3) metres.
        rows: (draws, n) indices of the points around which is looked.
        columns: (draws, c) indices of the points that are counted; a point is never its own neighbour.
        weights: (c,) of the columns, the same in every draw.
        squared_edges: (B,) ascending squared upper ends of the bins; the first bin starts at 0, ends included.

    Returns:
        (draws, n, B) sums of weights; what is farther than the last edge is left out.
    """
    draws, count = rows.shape
    bins = squared_edges.size
    found = np.zeros((draws, count, bins))
    block = 64  # rows that share the coordinates of the columns
    blocks = (count + block - 1) // block
    for task in prange(draws * blocks):
        draw, start = task // blocks, task % blocks * block
        others, here = _coordinates(points, columns[draw]), _coordinates(points, rows[draw])
        squared = np.empty(columns.shape[1])
        for k in range(start, min(start + block, count)):
            _squared_distances(here[0, k], here[1, k], here[2, k], others, squared.size, squared)
            for m in range(squared.size):
                if squared[m] <= squared_edges[bins - 1] and columns[draw, m] != rows[draw, k]:
                    low, high = 0, bins - 1  # the first edge that is not below
                    while low < high:
                        middle = (low + high) // 2
                        if squared_edges[middle] < squared[m]:
                            low = middle + 1
                        else:
                            high = middle
                    found[draw, k, low] += weights[m]
    return found


@njit(cache=True, parallel=True)
def random_sums(near: Array, rows: Array, orders: Array) -> Array:
    """Sum what random other points contribute to each of some points.

    Args:
        near: (n, S) contribution of every point to each of n.
        rows: (n,) indices of the n among the S.
        orders: (draws, k + 1) random orders of points; the first k count, the last stands in for the point itself.

    Returns:
        (n, draws) sums over k points.
    """
    draws, length = orders.shape
    found = np.zeros((rows.size, draws))
    for i in prange(rows.size):
        for draw in range(draws):
            total = 0.0
            for k in range(length - 1):
                point = orders[draw, k]
                total += near[i, point if point != rows[i] else orders[draw, length - 1]]
            found[i, draw] = total
    return found


@njit(cache=True, parallel=True)
def lag_tails_equal(
    values: Array,
    lags: Array,
    degrees: Array,
    orders: Array,
    hit_start: Array,
    hit_draw: Array,
    hit_place: Array,
    tolerance: Array,
) -> Array:
    """Count how many random sets of neighbours sum to at least, and at most, what the real ones do.

    For regions whose neighbours all weigh the same. A random order of all regions without region r is a random order
    of the others. So the sum over the first d of an order serves every region with d neighbours, except where r is
    itself among them: there the next in the order takes its place.

    Args:
        values: (I, R) one row an industry.
        lags: (I, R) sums over the real neighbours.
        degrees: (R,) numbers of neighbours.
        orders: (P, K) random orders of regions; K is the largest degree + 1, or R if that is less.
        hit_start: (R + 1,) where the occurrences of each region begin in the two lists that follow.
        hit_draw: (P K,) in which order it occurs.
        hit_place: (P K,) and at what place.
        tolerance: (I,) differences up to this are ties.

    Returns:
        (2, I, R) numbers of orders with a sum >= and <= the real one.
    """
    industries, regions = values.shape
    draws, longest = orders.shape
    tails = np.zeros((2, industries, regions), np.int32)
    by_degree = np.argsort(degrees)
    for i in prange(industries):
        sums = np.zeros((longest + 1, draws))
        for p in range(draws):
            for k in range(longest):
                sums[k + 1, p] = sums[k, p] + values[i, orders[p, k]]
        current, ranked = -1, sums[0]
        for r in by_degree:
            d = degrees[r]
            if d == 0:
                continue
            if d != current:
                current, ranked = d, np.sort(sums[d])
            low, high = lags[i, r] - tolerance[i], lags[i, r] + tolerance[i]
            above = draws - np.searchsorted(ranked, low)
            below = np.searchsorted(ranked, high, "right")
            for h in range(hit_start[r], hit_start[r + 1]):
                if hit_place[h] < d:
                    p = hit_draw[h]
                    wrong, right = sums[d, p], sums[d + 1, p] - values[i, r]
                    above += int(right >= low) - int(wrong >= low)
                    below += int(right <= high) - int(wrong <= high)
            tails[0, i, r] = above
            tails[1, i, r] = below
    return tails


@njit(cache=True, parallel=True)
def lag_tails(values: Array, lags: Array, indptr: Array, weights: Array, orders: Array, tolerance: Array) -> Array:
    """Count the same as ``lag_tails_equal`` for neighbours of any weights; slower, as every region needs its own sums.

    Args:
        values: (I, R) one row an industry.
        lags: (I, R) weighted sums over the real neighbours.
        indptr: (R + 1,) where the weights of each region begin.
        weights: (nnz,) weights of the neighbours.
        orders: (P, K) random orders of regions, as above.
        tolerance: (I,) differences up to this are ties, for neighbours that weigh 1 in all.

    Returns:
        (2, I, R) numbers of orders with a sum >= and <= the real one.
    """
    industries, regions = values.shape
    tails = np.zeros((2, industries, regions), np.int32)
    for i in prange(industries):
        for r in range(regions):
            own = weights[indptr[r] : indptr[r + 1]]
            slack = tolerance[i] * own.sum()
            low, high = lags[i, r] - slack, lags[i, r] + slack
            for p in range(orders.shape[0]):
                total, place = 0.0, 0
                for k in range(own.size):
                    if orders[p, place] == r:
                        place += 1
                    total += own[k] * values[i, orders[p, place]]
                    place += 1
                tails[0, i, r] += int(total >= low)
                tails[1, i, r] += int(total <= high)
    return tails


@njit(cache=True)
def _log_ratio(inside: float, expected: float, total: float) -> float:
    """Return the Poisson log-likelihood ratio of a window with more cases than expected."""
    ratio = inside * np.log(inside / expected)
    if inside < total:
        ratio += (total - inside) * np.log((total - inside) / (total - expected))
    return float(ratio)


@njit(cache=True, parallel=True)
def best_windows(cases: Array, expected: Array, order: Array, sizes: Array, whole: Array) -> Array:
    """Find the largest log-likelihood ratio of any window, for several sets of cases.

    Args:
        cases: (S, R) one row a set, all of the same total as ``expected``.
        expected: (R,) expected cases.
        order: (R, K) regions by distance from each centre.
        sizes: (R,) how many of them the largest window of a centre holds.
        whole: (R, K) whether a window may end there (the next region is farther away, not as far).

    Returns:
        (S,) the largest ratio; 0 where no window has more than expected.
    """
    sets, centres = cases.shape[0], order.shape[0]
    total = expected.sum()
    best = np.zeros(sets)
    block = 16  # sets that share a pass over the windows, so that these stay in the cache
    for start in prange((sets + block - 1) // block):
        mean, scale = np.empty(order.shape[1]), np.empty(order.shape[1])
        for centre in range(centres):
            size, row, ends = sizes[centre], order[centre], whole[centre]
            running = 0.0
            for k in range(size):
                running += expected[row[k]]
                mean[k] = running
                scale[k] = running * (total - running) / total
            for s in range(start * block, min((start + 1) * block, sets)):
                inside, top = 0.0, best[s]
                for k in range(size):
                    inside += cases[s, row[k]]
                    excess = inside - mean[k]
                    # The ratio is at most chi squared: no logarithm for windows that cannot win.
                    if excess * abs(excess) > top * scale[k] and ends[k]:
                        top = max(top, _log_ratio(inside, mean[k], total))
                best[s] = top
    return best
