"""Confidential figures: which cells must be hidden, what hides them, and proof that they stay hidden.

The public's knowledge of a table is a set of linear statements about its cells: each published sum, share or quotient
is one. A hidden cell is safe when two tables that fit every statement differ in it by enough. Everything here is built
on that sentence: ``protect`` looks for such tables, ``audit`` finds the most extreme ones. What finished tables add to
the public's knowledge is looked at in ``leaks`` (``withheld``, ``check_output``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from clusterbook.data.panel import KEYS, STATUS, Panel, sort_cells
from clusterbook.errors import ClusterbookError

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Form = tuple[str, str, str]

#: Stands for 'all regions' or 'all industries' in the names of sums.
ALL = "*"

TOLERANCE = 1e-6  # of the figure: what a solver may be wrong by
_TRIES = 6  # tables drawn at random before the cells still open are tried one by one


@dataclass(frozen=True)
class Rules:
    """When a figure is confidential, and how uncertain it must stay.

    A figure with at least one contributor is confidential when any rule says so. Contributions are those to the main
    measure of the panel; its other measures are hidden in the same cells.

    - ``contributors``: fewer contributors than this stand behind it (3: two of them would know each other's figure);
    - ``dominance``: pairs (n, k): the n largest contribute more than k per cent, e.g. ``((1, 85), (2, 90))``;
    - ``p_percent``: the second largest could tell the largest to within p per cent: X - x1 - x2 < p/100 x1.

    Nobody may be able to tell a confidential figure X closer than X - d to X + d (from 0 up), where d is the largest of
    ``least`` (in the unit of the figure), ``margin`` times X and what makes the broken rule hold.
    ``insiders``: count on contributors as attackers. A cell that has a single contributor then hides no other cell,
    because that contributor knows it.

    Source: Hundepool et al. (2012), Statistical Disclosure Control, ch. 4.
    """

    contributors: int = 3
    dominance: tuple[tuple[int, float], ...] = ()
    p_percent: float | None = None
    margin: float = 0.1
    least: float = 1.0
    insiders: bool = True

    def __post_init__(self) -> None:
        wrong = [
            text
            for fault, text in (
                (self.contributors < 1, f"contributors={self.contributors}, at least 1 is needed"),
                (self.margin < 0, f"margin={self.margin}, a share of the figure is needed, e.g. 0.1"),
                (self.least <= 0, f"least={self.least}, it must be above 0 or a cell of zero has no protection"),
                (
                    any(n < 1 or not 0 < k < 100 for n, k in self.dominance),
                    f"dominance={self.dominance}, pairs (n, k) with n >= 1 and k between 0 and 100 are needed",
                ),
                (self.p_percent is not None and self.p_percent <= 0, f"p_percent={self.p_percent}, it must be above 0"),
            )
            if fault
        ]
        if wrong:
            raise ClusterbookError(f"Rules of confidentiality that make no sense: {'; '.join(wrong)}.")

    @property
    def largest(self) -> int:
        """How many of the largest contributions the rules look at (0: they count contributors only)."""
        return max([0, *(n for n, _ in self.dominance), *([2] if self.p_percent is not None else [])])


@dataclass(frozen=True)
class System:
    """The sums of one year as linear forms of its cells.

    ``forms`` (sums x cells) has one row a sum; its first rows are the cells themselves. ``names`` says what each row
    is: (region, kind, code), kind being 'industry' or 'cluster', '*' standing for all.
    """

    names: tuple[Form, ...]
    forms: sparse.csr_array
    place: Mapping[Form, int]


@dataclass(frozen=True)
class Protected:
    """What ``protect`` made. Only ``panel`` may leave the house.

    - ``panel``: confidential and complementary cells are null with status 'suppressed'; their bounds are those anybody
      can derive from what is published. ``totals`` holds the regions' sums that may be published.
    - ``sums``: every sum over the trees of regions and industries and over the groups (region, kind, code, year), with
      its measures, null where it must stay hidden. Publish no others.
    - ``audit``: one row a confidential figure and measure: the rule it breaks, from ``lowest_needed`` to
      ``highest_needed`` what it must be possible to believe, from ``lowest`` to ``highest`` what two tables that agree
      with everything published show (the true range is at least as wide), and whether it is ``protected``.
    - ``truth`` and ``systems``, by year: the true figures of all sums and what they are sums of.

    ``sums`` may be published as it is; ``audit`` and ``truth`` hold confidential figures.
    """

    panel: Panel
    rules: Rules
    audit: pl.DataFrame = field(repr=False)  # a repr ends in logs
    sums: pl.DataFrame
    truth: Mapping[int, pl.DataFrame] = field(repr=False)
    systems: Mapping[int, System] = field(repr=False)
    measures: tuple[str, ...]


# --- the audit ------------------------------------------------------------------------------------------------------


def table_sums(shape: tuple[int, int]) -> sparse.csr_array:
    """Return the row sums, column sums and the total of a table as linear forms of its cells (read row by row).

    Returns:
        (rows + columns + 1, rows x columns) of zeros and ones.

    Example:
        >>> table_sums((2, 2)).toarray().astype(int).tolist()
        [[1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 1, 0], [0, 1, 0, 1], [1, 1, 1, 1]]
    """
    rows, columns = (np.ones((1, n)) for n in shape)
    parts = [np.kron(np.eye(shape[0]), columns), np.kron(rows, np.eye(shape[1])), np.kron(rows, columns)]
    return sparse.csr_array(np.vstack(parts))


def audit(
    values: ArrayLike,
    hidden: ArrayLike,
    sums: sparse.csr_array,
    *,
    low: ArrayLike = 0.0,
    high: ArrayLike = np.inf,
) -> Floats:
    """Return how closely each hidden cell can be told from the other cells and the published sums.

    Args:
        values: (cells,) or (rows, columns) true figures.
        hidden: the same shape, true where the cell is not published.
        sums: (published sums, cells) linear forms, e.g. ``table_sums``.
        low: what is known of the hidden cells beforehand, a number or the shape of ``values``; default: not negative.
        high: likewise from above.

    Returns:
        (hidden cells, 2) smallest and largest possible figure, to six decimals; ``inf`` where nothing bounds it.

    Raises:
        ClusterbookError: the true figures contradict ``low`` and ``high``.

    Example:
        >>> audit([[12, 30], [150, 20]], [[True, True], [True, True]], table_sums((2, 2))).tolist()
        [[0.0, 42.0], [0.0, 42.0], [120.0, 162.0], [8.0, 50.0]]

    Source: Fischetti and Salazar (2001), Solving the cell suppression problem, Management Science 47 (the attacker's
    problem): min and max of x_c subject to A x = b, low <= x <= high.
    """
    truth = np.asarray(values, dtype=np.float64)
    mask = np.broadcast_to(np.asarray(hidden, dtype=bool), truth.shape).ravel()
    x_low = np.broadcast_to(np.asarray(low, dtype=np.float64), truth.shape).ravel()[mask]
    x_high = np.broadcast_to(np.asarray(high, dtype=np.float64), truth.shape).ravel()[mask]
    x = truth.ravel()[mask]
    if ((x < x_low) | (x > x_high)).any():
        raise ClusterbookError(
            f"{int(((x < x_low) | (x > x_high)).sum())} hidden cells lie outside their own low and high: "
            "these must be bounds that are true, such as those of a size class."
        )
    forms = as_csr(sums[:, np.flatnonzero(mask)])
    known = replace(_sums_known(forms, x), x_low=x_low, x_high=x_high)
    return _ranges(known, as_csr(sparse.eye_array(len(x)))).round(6) + 0.0


def as_csr(matrix: Any) -> sparse.csr_array:
    """Return any sparse or dense matrix in the one form that SciPy slices and multiplies fast."""
    return sparse.csr_array(matrix)


@dataclass(frozen=True)
class _Knowledge:
    """What is known of cells x: low <= forms @ x <= high and x_low <= x <= x_high."""

    forms: sparse.csr_array
    low: Floats
    high: Floats
    x_low: Floats
    x_high: Floats

    def tightened(self) -> _Knowledge:
        """Leave out statements about nothing, and let the others tighten each cell's own bounds."""
        used = np.flatnonzero(np.diff(self.forms.indptr))
        kept = replace(self, forms=as_csr(self.forms[used]), low=self.low[used], high=self.high[used])
        x_low, x_high = _propagate(kept)
        return replace(kept, x_low=x_low, x_high=x_high)

    def extreme(self, objective: Floats) -> Floats:
        """Return the table that fits everything known and is least in the objective."""
        constraint = LinearConstraint(self.forms, self.low, self.high)
        solved = milp(objective, constraints=constraint, bounds=Bounds(self.x_low, self.x_high))
        if solved.x is None:
            raise ClusterbookError(
                f"No table fits everything that is published ({solved.message.strip()}): the sums contradict their "
                "parts. Check that cells and totals come from the same table and are rounded alike."
            )
        return np.asarray(solved.x, dtype=np.float64)


def _sums_known(forms: sparse.csr_array, x: Floats) -> _Knowledge:
    """Return the knowledge of some exact sums of cells that are not negative."""
    return _Knowledge(forms, forms @ x, forms @ x, np.zeros(len(x)), np.full(len(x), np.inf))


def _ranges(known: _Knowledge, targets: sparse.csr_array, enough: Floats | None = None) -> Floats:
    """Return (targets, 2) the least and the greatest value that each target can have.

    Statements that share no cell make separate problems, so one linear programme bounds one target of each at once.
    With ``enough`` (targets, 2) a range is followed only until it covers that far; what comes back is then covered by
    the true range.
    """
    known = known.tightened()
    sizes = np.abs(np.concatenate([known.low, known.high, known.x_low, known.x_high]))
    far = 1e4 * max(1.0, sizes.max(initial=0, where=np.isfinite(sizes)))  # 'nothing bounds it': no problem is endless
    known = replace(known, x_high=np.minimum(known.x_high, far))
    found = np.column_stack([np.full(targets.shape[0], np.inf), np.full(targets.shape[0], -np.inf)])

    def note(objective: Floats) -> None:
        reached = targets @ known.extreme(objective)
        found[:, 0] = np.minimum(found[:, 0], reached)
        found[:, 1] = np.maximum(found[:, 1], reached)

    def short(side: int) -> NDArray[np.intp]:
        if enough is None:
            return np.arange(targets.shape[0])
        return np.flatnonzero(found[:, 0] > enough[:, 0] if side == 0 else found[:, 1] < enough[:, 1])

    random = np.random.default_rng(0)
    for _ in range(_TRIES if enough is not None else 0):
        wanted = np.union1d(short(0), short(1))
        if len(wanted):
            note(targets[wanted].T @ random.choice([-1.0, 1.0], len(wanted)))
    block = _blocks(known.forms, targets)
    for side, sign in ((0, 1.0), (1, -1.0)):
        left = short(side)
        while len(left):
            _, first = np.unique(block[left], return_index=True)
            note(sign * (targets[left[first]].T @ np.ones(len(first))))
            left = np.intersect1d(np.delete(left, first), short(side))
    found[:, 1] = np.where(found[:, 1] >= far / 100, np.inf, found[:, 1])
    return found


def _propagate(known: _Knowledge, sweeps: int = 4) -> tuple[Floats, Floats]:
    """Tighten each cell's bounds by each statement in turn: what the others leave over at most and at least."""
    entry = sparse.coo_array(known.forms)
    row, column, weight = entry.coords[0], entry.coords[1], entry.data
    low, high = known.low, known.high
    up = weight > 0
    lo, hi = known.x_low.copy(), known.x_high.copy()
    for _ in range(sweeps):
        least = weight * np.where(up, lo[column], hi[column])
        most = weight * np.where(up, hi[column], lo[column])
        over = (high[row] - _others(least, row, len(low))) / weight
        under = (low[row] - _others(most, row, len(low))) / weight
        np.minimum.at(hi, column, np.where(up, over, under) + 1e-9)
        np.maximum.at(lo, column, np.where(up, under, over) - 1e-9)
    lo = np.maximum(lo, known.x_low)
    return lo, np.maximum(np.minimum(hi, known.x_high), lo)


def _others(terms: Floats, row: NDArray[Any], rows: int) -> Floats:
    """Return for each term the sum of the other terms of its row; one infinite term leaves the others infinite."""
    endless = np.isinf(terms)
    sign = np.sign(terms[endless][0]) if endless.any() else 1.0
    finite = np.where(endless, 0.0, terms)
    total = np.bincount(row, finite, rows)[row] - finite
    count = np.bincount(row, endless, rows)[row] - endless
    return np.where(count > 0, sign * np.inf, total)


def _blocks(forms: sparse.csr_array, targets: sparse.csr_array) -> NDArray[np.int64]:
    """Return the separate problem that each target belongs to."""
    links = as_csr(sparse.vstack([forms, targets]))
    _, label = sparse.csgraph.connected_components(as_csr(links @ links.T), directed=False)
    return np.asarray(label[forms.shape[0] :], dtype=np.int64)


# --- the sums that are published --------------------------------------------------------------------------------------


def _above(parents: Mapping[str, str], code: str) -> list[str]:
    """Return a code and everything above it, up to '*'."""
    chain = [code]
    while (code := parents.get(code, "")) and code not in chain:
        chain.append(code)
    return [*chain, ALL]


def _region_parents(panel: Panel) -> dict[str, str]:
    frame = panel.regions.frame
    if "parent" not in frame.columns:
        return {}
    known = frame.drop_nulls("parent")
    return dict(zip(known["region"], known["parent"], strict=True))


def _tree(panel: Panel, groups: pl.DataFrame | None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return what each region counts towards (part, region) and each industry (part, kind, code, weight)."""
    above = _region_parents(panel)
    regions = [(r, node) for r in panel.frame["region"].unique().sort() for node in _above(above, r)]
    parents = panel.industries.parents
    codes = panel.frame["industry"].unique().sort()
    industries = [(i, "industry", node, 1.0) for i in codes for node in _above(parents, i)]
    if groups is not None:
        parts = groups.filter(pl.col("industry").is_in(codes.implode()), pl.col("weight") > 0)
        rows = parts.select("industry", "cluster", "weight").iter_rows()
        industries += [(i, "cluster", cluster, float(weight)) for i, cluster, weight in rows]
    schema = {"part": pl.String, "kind": pl.String, "code": pl.String, "weight": pl.Float64}
    return (
        pl.DataFrame(regions, schema={"part": pl.String, "region": pl.String}, orient="row"),
        pl.DataFrame(industries, schema=schema, orient="row"),
    )


def _system(cells: pl.DataFrame, regions: pl.DataFrame, industries: pl.DataFrame) -> System:
    """Write every sum of one year's cells as a linear form."""
    terms = (
        cells.select("region", "industry")
        .with_row_index("cell")
        .join(regions.rename({"part": "region", "region": "_region"}), on="region", maintain_order="left")
        .join(industries.rename({"part": "industry"}), on="industry", maintain_order="left")
    )
    same = (pl.col("_region") == pl.col("region")) & (pl.col("code") == pl.col("industry"))
    own = same & (pl.col("kind") == "industry")
    terms = terms.with_columns(own.alias("own")).sort(~pl.col("own"), "cell", maintain_order=True)
    names = terms.select(pl.col("_region").alias("region"), "kind", "code").unique(maintain_order=True)
    terms = terms.join(names.with_row_index("sum").rename({"region": "_region"}), on=["_region", "kind", "code"])
    where = (terms["sum"].to_numpy(), terms["cell"].to_numpy())
    forms = sparse.coo_array((terms["weight"].to_numpy(), where), shape=(names.height, cells.height))
    keys = tuple(names.iter_rows())
    return System(keys, as_csr(forms), {key: k for k, key in enumerate(keys)})


def _contributions(
    system: System, cells: pl.DataFrame, units: pl.DataFrame | None, size: str, largest: int
) -> tuple[Floats, Floats]:
    """Return the number of contributors to each sum, and its largest contributions (sums, largest)."""
    if units is None:
        count = (abs(system.forms) > 0).astype(np.float64) @ cells["establishments"].to_numpy()
        return count, np.zeros((len(count), 0))
    # One column a contributor and cell: the forms add them up, a contributor at a time.
    parts = (
        units.join(cells.select("region", "industry").with_row_index("cell"), on=["region", "industry"])
        .group_by("cell", "contributor")
        .agg(pl.sum(size))
        .with_columns((pl.col("contributor").rank("dense") - 1).alias("who"))
    )
    who, cell, amount = (parts[c].to_numpy() for c in ("who", "cell", size))
    people = parts["contributor"].n_unique()
    present = as_csr(sparse.coo_array((np.ones(len(who)), (cell, who)), shape=(cells.height, people)))
    share = as_csr(sparse.coo_array((amount.astype(np.float64), (cell, who)), shape=(cells.height, people)))
    count = np.diff(as_csr(system.forms @ present).indptr).astype(np.float64)
    by_sum = as_csr(system.forms @ share)
    top = np.zeros((len(count), largest))
    for k, (start, stop) in enumerate(pairwise(by_sum.indptr)):
        amounts = np.sort(by_sum.data[start:stop])[::-1][:largest]
        top[k, : len(amounts)] = amounts
    return count, top


def _needs(rules: Rules, total: Floats, count: Floats, top: Floats) -> tuple[Floats, list[str]]:
    """Return how far each sum must stay from being known (0: not confidential) and the rule that says so."""
    need = np.zeros(len(total))
    reason = [""] * len(total)

    def demand(broken: Mask, distance: Floats, text: str) -> None:
        far = np.maximum.reduce([distance, rules.margin * total, np.full(len(total), rules.least)])
        need[:] = np.where(broken, np.maximum(need, far), need)
        for k in np.flatnonzero(broken):
            reason[k] = f"{reason[k]}, {text}" if reason[k] else text

    some = count > 0
    demand(some & (count < rules.contributors), np.zeros(len(total)), f"fewer than {rules.contributors} contributors")
    for n, k in rules.dominance:
        first = top[:, :n].sum(axis=1)
        demand(some & (first > k / 100 * total), first * 100 / k - total, f"dominance ({n}, {k:g})")
    if rules.p_percent is not None:
        room = rules.p_percent / 100 * top[:, 0]
        rest = total - top[:, 0] - top[:, 1]
        demand(some & (rest < room), room - rest, f"p-percent {rules.p_percent:g}")
    return need, reason


# --- choosing complements -------------------------------------------------------------------------------------------


def _hide(
    system: System, grid: _Grid, *, values: Floats, need: Floats, count: Floats, hidden: Mask, insiders: bool
) -> Mask:
    """Return which sums to hide so that each one with a need can be believed that far up and down.

    For each, two other tables are made that agree with all that stays published: by moving the amount around a
    rectangle of sibling regions and industries where there is one, otherwise by linear programme. What moves is hidden.
    Cells that cannot move: empty ones (the public knows that nothing is there) and, against insiders, those of a
    single contributor.

    Sources: Repsilber (1994), the hypercube method; Kelly, Golden and Assad (1992), Cell suppression: disclosure
    protection for sensitive tabular data, Networks 22 (the linear programme).
    """
    hidden = hidden | (need > 0)
    leaves = np.diff(system.forms.indptr)
    cost = (1 + np.log1p(values)) * leaves  # information lost: the digits of a figure, and all that it sums up
    cells = system.forms.shape[1]
    free = count[:cells] > (1 if insiders else 0)
    for k in np.argsort(-need, kind="stable")[: int((need > 0).sum())]:
        if k < cells:
            corners = grid.rectangle(k, values[:cells], need[k], np.where(hidden, 0.0, cost)[:cells], free)
            if corners is not None:
                hidden[corners] = True
                continue
        own = as_csr(system.forms[[k]])
        movable = free.copy()
        movable[own.indices] = count[own.indices] > 0
        for shift in (need[k], -min(need[k], values[k])):
            if shift:
                price = np.where(hidden, 0.0, cost)
                hidden |= _moved(system.forms, own, shift, values=values[:cells], cost=price, movable=movable)
    return hidden


@dataclass(frozen=True)
class _Grid:
    """Cells by region and industry, with the classes of those that belong to the same sums."""

    at: NDArray[np.int64]  # (regions, industries) -> cell, or -1
    row: NDArray[np.int64]  # of each cell
    column: NDArray[np.int64]
    row_class: NDArray[np.int64]
    column_class: NDArray[np.int64]

    @classmethod
    def of(cls, cells: pl.DataFrame, regions: pl.DataFrame, industries: pl.DataFrame) -> _Grid:
        """Lay out one year's cells; siblings are those whose sums above are the same, with the same weights."""
        place = cells.select("region", "industry").with_columns(
            row=pl.col("region").rank("dense").cast(pl.Int64) - 1,
            column=pl.col("industry").rank("dense").cast(pl.Int64) - 1,
        )
        row, column = place["row"].to_numpy(), place["column"].to_numpy()
        at = np.full((int(row.max()) + 1, int(column.max()) + 1), -1, dtype=np.int64)
        at[row, column] = np.arange(cells.height)
        above_row = regions.filter(pl.col("part") != pl.col("region")).select("part", key="region")
        own = (pl.col("kind") == "industry") & (pl.col("code") == pl.col("part"))
        above_column = industries.filter(~own).select("part", key=pl.format("{} {} {}", "kind", "code", "weight"))
        return cls(at, row, column, _classes(place["region"], above_row), _classes(place["industry"], above_column))

    def rectangle(self, cell: int, values: Floats, need: float, cost: Floats, free: Mask) -> NDArray[np.int64] | None:
        """Return the siblings below, across and opposite that hide a cell at least cost; None where none do."""
        r, i = self.row[cell], self.column[cell]
        rows = np.flatnonzero((self.row_class == self.row_class[r]) & (self.at[:, i] >= 0))
        columns = np.flatnonzero((self.column_class == self.column_class[i]) & (self.at[r] >= 0))
        below, across = self.at[rows, i], self.at[r, columns]
        fits_below = (below != cell) & free[below] & (values[below] >= need)
        fits_across = (across != cell) & free[across] & (values[across] >= need)
        rows, below, columns, across = rows[fits_below], below[fits_below], columns[fits_across], across[fits_across]
        opposite = self.at[np.ix_(rows, columns)]
        fits = (opposite >= 0) & free[opposite] & (values[opposite] >= min(need, values[cell]))
        if not fits.any():
            return None
        price = np.where(fits, cost[below][:, None] + cost[across][None, :] + cost[opposite], np.inf)
        a, b = np.unravel_index(int(np.argmin(price)), price.shape)
        return np.array([below[a], across[b], opposite[a, b]])


def _classes(codes: pl.Series, above: pl.DataFrame) -> NDArray[np.int64]:
    """Return one number for each set of sums that a code (in order) can belong to."""
    key = above.group_by("part").agg(pl.col("key").sort()).with_columns(pl.col("key").list.join("\n").rank("dense"))
    numbers = dict(key.select("part", "key").iter_rows())
    return np.array([numbers[code] for code in codes.unique().sort()], dtype=np.int64)


def _moved(
    forms: sparse.csr_array, own: sparse.csr_array, shift: float, *, values: Floats, cost: Floats, movable: Mask
) -> Mask:
    """Return the sums of some cost that change in the cheapest other table in which one sum is shifted."""
    columns = np.flatnonzero(movable)
    rows = np.flatnonzero(cost > 0)
    part = as_csr(forms[rows][:, columns])
    touched = np.flatnonzero(np.diff(part.indptr))
    part, rows = as_csr(part[touched]), rows[touched]
    # Unknowns: the change of each cell, and how far each sum rises and falls.
    change, rise = sparse.vstack([part, own[:, columns]]), sparse.eye_array(len(rows) + 1, len(rows))
    equations = as_csr(sparse.hstack([change, -rise, rise]))
    right = np.append(np.zeros(len(rows)), shift)
    objective = np.concatenate([np.zeros(len(columns)), cost[rows], cost[rows]])
    lowest = np.concatenate([-values[columns], np.zeros(2 * len(rows))])
    solved = milp(objective, constraints=LinearConstraint(equations, right, right), bounds=Bounds(lowest, np.inf))
    if solved.x is None:
        raise ClusterbookError(f"No complementary suppression was found ({solved.message.strip()}).")
    far = np.abs(part @ solved.x[: len(columns)]) > TOLERANCE * abs(shift)
    moved = np.zeros(len(cost), dtype=bool)
    moved[rows[far]] = True
    return moved


# --- the gate -------------------------------------------------------------------------------------------------------


def protect(
    panel: Panel,
    rules: Rules | None = None,
    *,
    units: pl.DataFrame | None = None,
    groups: pl.DataFrame | None = None,
    public: Iterable[str] = (),
) -> Protected:
    """Hide confidential cells, and as many others as keep them from being worked out from sums.

    Protected together are the cells and all their sums: over the tree of regions (``Regions.frame['parent']``), the
    tree of industries, both at once, and the groups.

    Args:
        panel: true figures of every cell. An absent cell is taken as empty, and as known to be.
        rules: when a figure is confidential; default: fewer than 3 contributors.
        units: establishments, one row each: ``region, industry, year``, the main measure, and ``owner`` or ``id``;
            establishments of one owner are one contributor (an establishment without owner is one of its own). Needed
            for dominance and p-percent. Default: ``establishments`` of the panel are the contributors.
        groups: sums of industries that will be published, too: ``industry, cluster, weight``, e.g.
            ``definitions.assign(panel.industries, panel.frame['industry'])``. Without it, clusters' sums are not safe.
        public: measures that are no secret and stay as they are, e.g. ``['establishments']``.

    Returns:
        The protected panel with its audit (see ``Protected``).

    Raises:
        ClusterbookError: figures are missing, contributors are not known, or the audit finds a figure that is not
            protected (then nothing is handed out).

    Example:
        >>> import polars as pl
        >>> from clusterbook import Industries, Panel, Regions, Source
        >>> from clusterbook.data.panel import status_of
        >>> jobs = pl.DataFrame({"region": list("AAABBBCCC"), "industry": list("xyz") * 3, "year": [2020] * 9,
        ...     "employment": [12.0, 30, 60, 150, 20, 80, 70, 300, 90],
        ...     "establishments": [1.0, 5, 6, 9, 4, 8, 7, 9, 8]})
        >>> panel = Panel(jobs.with_columns(status_of("employment")), Source("toy", "Toy"),
        ...     Regions.from_codes(jobs["region"]), Industries.from_codes(jobs["industry"]))
        >>> safe = protect(panel, public=["establishments"])
        >>> hidden = safe.panel.frame.filter(status="suppressed")
        >>> for row in hidden.select("region", "industry", "employment_lo", "employment_hi").rows(): print(row)
        ('A', 'x', 0.0, 42.0)
        ('A', 'y', 0.0, 42.0)
        ('B', 'x', 120.0, 162.0)
        ('B', 'y', 8.0, 50.0)
        >>> safe.audit.select("region", "code", "reason", "protected").rows()
        [('A', 'x', 'fewer than 3 contributors', True)]
    """
    rules = rules or Rules()
    measures = tuple(m for m in panel.measures if m not in set(public))
    units = _check_inputs(panel, rules, measures, units)
    regions, industries = _tree(panel, groups)
    frames, audits, truth, systems = [], [], {}, {}
    for year in panel.years:
        cells = sort_cells(panel.frame.filter(pl.col("year") == year))
        here = None if units is None else units.filter(pl.col("year") == year)
        system = _system(cells, regions, industries)
        grid = _Grid.of(cells, regions, industries)
        frame, record, truth[year] = _protect_year(
            cells, system, grid, rules, units=here, size=panel.size, measures=panel.measures, secret=measures
        )
        frames.append(frame)
        audits.append(record)
        systems[year] = system
    record = pl.concat(audits)
    _require_protected(record)
    shown = pl.concat(truth.values()).with_columns(
        *(_unless_hidden(m) for m in measures),
        pl.when("hidden").then(pl.lit("suppressed")).otherwise(pl.lit("disclosed")).cast(STATUS).alias("status"),
    )
    safe = replace(panel, frame=pl.concat(frames), totals=_totals(panel, shown, measures))
    return Protected(safe, rules, record, shown.drop("hidden", "contributors"), truth, systems, measures)


def _protect_year(
    cells: pl.DataFrame,
    system: System,
    grid: _Grid,
    rules: Rules,
    *,
    units: pl.DataFrame | None,
    size: str,
    measures: tuple[str, ...],
    secret: tuple[str, ...],
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Return one year's cells as they may be published, the audit, and the truth about all sums."""
    values = {m: system.forms @ cells[m].cast(pl.Float64).to_numpy() for m in measures}
    count, top = _contributions(system, cells, units, size, rules.largest)
    need, reason = _needs(rules, values[size], count, top)
    needs = {m: np.where(need > 0, np.maximum(rules.margin * values[m], rules.least), 0.0) for m in secret}
    needs |= {size: need} if size in secret else {}
    hidden = np.zeros(len(need), dtype=bool)
    for m in secret:
        figures = {"values": values[m], "need": needs[m], "count": count}
        hidden = _hide(system, grid, **figures, hidden=hidden, insiders=rules.insiders)
    names = pl.DataFrame(system.names, schema=["region", "kind", "code"], orient="row")
    names = names.with_columns(pl.lit(cells["year"][0], dtype=cells.schema["year"]).alias("year"))
    truth = names.with_columns(pl.Series(m, v) for m, v in values.items())
    truth = truth.with_columns(contributors=pl.Series(count), hidden=pl.Series(hidden))
    unknown = np.flatnonzero(hidden[: cells.height] & (count[: cells.height] > 0))  # empty cells are known
    why = names.with_columns(pl.Series("reason", reason, dtype=pl.String))
    audits = []
    for m in secret:
        known = published_knowledge(system, values[m], hidden, unknown)
        audits.append(_audited(system, known, why, m, values=values[m], need=needs[m], unknown=unknown))
        cells = _blanked(cells, known, m, unknown)
    return _with_status(cells, unknown), pl.concat(audits), truth


def _unless_hidden(measure: str) -> pl.Expr:
    return pl.when(~pl.col("hidden")).then(measure).alias(measure)


def _check_inputs(
    panel: Panel, rules: Rules, measures: tuple[str, ...], units: pl.DataFrame | None
) -> pl.DataFrame | None:
    """Refuse what cannot be protected; return the units with their contributor."""
    if not measures:
        raise ClusterbookError("Every measure of the panel is public: there is nothing to protect.")
    gaps = panel.frame.filter(pl.any_horizontal(pl.col(panel.measures).is_null())).height
    if gaps:
        raise ClusterbookError(
            f"{gaps} cells of '{panel.source.title}' have no figure. Protecting needs the true figures of all cells; "
            "leave out what was never collected."
        )
    if units is None:
        if rules.largest:
            raise ClusterbookError(
                "Dominance and p-percent need the single contributions: give units= with one row an establishment."
            )
        if "establishments" not in panel.measures:
            raise ClusterbookError(
                "How many contribute to a cell is not known: give units= with one row an establishment, or a panel "
                "with the measure 'establishments'."
            )
        nobody = panel.frame.filter(pl.col("establishments") < 1, pl.any_horizontal(pl.col(panel.measures) > 0))
        if nobody.height:
            where = ", ".join(f"{r} {i} {y}" for r, i, y in nobody.select(KEYS).head(5).iter_rows())
            raise ClusterbookError(
                f"{nobody.height} cells have figures but no establishment ({where}): whose figures they are is not "
                "known. Mend the count, or give units=."
            )
        return None
    missing = [c for c in (*KEYS, panel.size) if c not in units.columns]
    if missing or not {"owner", "id"} & set(units.columns):
        lacking = ", ".join(missing) or "'owner' or 'id'"
        raise ClusterbookError(
            f"The units lack {lacking}: each needs region, industry, year, {panel.size}, and owner or id."
        )
    who = [pl.col(c).cast(pl.String) for c in ("owner", "id") if c in units.columns]
    units = units.with_columns(pl.coalesce(who).alias("contributor"), pl.col(panel.size).cast(pl.Float64))
    if units["contributor"].null_count() or units[panel.size].null_count():
        raise ClusterbookError(
            f"Some units have neither owner nor id, or no {panel.size}: their cells cannot be judged. Complete them."
        )
    added = units.group_by(KEYS).agg(pl.sum(panel.size).alias("_sum"))
    both = panel.frame.join(added, on=KEYS, how="full", coalesce=True)
    ours, theirs = pl.col(panel.size).fill_null(0), pl.col("_sum").fill_null(0)
    off = both.filter((ours - theirs).abs() > TOLERANCE * (1 + theirs))
    if off.height:
        where = ", ".join(f"{r} {i} {y}" for r, i, y in off.select(KEYS).head(5).iter_rows())
        raise ClusterbookError(
            f"Units and panel differ in {off.height} cells ({where}{' ...' if off.height > 5 else ''}): the units of a "
            f"cell must add up to its {panel.size}. Make the panel from the units (Plants.panel)."
        )
    return units


def published_knowledge(system: System, values: Floats, hidden: Mask, unknown: NDArray[np.intp]) -> _Knowledge:
    """Return what the published sums say about the cells that are not known."""
    forms = as_csr(system.forms[np.flatnonzero(~hidden)][:, unknown])
    return _sums_known(forms, values[unknown])


def _audited(
    system: System,
    known: _Knowledge,
    names: pl.DataFrame,
    measure: str,
    *,
    values: Floats,
    need: Floats,
    unknown: NDArray[np.intp],
) -> pl.DataFrame:
    """Check by linear programme, from nothing but what is published, how uncertain each confidential sum stays."""
    wanted = np.flatnonzero(need > 0)
    needed = np.column_stack([np.maximum(values[wanted] - need[wanted], 0), values[wanted] + need[wanted]])
    found, enough = uncertainty(system, known, wanted, needed, values=values, unknown=unknown)
    return names[wanted].with_columns(
        pl.lit(measure).alias("measure"),
        pl.Series("lowest_needed", needed[:, 0]),
        pl.Series("highest_needed", needed[:, 1]),
        pl.Series("lowest", found[:, 0]),
        pl.Series("highest", found[:, 1]),
        pl.Series("protected", enough),
    )


def uncertainty(
    system: System,
    known: _Knowledge,
    wanted: NDArray[np.intp],
    needed: Floats,
    *,
    values: Floats,
    unknown: NDArray[np.intp],
) -> tuple[Floats, Mask]:
    """Return how far each sum's range is shown to reach, and whether that is as far as needed."""
    if not len(wanted):
        return np.zeros((0, 2)), np.zeros(0, dtype=bool)
    targets = as_csr(system.forms[wanted][:, unknown])
    parts = (values[wanted] - targets @ values[unknown])[:, None]  # a confidential sum may have published parts
    slack = TOLERANCE * (1 + values[wanted])
    enough = needed + np.column_stack([slack, -slack])
    found = _ranges(known, targets, enough - parts) + parts
    return found, (found[:, 0] <= enough[:, 0]) & (found[:, 1] >= enough[:, 1])


def _blanked(cells: pl.DataFrame, known: _Knowledge, measure: str, unknown: NDArray[np.intp]) -> pl.DataFrame:
    """Take a measure out of the cells that are not known, and give them the bounds that the published sums imply."""
    value = cells[measure].cast(pl.Float64).to_numpy().copy()
    low, high = np.full((2, cells.height), np.nan)
    value[unknown] = np.nan
    low[unknown], high[unknown] = _propagate(known)
    high[np.isinf(high)] = np.nan
    columns = {measure: value, f"{measure}_lo": low.round(6) + 0.0, f"{measure}_hi": high.round(6)}
    return cells.with_columns(pl.Series(name, column).fill_nan(None) for name, column in columns.items())


def _with_status(cells: pl.DataFrame, unknown: NDArray[np.intp]) -> pl.DataFrame:
    secret = pl.Series(np.isin(np.arange(cells.height), unknown))
    return cells.with_columns(pl.when(secret).then(pl.lit("suppressed", STATUS)).otherwise("status").alias("status"))


def _totals(panel: Panel, sums: pl.DataFrame, measures: tuple[str, ...]) -> pl.DataFrame:
    """Return the regions' totals that may be published: the source's own where it has some, else the sums of cells."""
    here = pl.col("region").is_in(panel.frame["region"].unique().implode())
    own = sums.filter(here, kind="industry", code=ALL)
    if panel.totals is None:
        return own.select("region", "year", *panel.measures)
    secret = own.filter(pl.col("status") == "suppressed").select("region", "year", hidden=pl.lit(True))
    joined = panel.totals.join(secret, on=["region", "year"], how="left", maintain_order="left")
    kept = [m for m in measures if m in panel.totals.columns]
    return joined.with_columns(pl.col("hidden").fill_null(False)).with_columns(map(_unless_hidden, kept)).drop("hidden")


def _require_protected(record: pl.DataFrame) -> None:
    bare = record.filter(~pl.col("protected"))
    if bare.height:
        where = ", ".join(f"{r} {i} {y}" for r, i, y in bare.select("region", "code", "year").head(5).iter_rows())
        raise ClusterbookError(
            f"The audit failed for {bare.height} of {record.height} confidential figures ({where}); nothing is handed "
            "out. Ask for a smaller margin, or report this with the rules used."
        )


# --- another way ----------------------------------------------------------------------------------------------------


def controlled_rounding(values: ArrayLike, base: int = 5) -> Floats:
    """Round a table to multiples of a base so that rows, columns and the total still add up.

    Each figure, margins included, becomes one of the two neighbouring multiples (a multiple stays as it is); of all
    such tables it is one with the least sum of differences. An alternative to suppression where small counts may be
    blurred rather than blanked: everybody sees every cell, to within ``base``.

    Args:
        values: (rows, columns) not negative.
        base: 3 or 5 are usual.

    Returns:
        (rows + 1, columns + 1) the rounded table with its margins.

    Raises:
        ClusterbookError: ``base`` below 2, or values that are negative or missing.

    Example:
        >>> controlled_rounding([[1, 4], [7, 3]], base=5).astype(int).tolist()
        [[0, 5, 5], [5, 5, 10], [5, 10, 15]]

    Source: Cox and Ernst (1982), Controlled rounding, INFOR 20: a two-way table always has one.
    """
    table = np.asarray(values, dtype=np.float64)
    if base < 2 or not (table >= 0).all():
        raise ClusterbookError(f"Controlled rounding needs a base of 2 or more (here {base}) and values of 0 or more.")
    forms = table_sums((table.shape[0], table.shape[1]))
    full = np.concatenate([table.ravel(), forms @ table.ravel()])
    floor = np.floor(full / base)
    over = full / base - floor
    # Unknown for each figure: 0 if it goes down, 1 if up. Margins are sums of their cells.
    sums = as_csr(sparse.hstack([forms, -sparse.eye_array(forms.shape[0])]))
    short = -(sums @ floor)
    up = milp(
        1 - 2 * over,
        constraints=LinearConstraint(sums, short, short),
        bounds=Bounds(0, np.ceil(over)),
        integrality=np.ones(len(full), dtype=np.int64),
    )
    if up.x is None:
        raise ClusterbookError(f"No controlled rounding was found ({up.message.strip()}).")
    rounded = base * (floor + up.x.round())
    out = np.zeros((table.shape[0] + 1, table.shape[1] + 1))
    out[:-1, :-1] = rounded[: table.size].reshape(table.shape)
    out[:-1, -1] = rounded[table.size : table.size + table.shape[0]]
    out[-1, :-1] = rounded[table.size + table.shape[0] : -1]
    out[-1, -1] = rounded[-1]
    return out
