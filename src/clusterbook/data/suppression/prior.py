"""What to expect of an unknown cell before looking at its bounds: shares of what its total leaves over."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clusterbook.data.suppression.hierarchy import EPS, Bounds, Flags, Floats, Hierarchy, Ints, depths, sum_parts


@dataclass(frozen=True)
class Shares:
    """The open cells, which take shares of what the totals above them leave over.

    ``cells`` are their places, ``whole`` the places of the totals, ``closed`` (n,) what the other parts of each total
    take, and ``levels`` the positions in ``cells`` that stand on each level, from the top.
    """

    cells: Ints
    whole: Ints
    closed: Floats
    levels: list[Ints]


def shares_of(above: Ints, taking: Flags, expected: Floats) -> Shares:
    """Lay out who takes a share; the others keep what is expected of them."""
    cells = np.flatnonzero(taking)
    depth = depths(above)[cells]
    levels = [np.flatnonzero(depth == d) for d in range(1, int(depth.max(initial=0)) + 1)]
    return Shares(cells, above[cells], sum_parts(above, np.where(taking, 0.0, expected)), levels)


def hand_down(shares: Shares, expected: Floats, weight: Floats) -> None:
    """Give the open cells, level by level, their share of the remainders above them; ``expected`` changes in place.

    ``weight`` holds one number an open cell.
    """
    demand = np.bincount(shares.whole, weights=weight, minlength=len(expected))[shares.whole]
    for level in shares.levels:
        whole = shares.whole[level]
        left = np.maximum(expected[whole] - shares.closed[whole], 0.0)
        expected[shares.cells[level]] = left * weight[level] / np.maximum(demand[level], EPS)


def prior(
    tree: Hierarchy, kind: Ints, region_kind: Ints, bounds: Bounds, stated: Floats, base: Floats | None
) -> Floats:
    """Return an expected value for each cell, shape (n,).

    A cell about which something is stated (the middle of a flag's range, a guess) is expected there. Every other
    unknown cell is expected to have its share of what its total leaves over when the disclosed and stated parts are
    taken off, in proportion to the rate of its industry in all regions together: per candidate region (establishments
    go to the industries that are common) or per unit of ``base`` (jobs go to where establishments are, as many to each
    as the industry has where it is disclosed).

    Args:
        tree: n cells in the industry and the region tree.
        kind: shape (n,), the industry of each cell.
        region_kind: shape (n,), the region; serves where a cell has no industry above it.
        bounds: tightened bounds.
        stated: shape (n,), NaN where nothing is stated of the cell.
        base: shape (n,), what rates are per: the completed establishments. None: regions.

    Source: ours; chosen by ``validate`` on County Business Patterns, where rates learnt from the hidden cells
    themselves by expectation-maximisation did worse.
    """
    inside, outside = tree.above
    above = np.where(inside >= 0, inside, outside)
    group = np.where(inside >= 0, kind, kind.max(initial=0) + 1 + region_kind)
    unknown = bounds.hi > bounds.lo
    expected = np.where(unknown, np.clip(np.nan_to_num(stated), bounds.lo, bounds.hi), bounds.lo)
    shares = shares_of(above, unknown & np.isnan(stated) & (above >= 0), expected)
    exposure = np.ones(len(tree)) if base is None else np.where(unknown, 0.0, base)
    shown = np.bincount(group, weights=np.where(unknown, 0.0, bounds.lo))
    cases = np.bincount(group, weights=exposure)
    usual = shown.sum() / max(cases.sum(), 1.0)
    rate = (shown + usual) / (cases + 1.0)  # one more case of the usual kind, so that no rate is zero
    weight = rate[group] if base is None else base * rate[group]
    hand_down(shares, expected, weight[shares.cells])
    return np.clip(expected, bounds.lo, bounds.hi)


def rescale(tree: Hierarchy, bounds: Bounds, leaf_values: Floats) -> Floats:
    """Carry new values of the unknown leaves up and scale them down again to the known totals, shape (n,)."""
    inside, outside = tree.above
    above = np.where(inside >= 0, inside, outside)
    unknown = bounds.hi > bounds.lo
    weight = np.where(unknown, 0.0, bounds.lo)
    leaf = unknown & ~tree.total[0] & ~tree.total[1]
    weight[leaf] = leaf_values[leaf]
    depth = depths(above)
    for d in range(int(depth.max(initial=0)) - 1, -1, -1):
        below = (depth == d + 1) & (above >= 0)
        sums = np.bincount(above[below], weights=weight[below], minlength=len(above))
        inner = unknown & ~leaf & (depth == d)
        weight[inner] = sums[inner]
    shares = shares_of(above, unknown & (above >= 0), weight)
    expected = weight.copy()
    hand_down(shares, expected, weight[shares.cells])
    return expected
