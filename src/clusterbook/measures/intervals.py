"""Intervals: what a measure can be when some cells are known only within bounds."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from clusterbook.measures.specialisation import quotient


def quotient_interval(
    frame: pl.DataFrame,
    value: str = "employment",
    *,
    region: str = "region",
    industry: str = "industry",
    by: Sequence[str] = ("year",),
    name: str = "lq",
) -> pl.DataFrame:
    """Add the least and the greatest location quotient that the bounds of the cells allow.

    With E the cell and a, b, c all else in its region, in its industry and in the whole table, LQ = E (E + c) /
    ((E + a)(E + b)). It falls with a and b and rises with c; in E it rises up to E* = (ab + sqrt(ab (ab + kc))) / k,
    k = c - a - b, and falls from there (a cell that grows makes its region and industry grow, too). The extremes are
    therefore at the bounds or at E*. They are safe rather than sharp: a, b and c are let vary apart, though they are
    sums of the same cells.

    Args:
        frame: one row a cell with ``value`` and, for cells that are not disclosed, ``<value>_lo`` and ``<value>_hi``
            (null ``_hi`` = unbounded above). A table without bound columns is returned unchanged.
        value: the column of sizes.
        region: the column of regions.
        industry: the column of industries (or clusters).
        by: columns within which totals are taken.
        name: the columns added are ``<name>_lo`` and ``<name>_hi``.

    Returns:
        The table with two columns added. Both are null where the cell and all totals it is measured by are exact (the
        quotient is then exact, too), and where a total can be zero; ``<name>_hi`` is null where nothing bounds it.

    Example:
        >>> jobs = pl.DataFrame({"region": list("AABB"), "industry": list("xyxy"), "employment": [None, 1.0, 1.0, 3.0],
        ...                      "employment_lo": [2.0, None, None, None], "employment_hi": [4.0, None, None, None]})
        >>> quotient_interval(jobs, by=()).select(pl.col("lq_lo", "lq_hi").round(3)).row(0)
        (1.44, 1.556)
    """
    lower, upper = f"{value}_lo", f"{value}_hi"
    if lower not in frame.columns:
        return frame
    top = pl.coalesce(upper, value) if upper in frame.columns else pl.col(value)
    cells = frame.with_columns(pl.coalesce(lower, value).alias("__lo"), top.alias("__hi"))
    open_above = pl.col("__hi").is_null()
    for label, keys in (("a", [region, *by]), ("b", [industry, *by]), ("c", list(by))):
        sums = [pl.col("__lo").sum(), pl.col("__hi").sum(), open_above.sum()]
        least, most, n_open = (total.over(keys) for total in sums) if keys else sums
        others_open = n_open - open_above.cast(pl.UInt32)
        cells = cells.with_columns(
            (least - pl.col("__lo")).alias(f"__{label}_lo"),
            pl.when(others_open == 0).then(most - pl.col("__hi").fill_null(0)).alias(f"__{label}_hi"),
        )
    lo, hi = pl.col("__lo"), pl.col("__hi")
    at_most = [pl.col(f"__{name}") for name in ("a_hi", "b_hi", "c_lo")]
    at_least = [pl.col(f"__{name}") for name in ("a_lo", "b_lo", "c_hi")]
    spans = [(lo, hi), *((pl.col(f"__{each}_lo"), pl.col(f"__{each}_hi")) for each in "abc")]
    exact = pl.all_horizontal(low.eq_missing(high) for low, high in spans)
    # A cell without an upper bound takes the quotient towards 1: its region and industry become all there is.
    at_top = pl.when(hi.is_null()).then(1.0).otherwise(_quotient(hi, *at_most))
    least = pl.when(at_most[0].is_not_null() & at_most[1].is_not_null()).then(
        pl.min_horizontal(_quotient(lo, *at_most), at_top)
    )
    peak = pl.max_horizontal(_peak(*at_least), lo)
    most = pl.when(hi.is_not_null()).then(_quotient(pl.min_horizontal(peak, hi), *at_least))
    return cells.with_columns(
        pl.when(~exact).then(least).alias(f"{name}_lo"), pl.when(~exact).then(most).alias(f"{name}_hi")
    ).select(*frame.columns, f"{name}_lo", f"{name}_hi")


def _quotient(cell: pl.Expr, region: pl.Expr, industry: pl.Expr, rest: pl.Expr) -> pl.Expr:
    """Return the quotient of a cell with all else in its region, industry and table; null where it is 0 / 0."""
    defined = (cell + region > 0) & (cell + industry > 0)
    return pl.when(defined).then(quotient(cell, cell + region, cell + industry, cell + rest))


def _peak(region: pl.Expr, industry: pl.Expr, rest: pl.Expr) -> pl.Expr:
    """Return the cell size at which the quotient is greatest (infinite where it rises for ever)."""
    product, excess = region * industry, rest - region - industry
    root = (product + (product * (product + excess * rest)).sqrt()) / excess
    return pl.when(excess > 0).then(root).otherwise(float("inf"))
