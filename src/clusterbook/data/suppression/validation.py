"""How good imputed figures are: hide what is known by the source's own rule, fill it in again and compare."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from clusterbook.data.industries import Industries
from clusterbook.data.panel import KEYS
from clusterbook.data.suppression.hierarchy import (
    EPS,
    Bounds,
    Floats,
    Hierarchy,
    ancestors,
    depths,
    nearest_known,
    sum_parts,
)
from clusterbook.data.suppression.imputation import COUNTS, impute, lay_out
from clusterbook.errors import ClusterbookError


def add_totals(leaves: pl.DataFrame, industries: Industries, region_parents: Mapping[str, str]) -> pl.DataFrame:
    """Add a consistent table up: the leaves and every total above them in both trees.

    Args:
        leaves: ``region, industry, year`` and measures without gaps, one row a cell that has no parts.
        industries: the classification; every ancestor of a code gets a total.
        region_parents: region to the region it is a part of.

    Example:
        >>> import polars as pl
        >>> tree = Industries(pl.DataFrame({"industry": ["1", "11", "12"], "title": "", "parent": [None, "1", "1"]}))
        >>> cells = pl.DataFrame({"region": "X", "industry": ["11", "12"], "year": 2019, "employment": [2.0, 3.0]})
        >>> add_totals(cells, tree, {}).sort("industry")["employment"].to_list()
        [5.0, 2.0, 3.0]

    Source: arithmetic.
    """
    measures = [name for name in leaves.columns if name not in KEYS]
    for key, parents in (("industry", industries.parents), ("region", dict(region_parents))):
        codes = leaves[key].unique().to_list()
        chain = [(code, above) for code in codes for above in (code, *ancestors(parents, code))]
        wholes = pl.DataFrame(chain, schema=[key, "whole"], orient="row")
        leaves = (
            leaves.join(wholes, on=key)
            .with_columns(pl.col("whole").alias(key))
            .group_by(KEYS)
            .agg(pl.col(measures).sum())
        )
    return leaves.sort("year", "region", "industry")


def ipf(tree: Hierarchy, bounds: Bounds, seed: Floats, *, max_sweeps: int = 200, tolerance: float = 1e-6) -> Floats:
    """Fit a seed to all totals by iterative proportional fitting, without regard to bounds: the plain baseline.

    Totals are visited level by level from the top of each tree in turn; the unknown parts of a total are scaled to
    what it leaves over. Returns shape (n,).

    Source: Deming and Stephan (1940), Annals of Mathematical Statistics 11.
    """
    unknown = bounds.hi > bounds.lo
    x = np.where(unknown, seed, bounds.lo)
    plan = []
    for above, total in zip(tree.above, tree.total, strict=True):
        depth = depths(above)
        fixed = sum_parts(above, np.where(unknown, 0.0, bounds.lo))
        for level in range(1, int(depth.max(initial=0)) + 1):
            part = np.flatnonzero(unknown & (depth == level) & total[above])
            plan.append((part, above[part], fixed))
    for _ in range(max_sweeps):
        moved = 0.0
        for part, whole, fixed in plan:
            sums = np.bincount(whole, weights=x[part], minlength=len(x))[whole]
            scaled = x[part] * np.maximum(x[whole] - fixed[whole], 0.0) / np.maximum(sums, EPS)
            moved = max(moved, float(np.abs(scaled - x[part]).max(initial=0.0)))
            x[part] = scaled
        if moved < tolerance:
            break
    return np.asarray(x)


def validate(
    frame: pl.DataFrame,
    industries: Industries,
    region_parents: Mapping[str, str] | None = None,
    *,
    hide_below: int = 5,
    measure: str = "employment",
) -> pl.DataFrame:
    """Hide small cells of a table at every level, fill them in again and compare with the truth.

    The truth is the disclosed cells at the bottom of both trees, added up to all levels, so nothing in it is missing.
    Every cell of fewer than ``hide_below`` establishments is then left out, totals included, as County Business
    Patterns does with cells of fewer than three. The method sees what remains and that rule, nothing else.

    Args:
        frame: one year's ``region, industry, year, establishments`` and the measure, of all levels.
        industries: the classification with its tree.
        region_parents: the region tree, if there is one.
        hide_below: the rule. The disclosed cells of County Business Patterns have 3 or more establishments, so 5
            hides those with 3 or 4.
        measure: what to compare.

    Returns:
        One row a method: ``centred`` (``impute``), ``ipf`` (iterative proportional fitting from the midpoints of the
        tightened bounds), ``midpoint`` (these midpoints as they are) and ``zero`` (absent read as zero), with

        - ``hidden``: hidden bottom cells; ``candidates``: those and the empty ones that could have been hidden;
        - ``coverage``: share of candidates whose truth lies inside the bounds (the methods share the bounds);
        - ``mae``: mean absolute error over hidden cells; ``mae_all``: over candidates;
        - ``error_share``: sum of absolute errors over candidates / sum of hidden values;
        - ``lq_wrong``: share of hidden cells put on the wrong side of a location quotient of 1;
        - ``lq_lost``: share of hidden cells with a quotient of 1 or more that the method puts below;
        - ``sums_off``: largest difference between a published total and the sum of its bottom cells.

    Raises:
        ClusterbookError: the frame has several years or lacks establishments or the measure.

    Example:
        >>> import polars as pl
        >>> rows = [("X", "11", 90, 9), ("X", "12", 7, 2), ("X", "13", 5, 1), ("Y", "12", 60, 9), ("Y", "13", 50, 9)]
        >>> cells = pl.DataFrame(rows, schema=["region", "industry", "employment", "establishments"], orient="row")
        >>> tree = pl.DataFrame({"industry": ["1", "11", "12", "13"], "title": "", "parent": [None, "1", "1", "1"]})
        >>> result = validate(cells.with_columns(year=2019), Industries(tree), hide_below=3)
        >>> result.select("method", "hidden", "coverage").row(0)
        ('centred', 2, 1.0)

    Source: ours.
    """
    _check(frame, measure)
    region_parents = region_parents or {}
    leaves = _leaves(frame, industries, region_parents).select(*KEYS, COUNTS, measure).drop_nulls()
    truth = add_totals(leaves, industries, region_parents)
    seen = truth.filter(pl.col(COUNTS) >= hide_below)
    done = impute(seen, industries, region_parents, hidden_below=hide_below, scope=truth["industry"].unique())
    withheld = done.cells.with_columns(pl.when(pl.col(f"{measure}_lo").is_null()).then(measure).alias(measure))
    layout = lay_out(withheld, [measure], industries, region_parents, None)
    figures = layout.figures[measure]
    bounds = Bounds(figures.lo, figures.hi, ())
    midpoint = np.where(np.isfinite(bounds.hi), 0.5 * (bounds.lo + bounds.hi), bounds.lo)
    keys = layout.keys(np.ones(len(layout.row), dtype=bool))
    estimates = pl.DataFrame({**keys, "ipf": ipf(layout.tree, bounds, midpoint), "midpoint": midpoint})
    table = (
        leaves.select(*KEYS, pl.col(measure).cast(pl.Float64).alias("truth"), COUNTS)
        .join(_leaves(done.cells, industries, region_parents), on=KEYS, how="full", coalesce=True, suffix="_filled")
        .join(estimates, on=KEYS, how="left")
        .with_columns(pl.col("truth", COUNTS, measure, "ipf", "midpoint").fill_null(0.0))
        .with_columns(
            candidate=pl.col(f"{measure}_lo").is_not_null() | pl.col(COUNTS).is_between(1, hide_below - 1),
            low=pl.coalesce(f"{measure}_lo", measure),
            high=pl.coalesce(f"{measure}_hi", measure),
            zero=pl.when(pl.col(COUNTS) >= hide_below).then(pl.col("truth")).otherwise(0.0),
        )
        .rename({measure: "centred"})
        .sort("region", "industry")
    )
    return pl.DataFrame([_score(table, method, seen, industries, region_parents, measure) for method in METHODS])


METHODS = ("centred", "ipf", "midpoint", "zero")


def _check(frame: pl.DataFrame, measure: str) -> None:
    missing = [name for name in (*KEYS, COUNTS, measure) if name not in frame.columns]
    if missing:
        raise ClusterbookError(f"To hide cells and fill them in again the table needs: {', '.join(missing)}.")
    if frame["year"].n_unique() != 1:
        raise ClusterbookError(f"The table holds {frame['year'].n_unique()} years; validate one at a time.")


def _leaves(frame: pl.DataFrame, industries: Industries, region_parents: Mapping[str, str]) -> pl.DataFrame:
    """Keep the cells that are no total in either tree."""
    for key, parents in (("industry", industries.parents), ("region", region_parents)):
        codes = frame[key].unique().sort().to_list()
        inner = {codes[k] for k in nearest_known(parents, codes) if k >= 0}
        frame = frame.filter(pl.col(key).is_in([c for c in codes if c not in inner]))
    return frame


def _quotient(value: str) -> pl.Expr:
    """Location quotient with all denominators from the same column."""
    share = pl.col(value) / pl.col(value).sum().over("region")
    return share / (pl.col(value).sum().over("industry") / pl.col(value).sum())


def _score(
    table: pl.DataFrame,
    method: str,
    seen: pl.DataFrame,
    industries: Industries,
    region_parents: Mapping[str, str],
    measure: str,
) -> dict[str, object]:
    """Compare one method's column with the truth."""
    candidates = table.with_columns(lq=_quotient(method), lq_truth=_quotient("truth")).filter("candidate")
    hidden = candidates.filter(pl.col(COUNTS) > 0)
    special = hidden.filter(pl.col("lq_truth") >= 1)
    error = (pl.col(method) - pl.col("truth")).abs()
    inside = pl.col("truth").is_between(pl.col("low") - EPS, pl.col("high") + EPS)
    again = add_totals(table.select(*KEYS, pl.col(method).alias("again")), industries, region_parents)
    off = seen.join(again, on=KEYS, how="left").select((pl.col(measure) - pl.col("again").fill_null(0.0)).abs().max())
    return {
        "method": method,
        "hidden": len(hidden),
        "candidates": len(candidates),
        "coverage": candidates.select(inside.mean()).item(),
        "mae": hidden.select(error.mean()).item(),
        "mae_all": candidates.select(error.mean()).item(),
        "error_share": candidates.select(error.sum()).item() / max(hidden["truth"].sum(), EPS),
        "lq_wrong": hidden.select(((pl.col("lq") >= 1) != (pl.col("lq_truth") >= 1)).mean()).item(),
        "lq_lost": special.select((~(pl.col("lq") >= 1)).mean()).item(),
        "sums_off": off.item(),
    }
