"""Cells in trees: who adds up to whom, and what that alone says about the unknown ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

#: Numbers nearer than this are the same. Figures are counts, so this is far below any difference that means something.
EPS = 1e-7


@dataclass(frozen=True)
class Hierarchy:
    """n cells in T trees.

    ``above[t]`` holds, for each cell, the place of the cell it is a part of in tree t (-1 at the top); ``total[t]``
    says which cells must equal the sum of their parts in tree t. A total may have no part that is not zero.
    """

    above: tuple[Ints, ...]
    total: tuple[Flags, ...]

    def __len__(self) -> int:
        return len(self.above[0])


@dataclass(frozen=True)
class Bounds:
    """What is known of n cells: ``lo`` <= x <= ``hi``.

    ``slack[t]`` (2, n) holds how far, at least and at most, a total of tree t may exceed the sum of its parts.
    ``sweeps`` counts passes over the trees.
    """

    lo: Floats
    hi: Floats
    slack: tuple[Floats, ...]
    sweeps: int = 0


def ancestors(parents: Mapping[str, str], code: str) -> list[str]:
    """Return the codes above one, nearest first."""
    above: list[str] = []
    while (code := parents.get(code, "")) and code not in above:
        above.append(code)
    return above


def nearest_known(parents: Mapping[str, str], codes: Sequence[str]) -> Ints:
    """Return the place in ``codes`` of each code's nearest ancestor among them (-1: none)."""
    place = {code: k for k, code in enumerate(codes)}
    found = np.full(len(codes), -1, dtype=np.int64)
    for k, code in enumerate(codes):
        nearest = next((above for above in ancestors(parents, code) if above in place and above != code), None)
        if nearest is not None:
            found[k] = place[nearest]
    return found


def depths(above: Ints) -> Ints:
    """Return how many steps each node stands below the top of its tree."""
    depth = np.zeros(len(above), dtype=np.int64)
    step = above
    while (step >= 0).any():
        depth += step >= 0
        step = np.where(step >= 0, above[step], -1)
        if depth.max(initial=0) > len(above):
            raise ValueError("the tree runs in a circle: some node is its own ancestor")
    return depth


def possible_cells(present: Flags, size: Floats, industry_above: Ints, region_above: Ints) -> Flags:
    """Find the absent cells that may be more than zero.

    An absent cell may hold something where every total it is part of leaves a remainder over its disclosed parts, or
    is itself absent and possible.

    Args:
        present: shape (R, I), cells the source shows (with or without a figure).
        size: shape (R, I), the measure that decides, NaN where unknown.
        industry_above: shape (I,), places of parent industries, -1 at the top.
        region_above: shape (R,), places of parent regions, -1 at the top.
    """
    shown = np.where(present, size, 0.0)
    by_industry = present & ~(shown - _sum_parts(shown, industry_above) <= EPS)
    by_region = present & ~(shown - _sum_parts(shown.T, region_above).T <= EPS)
    possible = np.zeros_like(present)
    region_depth, industry_depth = depths(region_above), depths(industry_above)
    for level in range(int(region_depth.max(initial=0)) + 1):
        for step in range(int(industry_depth.max(initial=0)) + 1):
            rows, columns = np.flatnonzero(region_depth == level), np.flatnonzero(industry_depth == step)
            here = np.ix_(rows, columns)
            found = ~present[here] & (level + step > 0)
            if step:
                found &= by_industry[np.ix_(rows, industry_above[columns])]
            if level:
                found &= by_region[np.ix_(region_above[rows], columns)]
            possible[here] = found
            by_industry[here] |= found
            by_region[here] |= found
    return possible


def _sum_parts(values: Floats, above: Ints) -> Floats:
    """Add columns up into the columns above them; (R, I) in and out. Unknown parts make the sum unknown."""
    parts = np.flatnonzero(above >= 0)
    adding = csr_array((np.ones(len(parts)), (above[parts], parts)), shape=(len(above), len(above)))
    return np.asarray((adding @ values.T).T)


def hierarchy_of(kept: Flags, industry_above: Ints, region_above: Ints) -> Hierarchy:
    """Lay the kept cells of a (R, I) table out as a hierarchy; cells in row order."""
    rows, columns = np.nonzero(kept)
    place = np.full((kept.shape[0] + 1, kept.shape[1] + 1), -1, dtype=np.int64)  # the last row and column: 'none'
    place[rows, columns] = np.arange(len(rows))
    by_industry, by_region = place[rows, industry_above[columns]], place[region_above[rows], columns]
    return Hierarchy(
        (by_industry, by_region), (np.isin(columns, industry_above), np.isin(rows, region_above[region_above >= 0]))
    )


def sum_parts(above: Ints, values: Floats) -> Floats:
    """Add cells up into the cells above them, shape (n,)."""
    part = above >= 0
    return np.bincount(above[part], weights=values[part], minlength=len(above)).astype(np.float64, copy=False)


def tighten(tree: Hierarchy, lo: Floats, hi: Floats, tolerance: Sequence[Floats], max_sweeps: int = 100) -> Bounds:
    """Tighten bounds by interval arithmetic up and down all trees until nothing changes.

    A total lies between the sums of its parts' bounds; a part lies between what the total leaves over when all other
    parts are at their upper, or lower, bounds. Where a total and its parts cannot be brought together, the slack of
    that total is widened by exactly what is missing, so that one false figure does not empty all the others' bounds.

    For one tree, the result is exactly the least and greatest value each cell can take; for several it contains them.

    Args:
        tree: n cells in T trees.
        lo: shape (n,), finite.
        hi: shape (n,), inf where unbounded.
        tolerance: T arrays of shape (n,): by how much a total may differ from the sum of its parts.
        max_sweeps: bounds hold whenever one stops; several trees together may converge slowly.

    Source: bound propagation as in Isserman and Westervelt (2006), International Regional Science Review 29.
    """
    lo, hi = lo.copy(), hi.copy()
    slack = tuple(np.stack([-t, t]) for t in tolerance)
    sweep = 0
    while sweep < max_sweeps:
        sweep += 1
        before = lo.copy(), hi.copy()
        for above, total, gap in zip(tree.above, tree.total, slack, strict=True):
            if not total.any():
                continue
            _sweep(above, total, gap, lo, hi, up=True)
            _sweep(above, total, gap, lo, hi, up=False)
        with np.errstate(invalid="ignore"):  # inf - inf: unchanged
            changed = (lo - before[0] > EPS) | (before[1] - hi > EPS)
        if not changed.any():
            break
    meet = (hi - lo <= EPS) & (hi > lo)
    hi[meet] = lo[meet]
    return Bounds(lo, hi, slack, sweep)


def _sweep(above: Ints, total: Flags, slack: Floats, lo: Floats, hi: Floats, *, up: bool) -> None:
    """Pass once over one tree, changing ``lo``, ``hi`` and ``slack`` in place."""
    least = sum_parts(above, lo)
    endless = np.isinf(hi)
    most = sum_parts(above, np.where(endless, 0.0, hi))
    open_parts = sum_parts(above, endless.astype(np.float64))
    ceiling = np.where(open_parts > 0, np.inf, most)
    short = np.where(total, lo - ceiling - slack[1], 0.0)  # parts at their most do not reach the total
    over = np.where(total, least + slack[0] - hi, 0.0)  # parts at their least exceed it
    slack[1] += np.where(short > EPS, short, 0.0)
    slack[0] -= np.where(over > EPS, over, 0.0)
    if up:
        np.maximum(lo, least + slack[0], out=lo, where=total)
        np.minimum(hi, ceiling + slack[1], out=hi, where=total)
        np.minimum(lo, hi, out=lo)  # rounding of the last digit only: real gaps are in the slack
        return
    part = np.flatnonzero(above >= 0)
    whole = above[part]
    part, whole = part[total[whole]], whole[total[whole]]
    others_open = open_parts[whole] - endless[part]
    others_most = most[whole] - np.where(endless[part], 0.0, hi[part])
    floor = np.where(others_open > 0, -np.inf, lo[whole] - slack[1][whole] - others_most)
    others_least = least[whole] - lo[part]
    lid = hi[whole] - slack[0][whole] - others_least
    lo[part] = np.maximum(lo[part], floor)
    hi[part] = np.maximum(np.minimum(hi[part], lid), lo[part])
