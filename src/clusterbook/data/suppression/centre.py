"""The one centred point of a polytope: nearest to a prior, weighted, by a dual Newton method."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array, diags_array
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

from clusterbook.data.suppression.hierarchy import Bounds, Floats, Hierarchy, Ints, sum_parts

CLIPPED = 1e-4  # share of its weight that a cell at a bound keeps in the Newton matrix, which so stays regular
SLACK_WEIGHT = 1e-3  # slack is a last resort: it gives way a thousandth as easily as one job of a cell
FLOOR = 1e-2  # smallest weight, so that a cell of prior zero can still take what must go somewhere


@dataclass(frozen=True)
class Equations:
    """``matrix @ x == right`` for the unknown cells (columns ``cells``, then slacks bounded by ``slack``)."""

    matrix: csr_array
    right: Floats
    cells: Ints
    slack: Floats


def equations(tree: Hierarchy, bounds: Bounds) -> Equations:
    """Write what the unknown cells must add up to, leaving out totals that have nothing unknown in them."""
    unknown = np.flatnonzero(bounds.hi > bounds.lo)
    column = np.full(len(tree), -1, dtype=np.int64)
    column[unknown] = np.arange(len(unknown))
    fixed = np.where(column >= 0, 0.0, bounds.lo)
    blocks, slack_rows, slack_bounds, right = [], [], [], []
    height = 0
    for above, total, slack in zip(tree.above, tree.total, bounds.slack, strict=True):
        open_part = (above >= 0) & (column >= 0)
        wanted = total & ((column >= 0) | (np.bincount(above[open_part], minlength=len(tree)) > 0))
        row = np.full(len(tree) + 1, -1, dtype=np.int64)
        row[:-1][wanted] = np.arange(height, height + wanted.sum())
        height += int(wanted.sum())
        whole = np.flatnonzero(wanted & (column >= 0))
        part = np.flatnonzero(open_part & (row[above] >= 0))
        blocks += [(row[whole], column[whole], -1.0), (row[above[part]], column[part], 1.0)]
        right.append((fixed - sum_parts(above, fixed))[wanted])
        loose = np.flatnonzero(wanted & (slack[1] > slack[0]))
        slack_rows.append(row[loose])
        slack_bounds.append(slack[:, loose])
        right[-1] -= np.where(slack[1] > slack[0], 0.0, slack[0])[wanted]
    rows = np.concatenate([np.concatenate([r for r, _, _ in blocks]), *slack_rows])
    n_slack = sum(len(r) for r in slack_rows)
    columns = np.concatenate([np.concatenate([c for _, c, _ in blocks]), len(unknown) + np.arange(n_slack)])
    signs = np.concatenate([*(np.full(len(r), s) for r, _, s in blocks), np.ones(n_slack)])
    matrix = csr_array((signs, (rows, columns)), shape=(height, len(unknown) + n_slack))
    return Equations(matrix, np.concatenate(right), unknown, np.concatenate(slack_bounds, axis=1))


def centre(system: Equations, bounds: Bounds, prior: Floats) -> Floats:
    """Find the feasible point nearest to a prior.

    Minimises the sum of (x - m)^2 / m over every unknown cell of every level, subject to all sums and bounds. The
    objective is strictly convex, so there is one answer and it does not depend on the solver; with a single total and
    no bound in the way the answer is the prior scaled in proportion.

    Args:
        system: the sums.
        bounds: bounds of all n cells.
        prior: shape (n,), non-negative; only the unknown cells' are read.

    Returns:
        The values of all n cells. Sums that cannot all hold together are met as nearly as the method gets.

    Source: least squares with weights 1/m as in Deming and Stephan (1940), Annals of Mathematical Statistics 11, with
    bounds; solved through its dual, a smooth concave problem, by a semismooth Newton method with line search.
    """
    cells = system.cells
    lo = np.concatenate([bounds.lo[cells], system.slack[0]])
    hi = np.concatenate([bounds.hi[cells], system.slack[1]])
    n_slack = system.slack.shape[1]
    middle = np.concatenate([np.clip(prior[cells], lo[: len(cells)], hi[: len(cells)]), np.zeros(n_slack)])
    weight = np.concatenate([np.maximum(middle[: len(cells)], FLOOR), np.full(n_slack, SLACK_WEIGHT)])
    x = nearest(system.matrix, system.right, middle, weight, lo, hi)
    values = bounds.lo.copy()
    values[cells] = x[: len(cells)]
    return values


def nearest(
    matrix: csr_array, right: Floats, middle: Floats, weight: Floats, lo: Floats, hi: Floats, max_steps: int = 200
) -> Floats:
    """Minimise the sum of (x - middle)^2 / (2 weight) subject to ``matrix @ x == right`` and lo <= x <= hi.

    Blocks of equations that share no cell are solved side by side, each with its own length of step.

    Returns x of shape (n,). Where no x satisfies all, x is a compromise and the caller reads the residual.
    """
    x = np.clip(middle, lo, hi)
    if not len(right):
        return x
    row_block, column_block, n_blocks = _blocks(matrix)
    tolerance = 1e-9 * (1.0 + np.abs(right) + abs(matrix) @ np.abs(x))
    across = csr_array(matrix.T)
    price = np.zeros(len(right))
    for _ in range(max_steps):
        residual = right - matrix @ x
        bad = np.zeros(n_blocks, dtype=bool)
        bad[row_block[np.abs(residual) > tolerance]] = True
        if not bad.any():
            break
        rows, columns = np.flatnonzero(bad[row_block]), np.flatnonzero(bad[column_block])
        part, part_across = csr_array(matrix[rows][:, columns]), csr_array(across[columns][:, rows])
        m, w, low, high = middle[columns], weight[columns], lo[columns], hi[columns]
        pull = part_across @ price[rows]
        z = m + w * pull
        step = _newton(part, part_across, residual[rows], w * np.where((z > low) & (z < high), 1.0, CLIPPED))
        swing = w * (part_across @ step)
        length = _step_length(z, swing, low, high, w, right[rows] * step, row_block[rows], column_block[columns])
        price[rows] += length[row_block[rows]] * step
        x[columns] = np.clip(m + w * (part_across @ price[rows]), low, high)
    return x


def _blocks(matrix: csr_array) -> tuple[Ints, Ints, int]:
    """Number the groups of equations that share cells; return each row's and each column's."""
    height, width = matrix.shape
    coo = matrix.tocoo()
    graph = csr_array((np.ones(coo.nnz), (coo.row, coo.col + height)), shape=(height + width, height + width))
    count, label = connected_components(graph, directed=False)
    blocks: Ints = np.asarray(label, dtype=np.int64)
    return blocks[:height], blocks[height:], int(count)


def _newton(matrix: csr_array, across: csr_array, residual: Floats, curvature: Floats) -> Floats:
    """Solve (A D A') d = residual, scaled to a unit diagonal."""
    normal = (matrix @ diags_array(curvature) @ across).tocsc()
    scale = 1.0 / np.sqrt(np.maximum(normal.diagonal(), 1e-300))
    scaled = (diags_array(scale) @ normal @ diags_array(scale) + diags_array(np.full(len(scale), 1e-11))).tocsc()
    factor = splu(scaled, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    return np.asarray(scale * factor.solve(scale * residual))


def _step_length(
    z: Floats, swing: Floats, lo: Floats, hi: Floats, w: Floats, gain: Floats, row_block: Ints, column_block: Ints
) -> Floats:
    """Find, for each block, how far to go: the full step, or the point before the dual stops rising.

    Along a step d the dual's slope is right'd - x(t)'A'd. It falls as t grows, so a bisection finds its zero.
    """
    count = int(max(row_block.max(), column_block.max())) + 1
    target = np.bincount(row_block, weights=gain, minlength=count)
    direction = swing / w

    def slope(t: Floats) -> Floats:
        x = np.clip(z + t[column_block] * swing, lo, hi)
        return np.asarray(target - np.bincount(column_block, weights=x * direction, minlength=count))

    start = slope(np.zeros(count))
    full = np.ones(count)
    low, high = np.zeros(count), full.copy()
    settled = slope(full) >= -0.1 * np.abs(start)
    low[settled] = 1.0
    for _ in range(30):
        if settled.all():
            break
        middle = np.where(settled, 1.0, 0.5 * (low + high))
        at = slope(middle)
        rising = at >= 0
        low = np.where(~settled & rising, middle, low)
        high = np.where(~settled & ~rising, middle, high)
        settled |= (np.abs(at) <= 0.1 * np.abs(start)) & ~settled & rising
    return np.where(low > 0, low, high)


def audit(system: Equations, bounds: Bounds) -> tuple[Floats, Floats]:
    """Find the least and the greatest value each unknown cell can take, by two linear programmes a cell.

    Only needed where several trees meet: in a single tree the propagated bounds are these already. Costly: meant for
    checks and for small tables.

    Returns bounds of all n cells.

    Source: the standard audit problem of statistical disclosure control.
    """
    lo, hi = bounds.lo.copy(), bounds.hi.copy()
    row_block, column_block, count = _blocks(system.matrix)
    limits = np.stack([np.concatenate([b[system.cells], s]) for b, s in zip((lo, hi), system.slack, strict=True)])
    for block in range(count):
        rows, columns = np.flatnonzero(row_block == block), np.flatnonzero(column_block == block)
        if not len(rows):
            continue
        part = system.matrix[rows][:, columns].toarray()
        limit = limits[:, columns].T.tolist()
        for k in np.flatnonzero(columns < len(system.cells)):
            aim = np.zeros(len(columns))
            for sign, out in ((1.0, lo), (-1.0, hi)):
                aim[k] = sign
                found = linprog(aim, A_eq=part, b_eq=system.right[rows], bounds=limit, method="highs")
                if found.fun is not None:  # else: unbounded, or sums that cannot all hold: the bound stays
                    out[system.cells[columns[k]]] = sign * found.fun
    return lo, hi
